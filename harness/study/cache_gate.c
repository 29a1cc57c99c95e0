// SPDX-License-Identifier: Apache-2.0
#include "study/cache_gate.h"

#include "common/json_fields.h"
#include "common/text_table.h"

#include <math.h>
#include <string.h>

// What the model has been held to since its first version. Callgrind lays other arrays out than the
// simulator, which tells where a level is nearly full. Nor do predictions know what a network reads
// beside its tensors, some hundred lines, and where its memory lies.
const CacheTolerance cache_tolerances[] = {
    {CACHE_FORMULA_ERROR, 1, CACHE_AUTOMATIC_BLOCKS, CACHE_MOST, 0, 0.02},
    {CACHE_FORMULA_ERROR, 2, CACHE_AUTOMATIC_BLOCKS, CACHE_MOST, 0, 0.05},
    {CACHE_FORMULA_ERROR, 1, CACHE_GIVEN_BLOCKS, CACHE_MEDIAN, 0, 0.02},
    {CACHE_FORMULA_ERROR, 2, CACHE_GIVEN_BLOCKS, CACHE_MEDIAN, 0, 0.05},
    {CACHE_FORMULA_ERROR, 1, CACHE_GIVEN_BLOCKS, CACHE_P90, 0, 0.10},
    {CACHE_FORMULA_ERROR, 2, CACHE_GIVEN_BLOCKS, CACHE_P90, 0, 0.15},
    {CACHE_FORMULA_ERROR, 1, CACHE_NETWORKS, CACHE_MEDIAN, 0, 0.02},
    {CACHE_FORMULA_ERROR, 2, CACHE_NETWORKS, CACHE_MEDIAN, 0, 0.05},
    {CACHE_FORMULA_ERROR, 1, CACHE_NETWORKS, CACHE_MOST, 0, 0.20},
    {CACHE_FORMULA_ERROR, 2, CACHE_NETWORKS, CACHE_MOST, 0, 0.15},
    {CACHE_REPLAY_ERROR, 1, CACHE_ALL_BLOCKS, CACHE_MEDIAN, 0, 0.001},
    {CACHE_REPLAY_ERROR, 2, CACHE_ALL_BLOCKS, CACHE_MEDIAN, 0, 0.001},
    {CACHE_REPLAY_ERROR, 1, CACHE_ALL_BLOCKS, CACHE_MOST, 0, 0.01},
    {CACHE_REPLAY_ERROR, 2, CACHE_ALL_BLOCKS, CACHE_MOST, 0, 0.01},
    {CACHE_REPLAY_ERROR, 1, CACHE_NETWORKS, CACHE_MOST, 0, 0.05},
    {CACHE_REPLAY_ERROR, 2, CACHE_NETWORKS, CACHE_MOST, 0, 0.05},
    {CACHE_SIMULATOR_ERROR, 1, CACHE_ALL_BLOCKS, CACHE_MOST, 0, 0.02},
    {CACHE_SIMULATOR_ERROR, 2, CACHE_ALL_BLOCKS, CACHE_MOST, 0.75, 0.025},
};
const size_t cache_tolerance_count = sizeof cache_tolerances / sizeof cache_tolerances[0];

static bool is_judged(const CacheStudy *study, const CacheRow *row, const void *context)
{
    const CacheTolerance *tolerance = context;
    const bool network = cache_study_is_network(study, row);
    const bool automatic = cache_study_is_automatic(study, row);
    if (row->level != tolerance->level || network != (tolerance->blocks == CACHE_NETWORKS) ||
        (tolerance->blocks == CACHE_AUTOMATIC_BLOCKS && !automatic) ||
        (tolerance->blocks == CACHE_GIVEN_BLOCKS && automatic))
        return false;
    return tolerance->share == 0 || cache_study_share(study, row) <= tolerance->share;
}

static double choose_error(const CacheErrors *errors, CacheStatistic statistic)
{
    const double values[] = {errors->median, errors->p90, errors->most};
    return values[statistic];
}

bool cache_gate_judge(const CacheStudy *study, CacheGateRow *rows, CacheGateOutcome *outcome)
{
    bool any = false;
    bool broken = false;
    for (size_t i = 0; i < cache_tolerance_count; i++) {
        const CacheTolerance *tolerance = &cache_tolerances[i];
        CacheErrors errors;
        if (!cache_study_errors(study, tolerance->comparison, is_judged, tolerance, &errors))
            return false;
        rows[i] = (CacheGateRow){tolerance, errors.count,
                                 choose_error(&errors, tolerance->statistic), false};
        rows[i].broken = errors.count && rows[i].error > tolerance->most_error;
        any = any || errors.count;
        broken = broken || rows[i].broken;
    }
    *outcome = !any ? CACHE_GATE_UNJUDGED : broken ? CACHE_GATE_BROKEN : CACHE_GATE_PASSED;
    return true;
}

static const char *const statistic_words[] = {"median", "90th percentile", "largest"};
static const char *const block_words[] = {"", ", automatic blocks", ", given blocks", ", networks"};
static const char *const outcome_words[] = {"passed", "broken", "unjudged"};

void cache_gate_describe(const CacheTolerance *tolerance, char *text, size_t text_bytes)
{
    (void)snprintf(text, text_bytes, "%s, L%d%s: %s error",
                   cache_comparisons[tolerance->comparison].help, tolerance->level,
                   block_words[tolerance->blocks], statistic_words[tolerance->statistic]);
    const size_t used = strlen(text);
    if (tolerance->share > 0)
        (void)snprintf(text + used, text_bytes - used, ", operands up to %g %% of the level",
                       100 * tolerance->share);
}

static void add_row(TextTable *table, const CacheGateRow *row)
{
    char text[160];
    cache_gate_describe(row->tolerance, text, sizeof text);
    text_table_add(table, text);
    (void)snprintf(text, sizeof text, "%zu", row->count);
    text_table_add(table, text);
    (void)snprintf(text, sizeof text, "%.3g %%", 100 * row->error);
    text_table_add(table, row->count ? text : "-");
    (void)snprintf(text, sizeof text, "%.3g %%", 100 * row->tolerance->most_error);
    text_table_add(table, text);
    text_table_add(table, row->broken ? "BROKEN" : row->count ? "kept" : "not judged");
}

bool cache_gate_print(const CacheGateRow *rows, CacheGateOutcome outcome, FILE *out)
{
    static const char *const heads[] = {"tolerance", "levels", "found", "allowed", "verdict"};
    enum { COLUMNS = sizeof heads / sizeof heads[0] };
    TextTable *table = text_table_create(COLUMNS);
    if (!table)
        return false;
    for (size_t i = 0; i < COLUMNS; i++)
        text_table_add(table, heads[i]);
    for (size_t i = 0; i < cache_tolerance_count; i++)
        add_row(table, &rows[i]);
    (void)fprintf(out, "\n");
    const bool printed = text_table_print(table, "  ", out);
    text_table_free(table);
    (void)fprintf(out, "\ngate: %s\n",
                  outcome == CACHE_GATE_UNJUDGED ? "nothing to judge by" : outcome_words[outcome]);
    return printed;
}

bool cache_gate_to_json(const CacheGateRow *rows, CacheGateOutcome outcome, json_t *document)
{
    json_t *list = json_array();
    bool told = list != NULL;
    for (size_t i = 0; told && i < cache_tolerance_count; i++) {
        const CacheTolerance *tolerance = rows[i].tolerance;
        told =
            json_array_append_new(
                list, json_pack("{s:s, s:i, s:s, s:s, s:f, s:f, s:i, s:o, s:b}", "comparison",
                                cache_comparisons[tolerance->comparison].name, "level",
                                tolerance->level, "blocks",
                                tolerance->blocks == CACHE_ALL_BLOCKS
                                    ? "all"
                                    : block_words[tolerance->blocks] + 2,
                                "statistic", statistic_words[tolerance->statistic], "operand_share",
                                tolerance->share, "tolerance", tolerance->most_error, "count",
                                (int)rows[i].count, "error", json_number_or_null(rows[i].error),
                                "broken", (int)rows[i].broken)) == 0;
    }
    told = told && json_object_set(document, "tolerances", list) == 0 &&
           json_object_set_new(document, "gate", json_string(outcome_words[outcome])) == 0;
    json_decref(list);
    return told;
}
