// SPDX-License-Identifier: Apache-2.0
// shift.h - by how much y lies above x: of two independent samples, robust, with intervals.
#ifndef HYP_SHIFT_H
#define HYP_SHIFT_H

#include "stats/statistics.h"

typedef struct Shift {
    double estimate;
    Interval interval; // NAN where the samples are too few for the confidence
} Shift;

// Hodges and Lehmann: the median of all differences y - x, and Moses's interval: the differences
// that the Mann-Whitney test (AUTO) does not reject; conservative with ties. All NAN if a sample is
// empty, a value is not finite, or memory ran out.
Shift stat_shift(const double *x, size_t x_count, const double *y, size_t y_count,
                 double confidence);

// The same of logarithms, as a ratio y / x: 1.05 is 5 % more. All NAN also unless all values are
// positive.
Shift stat_ratio(const double *x, size_t x_count, const double *y, size_t y_count,
                 double confidence);

// Cliff's delta: P(y > x) - P(y < x) over all pairs, -1..1.
double stat_cliffs_delta(const double *x, size_t x_count, const double *y, size_t y_count);

// The difference y - x of that 0-based rank among all x_count * y_count; both arrays ascending.
double stat_select_difference(const double *x, size_t x_count, const double *y, size_t y_count,
                              size_t rank);

#endif
