// SPDX-License-Identifier: Apache-2.0
#include "report/comparison.h"

#include "cli/command.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_code;
} verdict_table[VERDICT_COUNT] = {
    [VERDICT_SAME] = {"same", EXIT_OK},
    [VERDICT_FASTER] = {"faster", EXIT_OK},
    [VERDICT_SLOWER] = {"slower", EXIT_REGRESSION},
    [VERDICT_INCONCLUSIVE] = {"inconclusive", EXIT_INCONCLUSIVE},
    [VERDICT_EXCLUDED] = {"excluded", EXIT_INCONCLUSIVE},
    [VERDICT_FAILED] = {"failed", EXIT_CELL},
    [VERDICT_MISSING] = {"missing", EXIT_CELL},
    [VERDICT_ADDED] = {"added", EXIT_OK},
};

const char *comparison_verdict_name(Verdict verdict)
{
    return verdict_table[verdict].name;
}

static ComparedTime read_time(const RunRecord *run, const CellSummary *summary)
{
    return (ComparedTime){.samples = summary->sample_count,
                          .median_ns = metric_value("time_ns", run, summary),
                          .interval_ns = {metric_value("time_low_ns", run, summary),
                                          metric_value("time_high_ns", run, summary)},
                          .variation = metric_value("time_variation", run, summary)};
}

static const ComparedTime no_time = {.median_ns = NAN, .interval_ns = {NAN, NAN}, .variation = NAN};

static const CellSummary *find_by_id(const RunRecord *run, const CellSummary *summaries,
                                     const char *id)
{
    for (size_t i = 0; i < run->plan->cell_count; i++)
        if (strcmp(run->plan->cells[i].id, id) == 0)
            return &summaries[i];
    return NULL;
}

static Verdict set_verdict(ComparedCell *cell, Verdict verdict, const char *reason)
{
    (void)snprintf(cell->reason, sizeof cell->reason, "%s", reason);
    return verdict;
}

// Both sides have a median.
static Verdict judge_ratio(ComparedCell *cell, double threshold)
{
    const Interval base = cell->time[SIDE_BASE].interval_ns;
    const Interval latest = cell->time[SIDE_NEW].interval_ns;
    if (isnan(base.low) || isnan(latest.low))
        return set_verdict(cell, VERDICT_INCONCLUSIVE, "fewer than 6 samples: no interval");
    if (cell->ratio <= 1 + threshold && cell->ratio >= 1 / (1 + threshold))
        return VERDICT_SAME;
    if (latest.low > base.high)
        return VERDICT_SLOWER;
    if (latest.high < base.low)
        return VERDICT_FASTER;
    return set_verdict(cell, VERDICT_INCONCLUSIVE,
                       "beyond the threshold, but the intervals overlap");
}

static Verdict judge_cell(const Comparison *comparison, ComparedCell *cell, const CellSummary *base,
                          const CellSummary *latest)
{
    if (latest && latest->failed)
        return set_verdict(cell, VERDICT_FAILED, latest->reason);
    if (!latest || latest->sample_count == 0)
        return set_verdict(cell, VERDICT_MISSING,
                           latest ? "planned in NEW, but not measured" : "not planned in NEW");
    if (!base)
        return set_verdict(cell, VERDICT_ADDED, "not planned in BASE");
    if (base->failed || base->sample_count == 0)
        return set_verdict(cell, VERDICT_INCONCLUSIVE,
                           base->failed ? "failed in BASE" : "not measured in BASE");
    cell->ratio = cell->time[SIDE_NEW].median_ns / cell->time[SIDE_BASE].median_ns;
    if (metric_value("above_roof", comparison->run[SIDE_BASE], base) == 1 ||
        metric_value("above_roof", comparison->run[SIDE_NEW], latest) == 1)
        return set_verdict(cell, VERDICT_EXCLUDED, "faster than the machine's measured peak");
    return judge_ratio(cell, comparison->threshold);
}

static void add_cell(Comparison *comparison, const char *id, const CellSummary *base,
                     const CellSummary *latest)
{
    ComparedCell *cell = &comparison->cells[comparison->cell_count++];
    *cell = (ComparedCell){.id = id, .ratio = NAN, .time = {no_time, no_time}};
    if (base)
        cell->time[SIDE_BASE] = read_time(comparison->run[SIDE_BASE], base);
    if (latest)
        cell->time[SIDE_NEW] = read_time(comparison->run[SIDE_NEW], latest);
    cell->verdict = judge_cell(comparison, cell, base, latest);
    comparison->count_of[cell->verdict]++;
}

static void add_cells(Comparison *comparison, const CellSummary *base_cells,
                      const CellSummary *new_cells)
{
    const RunRecord *base = comparison->run[SIDE_BASE];
    const RunRecord *latest = comparison->run[SIDE_NEW];
    for (size_t i = 0; i < latest->plan->cell_count; i++) {
        const char *id = latest->plan->cells[i].id;
        add_cell(comparison, id, find_by_id(base, base_cells, id), &new_cells[i]);
    }
    for (size_t i = 0; i < base->plan->cell_count; i++) {
        const char *id = base->plan->cells[i].id;
        if (!find_by_id(latest, new_cells, id))
            add_cell(comparison, id, &base_cells[i], NULL);
    }
}

Comparison *comparison_make(const RunRecord *base, const RunRecord *latest, double threshold)
{
    Comparison *comparison = calloc(1, sizeof *comparison);
    CellSummary *base_cells = metrics_summarise(base);
    CellSummary *new_cells = metrics_summarise(latest);
    const size_t most = base->plan->cell_count + latest->plan->cell_count + 1;
    ComparedCell *cells = calloc(most, sizeof *cells);
    if (comparison && base_cells && new_cells && cells) {
        *comparison = (Comparison){.run = {base, latest}, .threshold = threshold, .cells = cells};
        add_cells(comparison, base_cells, new_cells);
    } else {
        free(cells);
        free(comparison);
        comparison = NULL;
    }
    metrics_free(base_cells, base->plan->cell_count);
    metrics_free(new_cells, latest->plan->cell_count);
    return comparison;
}

void comparison_free(Comparison *comparison)
{
    if (!comparison)
        return;
    free(comparison->cells);
    free(comparison);
}

Verdict comparison_overall(const Comparison *comparison)
{
    static const Verdict gravest_first[] = {VERDICT_FAILED,       VERDICT_MISSING,  VERDICT_SLOWER,
                                            VERDICT_INCONCLUSIVE, VERDICT_EXCLUDED, VERDICT_FASTER};
    for (size_t i = 0; i < sizeof gravest_first / sizeof *gravest_first; i++)
        if (comparison->count_of[gravest_first[i]])
            return gravest_first[i];
    return VERDICT_SAME;
}

int comparison_exit_code(const Comparison *comparison)
{
    return verdict_table[comparison_overall(comparison)].exit_code;
}
