// SPDX-License-Identifier: Apache-2.0
#include "stats/statistics.h"

#include "stats/sorted.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static const Interval no_interval = {NAN, NAN};

static int compare_numbers(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return (left > right) - (left < right);
}

double *stat_sorted_copy(const double *values, size_t count)
{
    double *sorted =
        count && count <= SIZE_MAX / sizeof *sorted ? malloc(count * sizeof *sorted) : NULL;
    if (!sorted)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            free(sorted);
            return NULL;
        }
        sorted[i] = values[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_numbers);
    return sorted;
}

double stat_mean(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    if (count == 0 || !isfinite(sum))
        return NAN;
    // What rounding left over; with it the mean of equal values is that value.
    const double mean = sum / (double)count;
    double rest = 0;
    for (size_t i = 0; i < count; i++)
        rest += values[i] - mean;
    return mean + rest / (double)count;
}

double stat_deviation(const double *values, size_t count)
{
    const double mean = stat_mean(values, count);
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return count < 2 ? (double)NAN : sqrt(squares / (double)(count - 1));
}

double stat_variation(const double *values, size_t count)
{
    const double mean = stat_mean(values, count);
    return mean == 0 ? (double)NAN : stat_deviation(values, count) / fabs(mean);
}

double stat_geometric_mean(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] > 0 ? log(values[i]) : (double)NAN;
    return count && isfinite(sum) ? exp(sum / (double)count) : (double)NAN;
}

static double find_quantile(const double *sorted, size_t count, double p)
{
    const double position = p * (double)(count - 1);
    const double whole = floor(position);
    const size_t rank = (size_t)whole;
    if (rank + 1 == count || position == whole)
        return sorted[rank];
    return sorted[rank] + (position - whole) * (sorted[rank + 1] - sorted[rank]);
}

double stat_quantile(const double *values, size_t count, double p)
{
    assert(p >= 0 && p <= 1);
    double *sorted = stat_sorted_copy(values, count);
    const double quantile = sorted ? find_quantile(sorted, count, p) : (double)NAN;
    free(sorted);
    return quantile;
}

double stat_median(const double *values, size_t count)
{
    return stat_quantile(values, count, 0.5);
}

double stat_mad(const double *values, size_t count)
{
    double *distances = stat_sorted_copy(values, count);
    if (!distances)
        return NAN;
    const double centre = find_quantile(distances, count, 0.5);
    for (size_t i = 0; i < count; i++)
        distances[i] = fabs(distances[i] - centre);
    const double mad = stat_median(distances, count);
    free(distances);
    return mad;
}

// P(X = successes) of the binomial distribution with p = 1/2; logarithms because 2^-n underflows.
static double fair_binomial(size_t trials, size_t successes)
{
    const double n = (double)trials;
    const double k = (double)successes;
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2));
}

// The interval from the r-th smallest to the r-th largest misses the median with probability
// 2 P(X < r): the largest such r that keeps the coverage, 0 if none does.
static size_t find_inward(size_t count, double confidence, double *coverage)
{
    assert(confidence > 0 && confidence < 1);
    const double slack = 1e-12; // sums of logarithms round
    size_t inward = 0;
    double tail = 0;
    while (inward < count / 2) {
        const double wider = tail + fair_binomial(count, inward);
        if (2 * wider > (1 - confidence) * (1 + slack))
            break;
        tail = wider;
        inward++;
    }
    *coverage = inward ? 1 - 2 * tail : (double)NAN;
    return inward;
}

double stat_median_coverage(size_t count, double confidence)
{
    double coverage;
    (void)find_inward(count, confidence, &coverage);
    return coverage;
}

Interval stat_median_interval(const double *values, size_t count, double confidence)
{
    double coverage;
    const size_t inward = find_inward(count, confidence, &coverage);
    double *sorted = inward ? stat_sorted_copy(values, count) : NULL;
    if (!sorted)
        return no_interval;
    const Interval interval = {sorted[inward - 1], sorted[count - inward]};
    free(sorted);
    return interval;
}

static Interval place_fence(double lower_quartile, double upper_quartile, double ranges)
{
    const double reach = ranges * (upper_quartile - lower_quartile);
    return (Interval){lower_quartile - reach, upper_quartile + reach};
}

static bool is_outside(double value, Interval fence)
{
    return value < fence.low || value > fence.high;
}

TukeyCount stat_tukey(const double *values, size_t count)
{
    TukeyCount tukey = {no_interval, no_interval, 0, 0};
    double *sorted = stat_sorted_copy(values, count);
    if (!sorted)
        return tukey;
    const double lower = find_quantile(sorted, count, 0.25);
    const double upper = find_quantile(sorted, count, 0.75);
    tukey.mild_fence = place_fence(lower, upper, 1.5);
    tukey.severe_fence = place_fence(lower, upper, 3);
    for (size_t i = 0; i < count; i++) {
        tukey.mild += is_outside(values[i], tukey.mild_fence);
        tukey.severe += is_outside(values[i], tukey.severe_fence);
    }
    free(sorted);
    return tukey;
}
