// SPDX-License-Identifier: Apache-2.0
// comparison_test.c - the tests of one row: by samples, by sessions, or none for exact numbers.
#include "compare/comparison_parts.h"
#include "stats/distributions.h"
#include "stats/mann_whitney.h"

#include <math.h>
#include <stdlib.h>

typedef struct Numbers {
    double *values;
    size_t count;
} Numbers;

static bool take_samples(const MeasuredSide *side, const MeasuredCell *cell, size_t metric,
                         Numbers *numbers)
{
    numbers->count = measured_values(side, cell, metric, NULL);
    numbers->values = calloc(numbers->count + 1, sizeof *numbers->values);
    if (numbers->values)
        (void)measured_values(side, cell, metric, numbers->values);
    return numbers->values != NULL;
}

// The median of each session that has one.
static bool take_medians(const MeasuredSide *side, const MeasuredCell *cell, size_t metric,
                         Numbers *numbers)
{
    const Session *sessions = cell->series[metric].sessions;
    *numbers = (Numbers){.values = calloc(side->session_count + 1, sizeof *numbers->values)};
    for (size_t s = 0; numbers->values && s < side->session_count; s++)
        if (sessions[s].count > 0)
            numbers->values[numbers->count++] = stat_median(sessions[s].values, sessions[s].count);
    return numbers->values != NULL;
}

static void test_samples(ComparedRow *row, Numbers base, Numbers latest)
{
    row->ratio =
        stat_ratio(base.values, base.count, latest.values, latest.count, COMPARISON_CONFIDENCE);
    row->effect = stat_cliffs_delta(base.values, base.count, latest.values, latest.count);
    if (!isnan(row->ratio.estimate))
        row->p_value = stat_mann_whitney(base.values, base.count, latest.values, latest.count,
                                         MANN_WHITNEY_AUTO)
                           .p_value;
}

typedef struct LogSum {
    double mean, squares; // squares: of the distances to the mean
} LogSum;

// NAN unless all values are positive.
static LogSum sum_logarithms(Numbers numbers)
{
    LogSum sum = {0, 0};
    for (size_t i = 0; i < numbers.count; i++)
        sum.mean += log(numbers.values[i]) / (double)numbers.count;
    for (size_t i = 0; i < numbers.count; i++)
        sum.squares += pow(log(numbers.values[i]) - sum.mean, 2);
    return sum;
}

// Two-sided p of Student's t; identical sessions differ surely or not at all.
static double find_p(double distance, double error, double freedom)
{
    if (error == 0)
        return distance == 0;
    return 2 * stat_t_cdf(-fabs(distance) / error, freedom);
}

static void test_sessions(ComparedRow *row, Numbers base, Numbers latest)
{
    const LogSum old = sum_logarithms(base);
    const LogSum now = sum_logarithms(latest);
    const double distance = now.mean - old.mean;
    row->ratio.estimate = isfinite(distance) ? exp(distance) : (double)NAN;
    const double freedom = (double)(base.count + latest.count) - 2;
    if (!(freedom >= 1) || !isfinite(distance))
        return;
    const double variance = (old.squares + now.squares) / freedom;
    const double error = sqrt(variance * (1 / (double)base.count + 1 / (double)latest.count));
    const double reach = error * stat_t_quantile((1 + COMPARISON_CONFIDENCE) / 2, freedom);
    row->ratio.interval = (Interval){exp(distance - reach), exp(distance + reach)};
    row->p_value = find_p(distance, error, freedom);
}

static void describe_side(RowSide *side, const MeasuredSide *measured, Numbers numbers,
                          bool by_sessions, size_t samples)
{
    side->samples = samples;
    side->sessions = by_sessions ? numbers.count : measured->session_count;
    side->median = stat_median(numbers.values, numbers.count);
    side->variation = stat_variation(numbers.values, numbers.count);
}

// The newest session's number stands for the side.
static void compare_exact(ComparedRow *row, Numbers base, Numbers latest)
{
    const double old = base.values[base.count - 1];
    const double now = latest.values[latest.count - 1];
    row->side[SIDE_BASE].median = old;
    row->side[SIDE_NEW].median = now;
    row->ratio.estimate = old == now ? 1 : old > 0 ? now / old : (double)NAN;
}

bool comparison_test_row(const Comparison *comparison, const MeasuredCell *base,
                         const MeasuredCell *latest, ComparedRow *row)
{
    const MeasuredSide *const *side = comparison->side;
    const bool exact = compared_metrics[row->metric].source != NULL;
    const bool sessions = comparison->by_sessions && !exact;
    bool (*take)(const MeasuredSide *, const MeasuredCell *, size_t, Numbers *) =
        sessions ? take_medians : take_samples;
    Numbers old = {0};
    Numbers now = {0};
    const bool taken = take(side[SIDE_BASE], base, row->metric, &old) &&
                       take(side[SIDE_NEW], latest, row->metric, &now);
    if (taken) {
        describe_side(&row->side[SIDE_BASE], side[SIDE_BASE], old, sessions,
                      measured_values(side[SIDE_BASE], base, row->metric, NULL));
        describe_side(&row->side[SIDE_NEW], side[SIDE_NEW], now, sessions,
                      measured_values(side[SIDE_NEW], latest, row->metric, NULL));
        if (exact)
            compare_exact(row, old, now);
        else if (sessions)
            test_sessions(row, old, now);
        else
            test_samples(row, old, now);
    }
    free(old.values);
    free(now.values);
    return taken;
}
