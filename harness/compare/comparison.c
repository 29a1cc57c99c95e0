// SPDX-License-Identifier: Apache-2.0
#include "compare/comparison.h"

#include "cli/command.h"
#include "compare/comparison_parts.h"
#include "stats/multiple_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// By gravity.
static const struct {
    const char *name;
    int exit_code;
    int gravity;
} verdict_table[VERDICT_COUNT] = {
    [VERDICT_SAME] = {"same", EXIT_OK, 0},
    [VERDICT_ADDED] = {"added", EXIT_OK, 0},
    [VERDICT_FASTER] = {"faster", EXIT_OK, 1},
    [VERDICT_INCONCLUSIVE] = {"inconclusive", EXIT_INCONCLUSIVE, 2},
    [VERDICT_EXCLUDED] = {"excluded", EXIT_INCONCLUSIVE, 3},
    [VERDICT_SLOWER] = {"slower", EXIT_REGRESSION, 4},
    [VERDICT_MISSING] = {"missing", EXIT_CELL, 5},
    [VERDICT_FAILED] = {"failed", EXIT_CELL, 6},
};

const char *comparison_verdict_name(Verdict verdict)
{
    return verdict_table[verdict].name;
}

double comparison_least_effect(const Comparison *comparison, size_t metric)
{
    const bool chosen = metric == COMPARED_TIME && !isnan(comparison->options.least_time_effect);
    return chosen ? comparison->options.least_time_effect : compared_metrics[metric].least_effect;
}

double comparison_row_least(const Comparison *comparison, const ComparedRow *row)
{
    const double floor = compared_metrics[row->metric].least_difference;
    const double median = row->side[SIDE_BASE].median;
    const double least = comparison_least_effect(comparison, row->metric);
    return floor > 0 && median > 0 ? fmax(least, floor / median) : least;
}

static void decide(ComparedRow *row, Verdict verdict, const char *reason)
{
    row->verdict = verdict;
    row->reason = reason;
}

// Both sides have the same number in every run.
static void judge_exact(ComparedRow *row, double least)
{
    const double ratio = row->ratio.estimate;
    const double change = row->side[SIDE_NEW].median - row->side[SIDE_BASE].median;
    if (fabs(change) < compared_metrics[row->metric].least_difference)
        decide(row, VERDICT_SAME, "");
    else if (isnan(ratio))
        decide(row, VERDICT_INCONCLUSIVE, "0 in BASE: there is no ratio");
    else
        decide(row,
               ratio >= 1 + least         ? VERDICT_SLOWER
               : ratio <= 1 / (1 + least) ? VERDICT_FASTER
                                          : VERDICT_SAME,
               "");
}

static bool interval_is_within(Interval interval, double least)
{
    return interval.low > 1 / (1 + least) && interval.high < 1 + least;
}

static void judge_tested(ComparedRow *row, double least, bool by_sessions)
{
    const double ratio = row->ratio.estimate;
    const bool changed = row->corrected_p <= COMPARISON_ALPHA; // NAN is not
    const bool matters = ratio >= 1 + least || ratio <= 1 / (1 + least);
    if (isnan(ratio))
        decide(row, VERDICT_INCONCLUSIVE, "no samples to compare");
    else if (isnan(row->p_value))
        decide(row, VERDICT_INCONCLUSIVE,
               by_sessions ? "one session a side: how much sessions differ is unknown"
                           : "not tested");
    else if (changed && matters)
        decide(row, ratio > 1 ? VERDICT_SLOWER : VERDICT_FASTER, "");
    else if (isinf(row->visible))
        decide(row, VERDICT_INCONCLUSIVE,
               by_sessions ? "too few sessions to show any change"
                           : "too few samples to show any change");
    else if (changed || interval_is_within(row->ratio.interval, least) ||
             (!matters && row->visible <= COMPARISON_BLIND * least))
        decide(row, VERDICT_SAME, "");
    else
        decide(row, VERDICT_INCONCLUSIVE,
               matters ? "beyond what matters, but it may be chance"
                       : "no change seen, but one that matters could hide in the noise");
}

static void judge_row(Comparison *comparison, ComparedRow *row)
{
    const double least = comparison_row_least(comparison, row);
    if (row->verdict != VERDICT_COUNT)
        return;
    if (compared_metrics[row->metric].source)
        judge_exact(row, least);
    else
        judge_tested(row, least, comparison->by_sessions);
}

static const RowSide no_values = {.median = NAN, .variation = NAN};

static ComparedRow *add_row(Comparison *comparison, const MeasuredCell *cell, size_t metric)
{
    ComparedRow *row = &comparison->rows[comparison->row_count++];
    *row = (ComparedRow){.id = cell->id,
                         .group = cell->group,
                         .metric = metric,
                         .verdict = VERDICT_COUNT, // not judged yet
                         .side = {no_values, no_values},
                         .ratio = {NAN, {NAN, NAN}},
                         .p_value = NAN,
                         .corrected_p = NAN,
                         .effect = NAN,
                         .visible = NAN,
                         .reason = ""};
    return row;
}

static bool has_values(const MeasuredSide *side, const MeasuredCell *cell)
{
    for (size_t metric = 0; metric < COMPARED_METRICS; metric++)
        if (measured_values(side, cell, metric, NULL) > 0)
            return true;
    return false;
}

// Why a cell that both sides have cannot be compared; NULL: it can. Predictions come with the
// verification: they do not make up for samples that were never taken.
static const char *find_gap(const Comparison *comparison, const MeasuredCell *base,
                            const MeasuredCell *latest, Verdict *verdict)
{
    const MeasuredSide *const *side = comparison->side;
    const bool old_values = has_values(side[SIDE_BASE], base);
    const bool new_values = has_values(side[SIDE_NEW], latest);
    const bool old_times = measured_values(side[SIDE_BASE], base, COMPARED_TIME, NULL) > 0;
    const bool new_times = measured_values(side[SIDE_NEW], latest, COMPARED_TIME, NULL) > 0;
    *verdict = VERDICT_INCONCLUSIVE;
    if (base->failed)
        return "failed in BASE";
    if (!old_values && !new_values)
        return "no samples on either side";
    if (!old_values || (!old_times && new_times))
        return "not measured in BASE";
    *verdict = VERDICT_MISSING;
    return !new_values || (old_times && !new_times) ? "planned in NEW, but not measured" : NULL;
}

// A cell that cannot be compared gets one row. True: it could not be.
static bool judge_whole_cell(Comparison *comparison, const MeasuredCell *base,
                             const MeasuredCell *latest)
{
    Verdict verdict = VERDICT_FAILED;
    const char *reason = latest ? latest->reason : "not in NEW";
    if (!latest) {
        verdict = VERDICT_MISSING;
    } else if (!latest->failed && !base) {
        const bool measured = has_values(comparison->side[SIDE_NEW], latest);
        verdict = measured ? VERDICT_ADDED : VERDICT_INCONCLUSIVE;
        reason = measured ? "not in BASE" : "not in BASE, nor measured";
    } else if (!latest->failed) {
        reason = find_gap(comparison, base, latest, &verdict);
    }
    if (reason)
        decide(add_row(comparison, latest ? latest : base, COMPARED_TIME), verdict, reason);
    return reason != NULL;
}

// Times that no test can rest on.
static void disregard_time(const MeasuredCell *base, const MeasuredCell *latest, ComparedRow *row)
{
    if (base->above_roof || latest->above_roof)
        decide(row, VERDICT_EXCLUDED, "faster than the machine's measured peak");
    else if (base->stopped_early || latest->stopped_early)
        decide(row, VERDICT_INCONCLUSIVE,
               "stopped early (precision): a verdict needs a number of samples fixed beforehand");
    else
        return;
    row->p_value = NAN;
}

static bool add_cell(Comparison *comparison, const MeasuredCell *base, const MeasuredCell *latest)
{
    if (judge_whole_cell(comparison, base, latest))
        return true;
    for (size_t metric = 0; metric < COMPARED_METRICS; metric++) {
        if (measured_values(comparison->side[SIDE_BASE], base, metric, NULL) == 0 ||
            measured_values(comparison->side[SIDE_NEW], latest, metric, NULL) == 0)
            continue;
        ComparedRow *row = add_row(comparison, latest, metric);
        if (!comparison_test_row(comparison, base, latest, row))
            return false;
        if (metric == COMPARED_TIME)
            disregard_time(base, latest, row);
    }
    return true;
}

static bool add_cells(Comparison *comparison)
{
    const MeasuredSide *base = comparison->side[SIDE_BASE];
    const MeasuredSide *latest = comparison->side[SIDE_NEW];
    bool added = true;
    for (size_t i = 0; added && i < latest->cell_count; i++)
        added =
            add_cell(comparison, measured_cell_find(base, latest->cells[i].id), &latest->cells[i]);
    for (size_t i = 0; added && i < base->cell_count; i++)
        if (!measured_cell_find(latest, base->cells[i].id))
            added = add_cell(comparison, &base->cells[i], NULL);
    return added;
}

static bool correct(Comparison *comparison)
{
    double *p_values = calloc(comparison->row_count + 1, sizeof *p_values);
    if (!p_values)
        return false;
    for (size_t i = 0; i < comparison->row_count; i++) {
        p_values[i] = comparison->rows[i].p_value;
        comparison->test_count += isnan(p_values[i]) ? 0 : 1;
    }
    const bool corrected = stat_holm(p_values, comparison->row_count, p_values);
    for (size_t i = 0; corrected && i < comparison->row_count; i++)
        comparison->rows[i].corrected_p = p_values[i];
    free(p_values);
    return corrected;
}

static bool judge(Comparison *comparison)
{
    if (!correct(comparison) || !comparison_see(comparison))
        return false;
    for (size_t i = 0; i < comparison->row_count; i++) {
        judge_row(comparison, &comparison->rows[i]);
        comparison->count_of[comparison->rows[i].verdict]++;
    }
    // Means and fronts are of runs: one run against itself has neither.
    return comparison->options.along ||
           (comparison_group(comparison) && comparison_find_fronts(comparison));
}

static bool report_google(Comparison *comparison)
{
    const GoogleFile *base = comparison->side[SIDE_BASE]->google;
    const GoogleFile *latest = comparison->side[SIDE_NEW]->google;
    if (base && latest)
        comparison->google = google_report_make(base, latest);
    return comparison->google || !base || !latest;
}

Comparison *comparison_make(const MeasuredSide *base, const MeasuredSide *latest,
                            const ComparisonOptions *options)
{
    Comparison *comparison = calloc(1, sizeof *comparison);
    if (!comparison)
        return NULL;
    const size_t most_rows = (base->cell_count + latest->cell_count + 1) * COMPARED_METRICS;
    *comparison =
        (Comparison){.side = {base, latest},
                     .options = *options,
                     .by_sessions = base->kind == SIDE_BASELINE || latest->kind == SIDE_BASELINE,
                     .machines_differ = base->machine_key[0] && latest->machine_key[0] &&
                                        strcmp(base->machine_key, latest->machine_key) != 0,
                     .rows = calloc(most_rows, sizeof *comparison->rows)};
    if (comparison->rows && add_cells(comparison) && judge(comparison) && report_google(comparison))
        return comparison;
    comparison_free(comparison);
    return NULL;
}

void comparison_free(Comparison *comparison)
{
    if (!comparison)
        return;
    google_report_free(comparison->google);
    free(comparison->fronts);
    free(comparison->groups);
    free(comparison->rows);
    free(comparison);
}

bool comparison_row_decides(const Comparison *comparison, const ComparedRow *row)
{
    return !comparison->options.along || row->metric == COMPARED_TIME;
}

Verdict comparison_overall(const Comparison *comparison)
{
    Verdict overall = comparison->row_count > 0 ? VERDICT_SAME : VERDICT_INCONCLUSIVE;
    for (size_t i = 0; i < comparison->row_count; i++) {
        const ComparedRow *row = &comparison->rows[i];
        if (comparison_row_decides(comparison, row) &&
            verdict_table[row->verdict].gravity > verdict_table[overall].gravity)
            overall = row->verdict;
    }
    return overall;
}

bool comparison_raises_alarm(const Comparison *comparison)
{
    return comparison->count_of[VERDICT_FASTER] > 0 || comparison->count_of[VERDICT_SLOWER] > 0;
}

int comparison_exit_code(const Comparison *comparison)
{
    if (comparison->machines_differ)
        return EXIT_BASELINE;
    return verdict_table[comparison_overall(comparison)].exit_code;
}
