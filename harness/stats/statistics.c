// SPDX-License-Identifier: Apache-2.0
#include "stats/statistics.h"

#include <assert.h>
#include <math.h>

// What is ordered: the values themselves, or their distances from *centre.
static double sort_key(double value, const double *centre)
{
    return centre ? fabs(value - *centre) : value;
}

// The key of that 0-based rank. Quadratic and without memory: samples come by the dozen.
static double find_order_statistic(const double *values, size_t count, size_t rank,
                                   const double *centre)
{
    assert(rank < count);
    for (size_t i = 0; i < count; i++) {
        const double candidate = sort_key(values[i], centre);
        size_t below = 0;
        size_t up_to = 0;
        for (size_t j = 0; j < count; j++) {
            const double other = sort_key(values[j], centre);
            below += other < candidate;
            up_to += other <= candidate;
        }
        if (below <= rank && rank < up_to)
            return candidate;
    }
    return NAN; // only if a value is not finite
}

static double find_quantile(const double *values, size_t count, double p, const double *centre)
{
    assert(p >= 0 && p <= 1);
    if (count == 0)
        return NAN;
    const double position = p * (double)(count - 1);
    const double whole = floor(position);
    const size_t rank = (size_t)whole;
    const double low = find_order_statistic(values, count, rank, centre);
    if (rank + 1 == count || position == whole)
        return low;
    const double high = find_order_statistic(values, count, rank + 1, centre);
    return low + (position - whole) * (high - low);
}

double stat_quantile(const double *values, size_t count, double p)
{
    return find_quantile(values, count, p, NULL);
}

double stat_median(const double *values, size_t count)
{
    return find_quantile(values, count, 0.5, NULL);
}

double stat_mad(const double *values, size_t count)
{
    const double centre = stat_median(values, count);
    return find_quantile(values, count, 0.5, &centre);
}

double stat_variation(const double *values, size_t count)
{
    if (count < 2)
        return NAN;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    const double mean = sum / (double)count;
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return mean == 0 ? NAN : sqrt(squares / (double)(count - 1)) / fabs(mean);
}

// P(X = successes) of the binomial distribution with p = 1/2; logarithms because 2^-n underflows.
static double fair_binomial(size_t trials, size_t successes)
{
    const double n = (double)trials;
    const double k = (double)successes;
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2));
}

Interval stat_median_interval(const double *values, size_t count, double confidence)
{
    assert(confidence > 0 && confidence < 1);
    // The interval from the (r+1)-th smallest to the (r+1)-th largest misses the median with
    // probability 2 P(X <= r): go inward while that stays within 1 - confidence.
    size_t inward = 0;
    double tail = 0;
    while (inward < count / 2) {
        tail += fair_binomial(count, inward);
        if (2 * tail > 1 - confidence)
            break;
        inward++;
    }
    if (inward == 0)
        return (Interval){NAN, NAN};
    return (Interval){find_order_statistic(values, count, inward - 1, NULL),
                      find_order_statistic(values, count, count - inward, NULL)};
}
