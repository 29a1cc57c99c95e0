// SPDX-License-Identifier: Apache-2.0
// statistics.h - of arrays of finite numbers; NAN where the count is too small for an answer.
#ifndef HYP_STATISTICS_H
#define HYP_STATISTICS_H

#include <stddef.h>

typedef struct Interval {
    double low, high;
} Interval;

// Quantile, definition 7 of Hyndman and Fan (1996): linear between order statistics. p in 0..1.
double stat_quantile(const double *values, size_t count, double p);
double stat_median(const double *values, size_t count);
// Median absolute deviation from the median, not scaled.
double stat_mad(const double *values, size_t count);
// Sample standard deviation / mean.
double stat_variation(const double *values, size_t count);
// Order-statistic confidence interval of the median with coverage of at least `confidence`
// (Conover, Practical Nonparametric Statistics, 3rd ed., 3.2); NAN, NAN below the count that can.
Interval stat_median_interval(const double *values, size_t count, double confidence);

#endif
