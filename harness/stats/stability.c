// SPDX-License-Identifier: Apache-2.0
#include "stats/stability.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

// Index of the first value of the rest, by MSER. Backwards, so that sums of the rest are at hand;
// Welford's update, because the values are large beside their spread.
static size_t find_truncation(const double *values, size_t count, Interval fence)
{
    // A handful of values at the end agree by chance: a quarter must remain.
    const size_t least = count / 4 > WARM_UP_LEAST / 2 ? count / 4 : WARM_UP_LEAST / 2;
    double mean = 0;
    double squares = 0;
    double best = INFINITY;
    size_t truncation = count;
    for (size_t first = count; first-- > 0;) {
        const double value = fmin(fmax(values[first], fence.low), fence.high);
        const double kept = (double)(count - first);
        const double step = value - mean;
        mean += step / kept;
        squares += step * (value - mean);
        const double error = squares / (kept * kept);
        if (count - first >= least && error <= best) {
            best = error;
            truncation = first;
        }
    }
    return truncation;
}

WarmUp stat_warm_up(const double *values, size_t count)
{
    if (count < WARM_UP_LEAST)
        return (WarmUp){false, 0};
    const Interval fence = stat_tukey(values + count / 2, count - count / 2).severe_fence;
    if (isnan(fence.low))
        return (WarmUp){false, 0};
    const size_t truncation = find_truncation(values, count, fence);
    return truncation < count / 2 ? (WarmUp){true, truncation} : (WarmUp){false, 0};
}

Precision stat_precision(const double *values, size_t count, double confidence, double target)
{
    assert(target > 0);
    Precision precision = {false, NAN, 0};
    const Interval interval = stat_median_interval(values, count, confidence);
    const double median = stat_median(values, count);
    if (isnan(interval.low) || median == 0)
        return precision;
    precision.half_width = (interval.high - interval.low) / 2 / fabs(median);
    precision.reached = precision.half_width <= target;
    const double needed = ceil((double)count * pow(precision.half_width / target, 2));
    precision.needed = precision.reached                 ? count
                       : needed < (double)(SIZE_MAX / 2) ? (size_t)needed
                                                         : 0;
    return precision;
}
