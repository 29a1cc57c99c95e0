// SPDX-License-Identifier: Apache-2.0
// bootstrap.h - intervals of any statistic from resamples of the data.
#ifndef HYP_BOOTSTRAP_H
#define HYP_BOOTSTRAP_H

#include "stats/statistics.h"

#include <stdint.h>

// stat_mean, stat_median, ...: must be finite for every resample of the values.
typedef double (*StatFunction)(const double *values, size_t count);

typedef struct Bootstrap {
    Interval interval; // percentile interval: the smallest values that (1 -+ confidence) / 2 of the
                       // distribution do not exceed
    double deviation;  // standard deviation of the distribution
} Bootstrap;

enum { BOOTSTRAP_EXACT_MOST = 9 };

// Over all count^count resamples, by multisets. NAN: empty, more than BOOTSTRAP_EXACT_MOST values,
// a value or a result not finite, or out of memory.
Bootstrap stat_bootstrap_exact(const double *values, size_t count, StatFunction function,
                               double confidence);

// Over that many random resamples (SplitMix64: a seed gives the same interval everywhere).
Bootstrap stat_bootstrap(const double *values, size_t count, StatFunction function,
                         double confidence, size_t resamples, uint64_t seed);

// The same resamples, bias-corrected and accelerated (Efron 1987), the acceleration from the
// jackknife. A statistic that never varies is its own interval.
Interval stat_bootstrap_bca(const double *values, size_t count, StatFunction function,
                            double confidence, size_t resamples, uint64_t seed);

#endif
