// SPDX-License-Identifier: Apache-2.0
#include "against/sample_size.h"

#include "stats/distributions.h"
#include "stats/power.h"

#include <assert.h>
#include <math.h>

static const double doubt = 0.2; // that the variation is greater than said

static double sum_squares(const double *values, size_t count)
{
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        mean += log(values[i]) / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (log(values[i]) - mean) * (log(values[i]) - mean);
    return squares;
}

// Wilson and Hilferty (1931): the cube root of chi squared over its freedom is nearly normal.
static double chi_squared_quantile(double p, double freedom)
{
    const double spread = 2 / (9 * freedom);
    return freedom * pow(1 - spread + stat_normal_quantile(p) * sqrt(spread), 3);
}

double sample_size_variation(const double *base_ns, size_t base_count, const double *new_ns,
                             size_t new_count)
{
    if (base_count < 2 || new_count < 2)
        return NAN;
    const double freedom = (double)(base_count + new_count - 2);
    const double variance = (sum_squares(base_ns, base_count) + sum_squares(new_ns, new_count)) /
                            chi_squared_quantile(doubt, freedom);
    return sqrt(expm1(variance)); // of a log-normal distribution
}

SampleSize sample_size_choose(const SampleSizeGoal *goal, double variation, size_t family)
{
    static PowerTrials trials; // 32 KiB, and this is no thread's business but the harness's
    assert(goal->most >= SAMPLE_SIZE_LEAST && family > 0);
    const double alpha = goal->alpha / (double)family;
    SampleSize size = {variation, SAMPLE_SIZE_LEAST, NAN};
    if (!(variation > 0))
        return size;
    const PowerGoal power = {goal->effect, goal->probability, goal->least_effect, alpha};
    const size_t needed = stat_samples_needed(&power, variation, goal->most, goal->seed);
    size.samples = needed == 0 ? goal->most : needed;
    if (size.samples < SAMPLE_SIZE_LEAST)
        size.samples = SAMPLE_SIZE_LEAST;
    if (stat_power_simulate(&trials, size.samples, size.samples, alpha, goal->seed)) {
        const double effect =
            stat_visible_effect(&trials, variation, goal->least_effect, goal->probability);
        size.visible_effect = isfinite(effect) ? effect : (double)NAN;
    }
    return size;
}
