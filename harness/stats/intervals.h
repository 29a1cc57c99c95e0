// SPDX-License-Identifier: Apache-2.0
// intervals.h - confidence intervals from distributions: of a probability, of means.
#ifndef HYP_INTERVALS_H
#define HYP_INTERVALS_H

#include "stats/statistics.h"

// Clopper and Pearson's interval of a probability: covers it at least as often as `confidence`
// says.
Interval stat_proportion_interval(size_t successes, size_t trials, double confidence);

// Student's interval of the mean; NAN below 2 values.
Interval stat_mean_interval(const double *values, size_t count, double confidence);
// The same for logarithms; NAN also unless all values are positive, or if memory ran out.
Interval stat_geometric_interval(const double *values, size_t count, double confidence);

#endif
