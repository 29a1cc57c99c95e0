// SPDX-License-Identifier: Apache-2.0
#include "study/cache_study.h"

#include "machine/geometry.h"
#include "stats/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double least_lines = 6400;

const CacheComparisonKind cache_comparisons[CACHE_COMPARISONS] = {
    [CACHE_FORMULA_ERROR] = {"formula", "closed form against simulation", CACHE_FORMULA,
                             CACHE_SIMULATED},
    [CACHE_REPLAY_ERROR] = {"replay", "replay against simulation", CACHE_REPLAY, CACHE_SIMULATED},
    [CACHE_SIMULATOR_ERROR] = {"simulator", "simulation against callgrind", CACHE_ACCESSES,
                               CACHE_CALLGRIND},
    [CACHE_HARDWARE_ERROR] = {"hardware", "closed form against hardware counters", CACHE_FORMULA,
                              CACHE_MEASURED},
};

// Recorded values whose sum is a count.
enum { MOST_TERMS = 4, COUNT_CHOICES = 4 };
typedef struct CountNames {
    const char *terms[MOST_TERMS];
    const char *shown; // NULL: the first term
} CountNames;

// Zen 3 and later count lines brought into L1 by where they come from.
#define AMD_FILLS(origin) "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:" origin
#define AMD_BEYOND_L2 AMD_FILLS("INT_CACHE"), AMD_FILLS("EXT_CACHE_LCL"), AMD_FILLS("MEM_IO_LCL")

// By way and level; the first that has a value counts.
static const CountNames count_names[CACHE_WAYS][CACHE_STUDY_LEVELS][COUNT_CHOICES] = {
#define ONE(name)                                                                                  \
    {                                                                                              \
        .terms = { name }                                                                          \
    }
#define LEVELS(before, after)                                                                      \
    {                                                                                              \
        {ONE(before "1" after)}, {ONE(before "2" after)},                                          \
        {                                                                                          \
            ONE(before "3" after)                                                                  \
        }                                                                                          \
    }
    [CACHE_FORMULA] = LEVELS("predicted.L", ".fills"),
    [CACHE_REPLAY] = LEVELS("replay.cold.L", ".fills"),
    [CACHE_SIMULATED] = LEVELS("sim.cold.L", ".fills"),
    [CACHE_ACCESSES] = LEVELS("sim.cold.L", ".access_fills"),
    [CACHE_CALLGRIND] = LEVELS("callgrind.cold.L", ".misses"),
    [CACHE_MEASURED] = {{ONE("L1D:REPLACEMENT"),
                         {{AMD_FILLS("LCL_L2"), AMD_BEYOND_L2}, "ANY_DATA_CACHE_FILLS"},
                         ONE("PAPI_L1_DCM"),
                         ONE("perf.L1-dcache-load-misses")},
                        {ONE("L2_LINES_IN:ALL"),
                         {{AMD_BEYOND_L2}, "ANY_DATA_CACHE_FILLS beyond L2"},
                         ONE("PAPI_L2_DCM")},
                        {ONE("PAPI_L3_TCM"), ONE("perf.LLC-load-misses")}},
#undef LEVELS
#undef ONE
};

static const char *const absent_reasons[CACHE_WAYS] = {
    [CACHE_FORMULA] = "no prediction for this level",
    [CACHE_REPLAY] = "not among the counters of this sweep",
    [CACHE_SIMULATED] = "not among the counters of this sweep",
    [CACHE_ACCESSES] = "not among the counters of this sweep",
    [CACHE_CALLGRIND] = "not among the counters of this sweep",
    [CACHE_MEASURED] = "not among the counters of this sweep",
};

double cache_row_error(const CacheRow *row, CacheComparison comparison)
{
    const CacheComparisonKind *kind = &cache_comparisons[comparison];
    const double predicted = row->counts[kind->predicted].lines;
    const double measured = row->counts[kind->measured].lines;
    if (isnan(predicted) || isnan(measured))
        return NAN;
    return fabs(predicted - measured) / (measured > least_lines ? measured : least_lines);
}

// Of the verification and the counting passes: one with a value before one with a reason.
static const SampleValue *find_value(const CellSummary *summary, const char *name)
{
    const SampleValue *found = NULL;
    for (size_t i = 0; i < summary->record_count && !(found && !isnan(found->value)); i++) {
        const SampleTask task = summary->records[i]->task;
        if (task != SAMPLE_VERIFY && task != SAMPLE_COUNT)
            continue;
        const SampleValue *value = sample_find_value(summary->records[i], name);
        found = value ? value : found;
    }
    return found;
}

// A sum is unknown where one of its terms is, for the reason of that one.
static bool sum_terms(const CellSummary *summary, const CountNames *names, CacheCountFound *count)
{
    double lines = 0;
    for (size_t i = 0; i < MOST_TERMS && names->terms[i]; i++) {
        const SampleValue *value = find_value(summary, names->terms[i]);
        if (!value)
            return false;
        *count = (CacheCountFound){value->value, names->shown ? names->shown : value->name,
                                   value->provenance, value->reason};
        if (isnan(value->value))
            return true;
        lines += value->value;
    }
    count->lines = lines;
    return true;
}

static CacheCountFound find_count(const CellSummary *summary, CacheWay way, int level)
{
    CacheCountFound found = {
        .lines = NAN, .source = "", .provenance = "unavailable", .reason = absent_reasons[way]};
    for (size_t i = 0; i < COUNT_CHOICES && isnan(found.lines); i++) {
        const CountNames *names = &count_names[way][level - 1][i];
        CacheCountFound count = found;
        if (names->terms[0] && sum_terms(summary, names, &count))
            found = count;
    }
    return found;
}

static double find_bound(const CellSummary *summary, int level, const char *bound)
{
    char name[48];
    (void)snprintf(name, sizeof name, "predicted.L%d.misses_%s", level, bound);
    const SampleValue *value = find_value(summary, name);
    return value ? value->value : (double)NAN;
}

// Counts of another geometry are none of this machine's hardware.
static const char *find_foreign_reason(const Cell *cell)
{
    const char *geometry = cell->values[AXIS_GEOMETRY].text;
    return geometry && strcmp(geometry, GEOMETRY_HERE) != 0
               ? "the geometry is that of another machine"
               : NULL;
}

static bool make_row(const CacheStudy *study, size_t cell, int level, CacheRow *row)
{
    const CellSummary *summary = &study->summaries[cell];
    const char *foreign = find_foreign_reason(&study->run->plan->cells[cell]);
    bool known = false;
    *row = (CacheRow){.cell = cell,
                      .level = level,
                      .low = find_bound(summary, level, "low"),
                      .high = find_bound(summary, level, "high")};
    for (CacheWay way = 0; way < CACHE_WAYS; way++) {
        row->counts[way] = find_count(summary, way, level);
        if (way == CACHE_MEASURED && foreign)
            row->counts[way] =
                (CacheCountFound){NAN, row->counts[way].source, "unavailable", foreign};
        known = known || !isnan(row->counts[way].lines);
    }
    return known;
}

bool cache_study_make(const RunRecord *run, const CellSummary *summaries, CacheStudy *study)
{
    const size_t cells = run->plan->cell_count;
    *study = (CacheStudy){.run = run,
                          .summaries = summaries,
                          .rows = calloc(cells * CACHE_STUDY_LEVELS + 1, sizeof *study->rows)};
    for (size_t i = 0; study->rows && i < cells; i++)
        for (int level = 1; level <= CACHE_STUDY_LEVELS && !summaries[i].failed; level++)
            study->row_count += make_row(study, i, level, &study->rows[study->row_count]) ? 1 : 0;
    return study->rows != NULL;
}

void cache_study_clear(CacheStudy *study)
{
    free(study->rows);
    *study = (CacheStudy){.rows = NULL};
}

static const Cell *find_cell(const CacheStudy *study, const CacheRow *row)
{
    return &study->run->plan->cells[row->cell];
}

const char *cache_study_op(const CacheStudy *study, const CacheRow *row)
{
    const Cell *cell = find_cell(study, row);
    if (!cell->workload->uses(cell->values, AXIS_OP))
        return cell->workload->name;
    return axis_word(AXIS_OP, cell->values[AXIS_OP]);
}

bool cache_study_is_automatic(const CacheStudy *study, const CacheRow *row)
{
    const Cell *cell = find_cell(study, row);
    return !cell->workload->uses(cell->values, AXIS_BLOCK_SIZE) ||
           cell->values[AXIS_BLOCK_SIZE].integer == 0;
}

bool cache_study_is_network(const CacheStudy *study, const CacheRow *row)
{
    const Cell *cell = find_cell(study, row);
    return cell->workload->uses(cell->values, AXIS_MODEL);
}

double cache_study_share(const CacheStudy *study, const CacheRow *row)
{
    char name[48];
    (void)snprintf(name, sizeof name, "geometry.L%d.size_bytes", row->level);
    const SampleValue *size = find_value(&study->summaries[row->cell], name);
    const SampleValue *operands = find_value(&study->summaries[row->cell], "bytes");
    return size && operands ? operands->value / size->value : (double)NAN;
}

bool cache_study_errors(const CacheStudy *study, CacheComparison comparison, CacheRowFilter takes,
                        const void *context, CacheErrors *errors)
{
    double *values = calloc(study->row_count + 1, sizeof *values);
    size_t count = 0;
    for (size_t i = 0; values && i < study->row_count; i++) {
        if (takes && !takes(study, &study->rows[i], context))
            continue;
        values[count] = cache_row_error(&study->rows[i], comparison);
        count += isnan(values[count]) ? 0 : 1;
    }
    *errors = (CacheErrors){.count = count,
                            .median = stat_median(values, count),
                            .p90 = stat_quantile(values, count, 0.9),
                            .most = stat_quantile(values, count, 1)};
    free(values);
    return values != NULL;
}

static const char *find_simd(const CacheStudy *study, const CacheRow *row)
{
    return metrics_level(study->run, &study->summaries[row->cell]);
}

static bool is_of_group(const CacheStudy *study, const CacheRow *row, const void *context)
{
    const CacheGroup *group = context;
    return row->level == group->level && strcmp(cache_study_op(study, row), group->op) == 0 &&
           strcmp(find_simd(study, row), group->simd) == 0;
}

CacheGroup *cache_study_groups(const CacheStudy *study, size_t *count)
{
    CacheGroup *groups = calloc(study->row_count + 1, sizeof *groups);
    bool enough = groups != NULL;
    *count = 0;
    for (size_t i = 0; enough && i < study->row_count; i++) {
        const CacheRow *row = &study->rows[i];
        size_t at = 0;
        while (at < *count && !is_of_group(study, row, &groups[at]))
            at++;
        if (at < *count)
            continue;
        CacheGroup *group = &groups[(*count)++];
        group->op = cache_study_op(study, row);
        group->simd = find_simd(study, row);
        group->level = row->level;
        for (CacheComparison kind = 0; enough && kind < CACHE_COMPARISONS; kind++)
            enough = cache_study_errors(study, kind, is_of_group, group, &group->errors[kind]);
    }
    if (enough)
        return groups;
    free(groups);
    return NULL;
}
