// SPDX-License-Identifier: Apache-2.0
// comparison_see.c - the smallest effect that each row could have shown.
#include "compare/comparison_parts.h"
#include "stats/distributions.h"
#include "stats/power.h"

#include <math.h>
#include <stdlib.h>

// Up to so many samples of both sides together the test is simulated; beyond, its normal
// approximation is as good. A file whose cells have ever other counts gets only so many
// simulations, some 50 ms each.
enum { SIMULATED_SAMPLES = 100, MOST_SIMULATIONS = 8 };

typedef struct Simulation {
    size_t base, latest;
    PowerTrials trials;
} Simulation;

typedef struct Simulations {
    Simulation *rows;
    size_t count;
} Simulations;

// NULL: too many already, or out of memory.
static const PowerTrials *find_trials(Simulations *simulations, size_t base, size_t latest,
                                      double alpha)
{
    for (size_t i = 0; i < simulations->count; i++)
        if (simulations->rows[i].base == base && simulations->rows[i].latest == latest)
            return &simulations->rows[i].trials;
    Simulation *next = &simulations->rows[simulations->count];
    if (simulations->count == MOST_SIMULATIONS ||
        !stat_power_simulate(&next->trials, base, latest, alpha, 1))
        return NULL;
    next->base = base;
    next->latest = latest;
    simulations->count++;
    return &next->trials;
}

// From the standard error of the ratio's logarithm, and the quantiles that the test must reach and
// that the power asks for; the effect must also be one that matters.
static double find_effect(double error, double test_quantile, double power_quantile, double least)
{
    return expm1(
        fmax(error * (test_quantile + power_quantile), log1p(least) + error * power_quantile));
}

static double pooled_variation(const ComparedRow *row)
{
    const double base = row->side[SIDE_BASE].variation;
    const double latest = row->side[SIDE_NEW].variation;
    if (isnan(base) || isnan(latest))
        return isnan(base) ? latest : base;
    return sqrt((base * base + latest * latest) / 2);
}

static double see_by_sessions(const ComparedRow *row, double alpha, double least)
{
    const double freedom =
        (double)(row->side[SIDE_BASE].sessions + row->side[SIDE_NEW].sessions) - 2;
    const double reach = log(row->ratio.interval.high / row->ratio.estimate);
    const double error = reach / stat_t_quantile((1 + COMPARISON_CONFIDENCE) / 2, freedom);
    return find_effect(error, stat_t_quantile(1 - alpha / 2, freedom),
                       stat_t_quantile(COMPARISON_POWER, freedom), least);
}

// Asymptotic relative efficiency of the Mann-Whitney test on normal logarithms: 3 / pi.
static double see_asymptotic(const ComparedRow *row, double variation, double alpha, double least)
{
    const double efficiency = 0.954929658551372;
    const double pairs =
        1 / (double)row->side[SIDE_BASE].samples + 1 / (double)row->side[SIDE_NEW].samples;
    const double error = sqrt(log1p(variation * variation) * pairs / efficiency);
    return find_effect(error, stat_normal_quantile(1 - alpha / 2),
                       stat_normal_quantile(COMPARISON_POWER), least);
}

static double see_row(Simulations *simulations, const ComparedRow *row, double alpha, double least)
{
    const size_t base = row->side[SIDE_BASE].samples;
    const size_t latest = row->side[SIDE_NEW].samples;
    const double variation = pooled_variation(row);
    if (isnan(variation)) // one sample a side
        return INFINITY;
    if (base + latest > SIMULATED_SAMPLES)
        return see_asymptotic(row, variation, alpha, least);
    const PowerTrials *trials = find_trials(simulations, base, latest, alpha);
    if (!trials)
        return NAN;
    // Samples without any spread: what matters is seen, if the test can reject at all.
    const double least_spread = 1e-9;
    return stat_visible_effect(trials, fmax(variation, least_spread), least, COMPARISON_POWER);
}

bool comparison_see(Comparison *comparison)
{
    Simulations simulations = {calloc(MOST_SIMULATIONS + 1, sizeof *simulations.rows), 0};
    if (!simulations.rows)
        return false;
    const double tests = comparison->test_count > 0 ? (double)comparison->test_count : 1;
    const double alpha = COMPARISON_ALPHA / tests;
    for (size_t i = 0; i < comparison->row_count; i++) {
        ComparedRow *row = &comparison->rows[i];
        const double least = comparison_row_least(comparison, row);
        if (isnan(row->p_value))
            continue;
        row->visible = comparison->by_sessions ? see_by_sessions(row, alpha, least)
                                               : see_row(&simulations, row, alpha, least);
    }
    free(simulations.rows);
    return true;
}
