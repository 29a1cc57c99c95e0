// SPDX-License-Identifier: Apache-2.0
// cache_study_print.c - a study for people: a table of counts, their errors, and why some are not
// known.
#include "study/cache_study.h"

#include "common/text_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    CacheWay way;
    const char *head;
} count_columns[] = {
    {CACHE_REPLAY, "replayed"},
    {CACHE_SIMULATED, "simulated"},
    {CACHE_CALLGRIND, "callgrind"},
    {CACHE_MEASURED, "measured"},
};
enum { COUNT_COLUMNS = sizeof count_columns / sizeof count_columns[0] };

static void add_lines(TextTable *table, double lines)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.0f", lines);
    text_table_add(table, isnan(lines) ? "-" : text);
}

static void add_error(TextTable *table, double error)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.2f", 100 * error);
    text_table_add(table, isnan(error) ? "-" : text);
}

static void add_interval(TextTable *table, const CacheRow *row)
{
    char text[48];
    (void)snprintf(text, sizeof text, "%.0f..%.0f", row->low, row->high);
    text_table_add(table, isnan(row->low) || isnan(row->high) ? "-" : text);
}

static void add_heads(TextTable *table)
{
    char text[64];
    text_table_add(table, "cell");
    text_table_add(table, "level");
    text_table_add(table, "predicted");
    text_table_add(table, "interval");
    for (size_t i = 0; i < COUNT_COLUMNS; i++)
        text_table_add(table, count_columns[i].head);
    text_table_add(table, "counted by");
    for (size_t i = 0; i < CACHE_COMPARISONS; i++) {
        (void)snprintf(text, sizeof text, "%s %%", cache_comparisons[i].name);
        text_table_add(table, text);
    }
}

// A cell is named at the first of its levels.
static void add_row(TextTable *table, const CacheStudy *study, size_t index)
{
    char text[16];
    const CacheRow *row = &study->rows[index];
    const bool named = index > 0 && study->rows[index - 1].cell == row->cell;
    const CacheCountFound *measured = &row->counts[CACHE_MEASURED];
    text_table_add(table, named ? "" : study->run->plan->cells[row->cell].id);
    (void)snprintf(text, sizeof text, "L%d", row->level);
    text_table_add(table, text);
    add_lines(table, row->counts[CACHE_FORMULA].lines);
    add_interval(table, row);
    for (size_t i = 0; i < COUNT_COLUMNS; i++)
        add_lines(table, row->counts[count_columns[i].way].lines);
    text_table_add(table, isnan(measured->lines) ? "-" : measured->source);
    for (CacheComparison kind = 0; kind < CACHE_COMPARISONS; kind++)
        add_error(table, cache_row_error(row, kind));
}

static bool print_rows(const CacheStudy *study, FILE *out)
{
    TextTable *table = text_table_create(5 + COUNT_COLUMNS + CACHE_COMPARISONS);
    if (!table)
        return false;
    add_heads(table);
    for (size_t i = 0; i < study->row_count; i++)
        add_row(table, study, i);
    const bool printed = text_table_print(table, "  ", out);
    text_table_free(table);
    return printed;
}

static void add_group(TextTable *table, const CacheGroup *group, CacheComparison kind)
{
    char text[32];
    const CacheErrors *errors = &group->errors[kind];
    text_table_add(table, cache_comparisons[kind].help);
    text_table_add(table, group->op);
    text_table_add(table, group->simd);
    (void)snprintf(text, sizeof text, "L%d", group->level);
    text_table_add(table, text);
    (void)snprintf(text, sizeof text, "%zu", errors->count);
    text_table_add(table, text);
    add_error(table, errors->median);
    add_error(table, errors->p90);
    add_error(table, errors->most);
}

static bool print_groups(const CacheGroup *groups, size_t count, FILE *out)
{
    static const char *const heads[] = {"error", "operation", "SIMD",         "level",
                                        "cells", "median %",  "90th perc. %", "largest %"};
    enum { COLUMNS = sizeof heads / sizeof heads[0] };
    TextTable *table = text_table_create(COLUMNS);
    if (!table)
        return false;
    for (size_t i = 0; i < COLUMNS; i++)
        text_table_add(table, heads[i]);
    for (CacheComparison kind = 0; kind < CACHE_COMPARISONS; kind++)
        for (size_t i = 0; i < count; i++)
            if (groups[i].errors[kind].count)
                add_group(table, &groups[i], kind);
    const bool printed = text_table_print(table, "  ", out);
    text_table_free(table);
    return printed;
}

static bool was_said(const CacheStudy *study, size_t row, size_t way, const char *reason)
{
    for (size_t i = 0; i < row; i++) {
        const CacheCountFound *count = &study->rows[i].counts[way];
        if (isnan(count->lines) && strcmp(count->reason, reason) == 0)
            return true;
    }
    return false;
}

// Every way and reason once.
static void print_reasons(const CacheStudy *study, FILE *out)
{
    static const char *const names[CACHE_WAYS] = {
        [CACHE_FORMULA] = "not predicted",      [CACHE_REPLAY] = "not replayed",
        [CACHE_SIMULATED] = "not simulated",    [CACHE_ACCESSES] = NULL,
        [CACHE_CALLGRIND] = "not by callgrind", [CACHE_MEASURED] = "not measured"};
    for (CacheWay way = 0; way < CACHE_WAYS; way++)
        for (size_t i = 0; names[way] && i < study->row_count; i++) {
            const CacheRow *row = &study->rows[i];
            const CacheCountFound *count = &row->counts[way];
            if (isnan(count->lines) && !was_said(study, i, way, count->reason))
                (void)fprintf(out, "%s, first in L%d of %s: %s\n", names[way], row->level,
                              study->run->plan->cells[row->cell].id, count->reason);
        }
}

// Nothing may be taken for measured on hardware that was not.
static void print_truth(const CacheStudy *study, FILE *out)
{
    size_t measured = 0;
    for (size_t i = 0; i < study->row_count; i++)
        measured += isnan(study->rows[i].counts[CACHE_MEASURED].lines) ? 0 : 1;
    const json_t *cpu = json_object_get(study->run->machine, "cpu");
    const char *name = json_string_value(json_object_get(cpu, "model_name"));
    const char *key = json_string_value(json_object_get(study->run->machine, "key"));
    if (measured)
        (void)fprintf(out,
                      "\n%zu of %zu counts were measured by the hardware counters of %s (machine "
                      "key %s).\n",
                      measured, study->row_count, name ? name : "an unnamed CPU",
                      key ? key : "unknown");
    else
        (void)fprintf(out,
                      "\nNothing here was measured on hardware: counts are predicted (formula, "
                      "replay) or simulated (sim, callgrind).\n");
}

bool cache_study_print(const CacheStudy *study, FILE *out)
{
    size_t count = 0;
    CacheGroup *groups = cache_study_groups(study, &count);
    (void)fprintf(out, "Lines brought into each cache level in one iteration, from empty caches; "
                       "measured: as the axis cache_state leaves them.\n\n");
    bool printed = groups && print_rows(study, out);
    (void)fprintf(out, "\nErrors: |first - second| / max(second, 6400 lines)\n\n");
    printed = printed && print_groups(groups, count, out);
    free(groups);
    print_truth(study, out);
    print_reasons(study, out);
    return printed;
}
