// SPDX-License-Identifier: Apache-2.0
#include "stats/power.h"

#include "common/splitmix.h"
#include "stats/mann_whitney.h"
#include "stats/shift.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int compare_numbers(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return (left > right) - (left < right);
}

// Standard normal numbers, ascending (Box and Muller).
static void draw_sorted(double *values, size_t count, uint64_t *state)
{
    const double turn = 6.283185307179586477;
    for (size_t i = 0; i < count; i++) {
        const double radius = sqrt(-2 * log(splitmix_unit(state)));
        values[i] = radius * cos(turn * splitmix_unit(state));
    }
    qsort(values, count, sizeof *values, compare_numbers);
}

// The test rejects, y being above, once fewer than `critical` of the differences x - y exceed the
// shift of y.
static void run_trials(PowerTrials *trials, double *x, size_t x_count, double *y, size_t y_count,
                       size_t critical, uint64_t seed)
{
    const size_t pairs = x_count * y_count;
    for (size_t i = 0; i < POWER_TRIALS; i++) {
        draw_sorted(x, x_count, &seed);
        draw_sorted(y, y_count, &seed);
        const double upper = stat_select_difference(x, x_count, y, y_count, pairs / 2);
        const double lower = stat_select_difference(x, x_count, y, y_count, (pairs - 1) / 2);
        trials->centre[i] = (lower + upper) / 2;
        trials->rejection[i] =
            critical ? stat_select_difference(y, y_count, x, x_count, pairs - critical)
                     : (double)INFINITY;
    }
}

bool stat_power_simulate(PowerTrials *trials, size_t base_count, size_t new_count, double alpha,
                         uint64_t seed)
{
    assert(base_count > 0 && base_count <= POWER_MOST_SAMPLES);
    assert(new_count > 0 && new_count <= POWER_MOST_SAMPLES);
    double *x = calloc(base_count, sizeof *x);
    double *y = calloc(new_count, sizeof *y);
    size_t critical;
    const bool done = x && y && stat_mann_whitney_critical(base_count, new_count, alpha, &critical);
    if (done)
        run_trials(trials, x, base_count, y, new_count, critical, seed);
    free(x);
    free(y);
    return done;
}

// Standard deviation of the logarithms.
static double find_sigma(double variation)
{
    assert(variation > 0);
    return sqrt(log1p(variation * variation));
}

// The smallest shift, in standard deviations, with which trial i is seen.
static double find_threshold(const PowerTrials *trials, size_t i, double least_shift)
{
    return fmax(trials->rejection[i], least_shift - trials->centre[i]);
}

double stat_visible_effect(const PowerTrials *trials, double variation, double least_effect,
                           double probability)
{
    assert(probability > 0 && probability <= 1);
    const double sigma = find_sigma(variation);
    double thresholds[POWER_TRIALS];
    for (size_t i = 0; i < POWER_TRIALS; i++)
        thresholds[i] = find_threshold(trials, i, log1p(least_effect) / sigma);
    qsort(thresholds, POWER_TRIALS, sizeof *thresholds, compare_numbers);
    return expm1(sigma * thresholds[(size_t)ceil(probability * POWER_TRIALS) - 1]);
}

double stat_power(const PowerTrials *trials, double variation, double least_effect, double effect)
{
    assert(effect > 0);
    const double sigma = find_sigma(variation);
    size_t seen = 0;
    for (size_t i = 0; i < POWER_TRIALS; i++)
        seen += find_threshold(trials, i, log1p(least_effect) / sigma) <= log1p(effect) / sigma;
    return (double)seen / POWER_TRIALS;
}

// False: out of memory.
static bool measure_goal(const PowerGoal *goal, double variation, size_t count, uint64_t seed,
                         bool *reached)
{
    PowerTrials trials;
    if (!stat_power_simulate(&trials, count, count, goal->alpha, seed))
        return false;
    *reached =
        stat_power(&trials, variation, goal->least_effect, goal->effect) >= goal->probability;
    return true;
}

// Doubles the count until it is enough, then halves the gap to the last that was too few.
size_t stat_samples_needed(const PowerGoal *goal, double variation, size_t most, uint64_t seed)
{
    const size_t limit = most < POWER_MOST_SAMPLES ? most : POWER_MOST_SAMPLES;
    if (!(goal->effect > goal->least_effect))
        return 0;
    size_t too_few = 0;
    size_t enough = 0;
    while (enough == 0 ? too_few < limit : enough - too_few > 1) {
        const size_t doubled = too_few ? 2 * too_few : 1;
        const size_t count = enough            ? too_few + (enough - too_few) / 2
                             : doubled < limit ? doubled
                                               : limit;
        bool reached;
        if (!measure_goal(goal, variation, count, seed, &reached))
            return 0;
        *(reached ? &enough : &too_few) = count;
    }
    return enough;
}
