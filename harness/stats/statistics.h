// SPDX-License-Identifier: Apache-2.0
// statistics.h - of one array of numbers. NAN where the count is too small for an answer, a value
// is not finite, or memory ran out; values are in any order.
#ifndef HYP_STATISTICS_H
#define HYP_STATISTICS_H

#include <stddef.h>

typedef struct Interval {
    double low, high;
} Interval;

double stat_mean(const double *values, size_t count);
// Of a sample: n - 1 in the denominator.
double stat_deviation(const double *values, size_t count);
// Sample standard deviation / |mean|.
double stat_variation(const double *values, size_t count);
// NAN also unless all values are positive.
double stat_geometric_mean(const double *values, size_t count);

// Quantile, definition 7 of Hyndman and Fan (1996): linear between order statistics. p in 0..1.
double stat_quantile(const double *values, size_t count, double p);
double stat_median(const double *values, size_t count);
// Median absolute deviation from the median, not scaled.
double stat_mad(const double *values, size_t count);

// Order-statistic confidence interval of the median with coverage of at least `confidence`
// (Conover, Practical Nonparametric Statistics, 3rd ed., 3.2); NAN, NAN below the count that can.
Interval stat_median_interval(const double *values, size_t count, double confidence);
// Coverage that interval has; NAN where there is none.
double stat_median_coverage(size_t count, double confidence);

// How many lie outside of the quartiles by more than 1.5 interquartile ranges (mild), and by more
// than 3 (severe; these are among the mild ones).
typedef struct TukeyCount {
    Interval mild_fence, severe_fence; // NAN for an empty array
    size_t mild, severe;
} TukeyCount;
TukeyCount stat_tukey(const double *values, size_t count);

#endif
