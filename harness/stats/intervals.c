// SPDX-License-Identifier: Apache-2.0
#include "stats/intervals.h"

#include "stats/distributions.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

Interval stat_proportion_interval(size_t successes, size_t trials, double confidence)
{
    assert(successes <= trials && confidence > 0 && confidence < 1);
    const double k = (double)successes;
    const double n = (double)trials;
    const double tail = (1 - confidence) / 2;
    return (Interval){successes == 0 ? 0 : stat_beta_quantile(tail, k, n - k + 1),
                      successes == trials ? 1 : stat_beta_quantile(1 - tail, k + 1, n - k)};
}

Interval stat_mean_interval(const double *values, size_t count, double confidence)
{
    assert(confidence > 0 && confidence < 1);
    if (count < 2)
        return (Interval){NAN, NAN};
    const double mean = stat_mean(values, count);
    const double reach = stat_t_quantile((1 + confidence) / 2, (double)(count - 1)) *
                         stat_deviation(values, count) / sqrt((double)count);
    return (Interval){mean - reach, mean + reach};
}

Interval stat_geometric_interval(const double *values, size_t count, double confidence)
{
    double *logarithms = count < 2 ? NULL : calloc(count, sizeof *logarithms);
    if (!logarithms)
        return (Interval){NAN, NAN};
    for (size_t i = 0; i < count; i++)
        logarithms[i] = values[i] > 0 ? log(values[i]) : (double)NAN;
    const Interval interval = stat_mean_interval(logarithms, count, confidence);
    free(logarithms);
    return (Interval){exp(interval.low), exp(interval.high)};
}
