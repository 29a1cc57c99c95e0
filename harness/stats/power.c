// SPDX-License-Identifier: Apache-2.0
#include "stats/power.h"

#include "common/splitmix.h"
#include "stats/mann_whitney.h"
#include "stats/shift.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

// The standard error of a probability of 0.8 is then 0.9 %, of 0.95 0.5 %.
enum { TRIALS = 2000, MOST_SAMPLES = 10000 };

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

// Standard deviation of the logarithms.
static double find_sigma(const PowerQuestion *question)
{
    return sqrt(log1p(question->variation * question->variation));
}

// The smallest shift of y, in standard deviations, at which this pair of samples is seen. Of the
// differences x - y fewer than `critical` may exceed the shift, and their median must lie below it
// by what matters.
static double find_threshold(const double *x, size_t x_count, const double *y, size_t y_count,
                             size_t critical, double least_shift)
{
    const size_t pairs = x_count * y_count;
    const double rejected = stat_select_difference(y, y_count, x, x_count, pairs - critical);
    if (least_shift == 0) // the rejection is beyond the median anyway
        return rejected;
    const double upper = stat_select_difference(y, y_count, x, x_count, pairs / 2);
    const double lower =
        pairs % 2 ? upper : stat_select_difference(y, y_count, x, x_count, pairs / 2 - 1);
    return fmax(rejected, least_shift + (lower + upper) / 2);
}

static void run_trials(const PowerQuestion *question, size_t critical, double *x, double *y,
                       double *thresholds)
{
    const double least_shift = log1p(question->least_effect) / find_sigma(question);
    uint64_t state = question->seed;
    for (size_t i = 0; i < TRIALS; i++) {
        draw_sorted(x, question->base_count, &state);
        draw_sorted(y, question->new_count, &state);
        thresholds[i] =
            find_threshold(x, question->base_count, y, question->new_count, critical, least_shift);
    }
    qsort(thresholds, TRIALS, sizeof *thresholds, compare_numbers);
}

// Ascending thresholds of the trials; infinite ones where no shift can be seen. False: out of
// memory.
static bool simulate(const PowerQuestion *question, double *thresholds)
{
    assert(question->base_count > 0 && question->base_count <= MOST_SAMPLES);
    assert(question->new_count > 0 && question->new_count <= MOST_SAMPLES);
    assert(question->variation > 0 && question->least_effect >= 0);
    const size_t critical =
        stat_mann_whitney_critical(question->base_count, question->new_count, question->alpha);
    if (critical == 0) {
        for (size_t i = 0; i < TRIALS; i++)
            thresholds[i] = INFINITY;
        return true;
    }
    double *x = calloc(question->base_count, sizeof *x);
    double *y = calloc(question->new_count, sizeof *y);
    if (x && y)
        run_trials(question, critical, x, y, thresholds);
    const bool done = x && y;
    free(x);
    free(y);
    return done;
}

double stat_visible_effect(const PowerQuestion *question, double probability)
{
    assert(probability > 0 && probability < 1);
    double thresholds[TRIALS];
    if (!simulate(question, thresholds))
        return NAN;
    const size_t rank = (size_t)ceil(probability * TRIALS) - 1;
    return expm1(find_sigma(question) * thresholds[rank]);
}

double stat_power(const PowerQuestion *question, double effect)
{
    assert(effect > -1);
    double thresholds[TRIALS];
    if (!simulate(question, thresholds))
        return NAN;
    const double shift = log1p(effect) / find_sigma(question);
    size_t seen = 0;
    while (seen < TRIALS && thresholds[seen] <= shift)
        seen++;
    return (double)seen / TRIALS;
}

static bool sees_effect(const PowerQuestion *question, size_t count, double effect,
                        double probability)
{
    PowerQuestion even = *question;
    even.base_count = even.new_count = count;
    return stat_visible_effect(&even, probability) <= effect; // not if NAN
}

size_t stat_samples_needed(const PowerQuestion *question, double effect, double probability,
                           size_t most)
{
    const size_t limit = most < MOST_SAMPLES ? most : MOST_SAMPLES;
    size_t enough = 1;
    size_t too_few = 0;
    if (!(effect > question->least_effect))
        return 0;
    while (!sees_effect(question, enough, effect, probability)) {
        if (enough >= limit)
            return 0;
        too_few = enough;
        enough = enough * 2 < limit ? enough * 2 : limit;
    }
    while (enough - too_few > 1) {
        const size_t middle = too_few + (enough - too_few) / 2;
        if (sees_effect(question, middle, effect, probability))
            enough = middle;
        else
            too_few = middle;
    }
    return enough;
}
