// SPDX-License-Identifier: Apache-2.0
#include "stats/bootstrap.h"

#include "common/splitmix.h"
#include "stats/distributions.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static const Bootstrap no_bootstrap = {{NAN, NAN}, NAN};

// One value of the statistic, and the share of the resamples that have it.
typedef struct Outcome {
    double value, weight;
} Outcome;

static int compare_outcomes(const void *a, const void *b)
{
    const double left = ((const Outcome *)a)->value;
    const double right = ((const Outcome *)b)->value;
    return (left > right) - (left < right);
}

// The smallest value that the share p of the weight does not exceed; outcomes ascending.
static double find_percentile(const Outcome *outcomes, size_t count, double p)
{
    const double slack = 1e-12; // of the added weights: rounding must not ask for one more
    double weight = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        weight += outcomes[i].weight;
        if (weight >= p - slack)
            return outcomes[i].value;
    }
    return outcomes[count - 1].value;
}

// Sorts the outcomes.
static Bootstrap summarise(Outcome *outcomes, size_t count, double confidence)
{
    double mean = 0;
    double square = 0;
    for (size_t i = 0; i < count; i++)
        mean += outcomes[i].weight * outcomes[i].value;
    for (size_t i = 0; i < count; i++)
        square += outcomes[i].weight * (outcomes[i].value - mean) * (outcomes[i].value - mean);
    if (!isfinite(square))
        return no_bootstrap;
    qsort(outcomes, count, sizeof *outcomes, compare_outcomes);
    const double tail = (1 - confidence) / 2;
    return (Bootstrap){
        {find_percentile(outcomes, count, tail), find_percentile(outcomes, count, 1 - tail)},
        sqrt(square)};
}

// Multisets are ascending lists of indices; false after the last one.
static bool next_multiset(size_t *indices, size_t count)
{
    size_t place = count;
    while (place > 0 && indices[place - 1] == count - 1)
        place--;
    if (place == 0)
        return false;
    const size_t index = indices[place - 1] + 1;
    for (size_t i = place - 1; i < count; i++)
        indices[i] = index;
    return true;
}

// Share of the count^count resamples that are an order of this multiset: count! / (product of the
// factorials of the multiplicities) of them.
static double weigh_multiset(const size_t *indices, size_t count)
{
    double weight = 1;
    size_t run = 0;
    for (size_t i = 0; i < count; i++) {
        run = i > 0 && indices[i] == indices[i - 1] ? run + 1 : 1;
        weight *= (double)(i + 1) / (double)run / (double)count;
    }
    return weight;
}

static size_t count_multisets(size_t count)
{
    size_t multisets = 1; // (2 count - 1 over count), whole after every step
    for (size_t i = 1; i <= count; i++)
        multisets = multisets * (count - 1 + i) / i;
    return multisets;
}

Bootstrap stat_bootstrap_exact(const double *values, size_t count, StatFunction function,
                               double confidence)
{
    assert(confidence > 0 && confidence < 1);
    if (count == 0 || count > BOOTSTRAP_EXACT_MOST)
        return no_bootstrap;
    Outcome *outcomes = calloc(count_multisets(count), sizeof *outcomes);
    if (!outcomes)
        return no_bootstrap;
    size_t indices[BOOTSTRAP_EXACT_MOST] = {0};
    size_t used = 0;
    do {
        double resample[BOOTSTRAP_EXACT_MOST];
        for (size_t i = 0; i < count; i++)
            resample[i] = values[indices[i]];
        outcomes[used++] = (Outcome){function(resample, count), weigh_multiset(indices, count)};
    } while (next_multiset(indices, count));
    const Bootstrap bootstrap = summarise(outcomes, used, confidence);
    free(outcomes);
    return bootstrap;
}

// The statistic of random resamples. The caller frees; NULL: nothing to sample, or out of memory.
static Outcome *sample_outcomes(const double *values, size_t count, StatFunction function,
                                size_t resamples, uint64_t seed)
{
    if (count == 0 || resamples == 0)
        return NULL;
    Outcome *outcomes = calloc(resamples, sizeof *outcomes);
    double *resample = calloc(count, sizeof *resample);
    for (size_t i = 0; outcomes && resample && i < resamples; i++) {
        for (size_t j = 0; j < count; j++)
            resample[j] = values[splitmix_below(&seed, count)];
        outcomes[i] = (Outcome){function(resample, count), 1 / (double)resamples};
    }
    if (!resample) {
        free(outcomes);
        outcomes = NULL;
    }
    free(resample);
    return outcomes;
}

Bootstrap stat_bootstrap(const double *values, size_t count, StatFunction function,
                         double confidence, size_t resamples, uint64_t seed)
{
    assert(confidence > 0 && confidence < 1);
    Outcome *outcomes = sample_outcomes(values, count, function, resamples, seed);
    if (!outcomes)
        return no_bootstrap;
    const Bootstrap bootstrap = summarise(outcomes, resamples, confidence);
    free(outcomes);
    return bootstrap;
}

// Skewness of the statistic without one value after the other, over six; NAN: out of memory.
static double find_acceleration(const double *values, size_t count, StatFunction function)
{
    double *without = calloc(count, sizeof *without); // one fewer is used
    double *estimates = calloc(count, sizeof *estimates);
    double acceleration = NAN;
    if (without && estimates) {
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j + 1 < count; j++)
                without[j] = values[j < i ? j : j + 1];
            estimates[i] = function(without, count - 1);
        }
        const double mean = stat_mean(estimates, count);
        double squares = 0;
        double cubes = 0;
        for (size_t i = 0; i < count; i++) {
            squares += pow(mean - estimates[i], 2);
            cubes += pow(mean - estimates[i], 3);
        }
        acceleration = squares == 0 ? 0 : cubes / (6 * pow(squares, 1.5));
    }
    free(without);
    free(estimates);
    return acceleration;
}

// How many standard deviations the estimate is off the middle of its resamples. Kept finite where
// all lie to one side.
static double find_bias(const Outcome *outcomes, size_t count, double estimate)
{
    double below = 0;
    for (size_t i = 0; i < count; i++)
        below += outcomes[i].value < estimate ? 1 : outcomes[i].value == estimate ? 0.5 : 0;
    return stat_normal_quantile((below + 0.5) / ((double)count + 1));
}

static double adjust_tail(double tail, double bias, double acceleration)
{
    const double z = bias + stat_normal_quantile(tail);
    return stat_normal_cdf(bias + z / (1 - acceleration * z));
}

Interval stat_bootstrap_bca(const double *values, size_t count, StatFunction function,
                            double confidence, size_t resamples, uint64_t seed)
{
    assert(confidence > 0 && confidence < 1);
    if (count < 2)
        return no_bootstrap.interval;
    const double estimate = function(values, count);
    const double acceleration = find_acceleration(values, count, function);
    Outcome *outcomes = sample_outcomes(values, count, function, resamples, seed);
    Interval interval = no_bootstrap.interval;
    if (outcomes && isfinite(estimate) && isfinite(acceleration) &&
        isfinite(summarise(outcomes, resamples, confidence).deviation)) {
        const double bias = find_bias(outcomes, resamples, estimate);
        const double tail = (1 - confidence) / 2;
        interval.low = find_percentile(outcomes, resamples, adjust_tail(tail, bias, acceleration));
        interval.high =
            find_percentile(outcomes, resamples, adjust_tail(1 - tail, bias, acceleration));
    }
    free(outcomes);
    return interval;
}
