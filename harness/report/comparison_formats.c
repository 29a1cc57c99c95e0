// SPDX-License-Identifier: Apache-2.0
#include "report/comparison.h"
#include "report/format.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const side_names[SIDE_COUNT] = {"BASE", "NEW"};

// "commit" of machine.json's "build"; NULL if unknown.
static const char *find_commit(const RunRecord *run)
{
    return json_string_value(json_object_get(json_object_get(run->machine, "build"), "commit"));
}

static const char *find_machine_key(const RunRecord *run)
{
    return json_string_value(json_object_get(run->machine, "key"));
}

static const char *text_or_unknown(const char *text)
{
    return text ? text : "unknown";
}

static bool machines_differ(const Comparison *comparison)
{
    const char *base = find_machine_key(comparison->run[SIDE_BASE]);
    const char *latest = find_machine_key(comparison->run[SIDE_NEW]);
    return !base || !latest || strcmp(base, latest) != 0;
}

#define MACHINES_DIFFER                                                                            \
    "the machine keys differ or are unknown: the ratios compare machines as well as revisions"

// What the verdicts rest on, for people and in the JSON.
static void write_grounds(const Comparison *comparison, char *text, size_t text_bytes)
{
    (void)snprintf(
        text, text_bytes,
        "Ratio: median of NEW / median of BASE, below 1 is faster; samples are processes. "
        "Beyond %g %% (ratio above %.4g or below %.4g) with non-overlapping 95 %% order-statistic "
        "intervals of the two medians a cell is slower or faster; within it is the same; with "
        "overlapping intervals, or with fewer than %d samples on a side, it is inconclusive. "
        "No correction for the number of cells is made.",
        comparison->threshold * 100, 1 + comparison->threshold, 1 / (1 + comparison->threshold),
        METRIC_LEAST_SAMPLES);
}

static void write_totals(const Comparison *comparison, FILE *out)
{
    (void)fprintf(out, "%zu cells:", comparison->cell_count);
    const char *separator = " ";
    for (Verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        if (comparison->count_of[verdict] == 0)
            continue;
        (void)fprintf(out, "%s%zu %s", separator, comparison->count_of[verdict],
                      comparison_verdict_name(verdict));
        separator = ", ";
    }
    (void)fprintf(out, "\n");
}

enum { COLUMN_COUNT = 8 };
static const char *const column_titles[COLUMN_COUNT] = {
    "verdict",           "ratio",   "BASE median", "BASE 95 % interval", "NEW median",
    "NEW 95 % interval", "samples", "CV"};

typedef struct Row {
    char text[COLUMN_COUNT][FORMAT_BYTES * 2 + 8];
} Row;

static void write_row(const ComparedCell *cell, Row *row)
{
    const ComparedTime *base = &cell->time[SIDE_BASE];
    const ComparedTime *latest = &cell->time[SIDE_NEW];
    (void)snprintf(row->text[0], sizeof row->text[0], "%s", comparison_verdict_name(cell->verdict));
    format_number(cell->ratio, 4, row->text[1]);
    format_time(base->median_ns, row->text[2]);
    format_time_interval(base->interval_ns.low, base->interval_ns.high, row->text[3]);
    format_time(latest->median_ns, row->text[4]);
    format_time_interval(latest->interval_ns.low, latest->interval_ns.high, row->text[5]);
    (void)snprintf(row->text[6], sizeof row->text[6], "%zu / %zu", base->samples, latest->samples);
    char spread[SIDE_COUNT][FORMAT_BYTES];
    format_percent(base->variation, spread[SIDE_BASE]);
    format_percent(latest->variation, spread[SIDE_NEW]);
    (void)snprintf(row->text[7], sizeof row->text[7], "%s / %s", spread[SIDE_BASE],
                   spread[SIDE_NEW]);
}

// Columns on the terminal, not bytes: UTF-8 continuation bytes take none.
static int text_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void write_padded(FILE *out, const char *text, int width)
{
    (void)fprintf(out, "%s%*s  ", text, width - text_width(text), "");
}

static bool write_text(const Comparison *comparison, FILE *out)
{
    for (ComparedSide side = 0; side < SIDE_COUNT; side++) {
        const RunRecord *run = comparison->run[side];
        (void)fprintf(out, "%-4s  %s\n      scenario %s, plan %s, commit %s, machine %s\n",
                      side_names[side], run->path, run->plan->scenario, run->plan->hash,
                      text_or_unknown(find_commit(run)), text_or_unknown(find_machine_key(run)));
    }
    if (machines_differ(comparison))
        (void)fprintf(out, "note: %s\n", MACHINES_DIFFER);
    int widths[COLUMN_COUNT];
    Row *rows = calloc(comparison->cell_count + 1, sizeof *rows);
    if (!rows)
        return false;
    for (size_t column = 0; column < COLUMN_COUNT; column++)
        widths[column] = text_width(column_titles[column]);
    for (size_t i = 0; i < comparison->cell_count; i++) {
        write_row(&comparison->cells[i], &rows[i]);
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            const int width = text_width(rows[i].text[column]);
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
    (void)fputc('\n', out);
    for (size_t column = 0; column < COLUMN_COUNT; column++)
        write_padded(out, column_titles[column], widths[column]);
    (void)fprintf(out, "cell\n");
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const ComparedCell *cell = &comparison->cells[i];
        for (size_t column = 0; column < COLUMN_COUNT; column++)
            write_padded(out, rows[i].text[column], widths[column]);
        (void)fprintf(out, "%s%s%s\n", cell->id, cell->reason[0] ? "  # " : "", cell->reason);
    }
    free(rows);
    char grounds[768];
    write_grounds(comparison, grounds, sizeof grounds);
    (void)fputc('\n', out);
    write_totals(comparison, out);
    (void)fprintf(out, "%s\n\noverall: %s (exit code %d)\n", grounds,
                  comparison_verdict_name(comparison_overall(comparison)),
                  comparison_exit_code(comparison));
    return true;
}

static bool write_markdown(const Comparison *comparison, FILE *out)
{
    (void)fprintf(out, "## Comparison: %s\n\n",
                  comparison_verdict_name(comparison_overall(comparison)));
    for (ComparedSide side = 0; side < SIDE_COUNT; side++) {
        const RunRecord *run = comparison->run[side];
        (void)fprintf(out, "- %s: `%s`, scenario %s, plan `%s`, commit `%s`, machine `%s`\n",
                      side_names[side], run->path, run->plan->scenario, run->plan->hash,
                      text_or_unknown(find_commit(run)), text_or_unknown(find_machine_key(run)));
    }
    if (machines_differ(comparison))
        (void)fprintf(out, "\n**Note:** %s.\n", MACHINES_DIFFER);
    (void)fprintf(out, "\n| cell |");
    for (size_t column = 0; column < COLUMN_COUNT; column++)
        (void)fprintf(out, " %s |", column_titles[column]);
    (void)fprintf(out, " remark |\n|---|---|");
    for (size_t column = 1; column < COLUMN_COUNT; column++)
        (void)fprintf(out, "---:|");
    (void)fprintf(out, "---|\n");
    for (size_t i = 0; i < comparison->cell_count; i++) {
        Row row;
        write_row(&comparison->cells[i], &row);
        (void)fprintf(out, "| `%s` |", comparison->cells[i].id);
        for (size_t column = 0; column < COLUMN_COUNT; column++)
            (void)fprintf(out, " %s |", row.text[column]);
        (void)fputc(' ', out);
        format_markdown_cell(out, comparison->cells[i].reason);
        (void)fprintf(out, " |\n");
    }
    char grounds[768];
    write_grounds(comparison, grounds, sizeof grounds);
    (void)fputc('\n', out);
    write_totals(comparison, out);
    (void)fprintf(out, "\n%s\n", grounds);
    return true;
}

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *time_to_json(const ComparedTime *time)
{
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o}", "samples", (json_int_t)time->samples, "median_ns",
        number_or_null(time->median_ns), "low_ns", number_or_null(time->interval_ns.low), "high_ns",
        number_or_null(time->interval_ns.high), "variation", number_or_null(time->variation));
}

static json_t *cell_to_object(const ComparedCell *cell)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}", "cell", cell->id, "verdict",
                     comparison_verdict_name(cell->verdict), "ratio", number_or_null(cell->ratio),
                     "base", time_to_json(&cell->time[SIDE_BASE]), "new",
                     time_to_json(&cell->time[SIDE_NEW]), "reason", cell->reason);
}

static json_t *side_to_json(const RunRecord *run)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "path", run->path, "scenario",
                     run->plan->scenario, "plan_hash", run->plan->hash, "commit",
                     text_or_null(find_commit(run)), "machine_key",
                     text_or_null(find_machine_key(run)));
}

static bool write_json(const Comparison *comparison, FILE *out)
{
    char grounds[768];
    write_grounds(comparison, grounds, sizeof grounds);
    json_t *cells = json_array();
    bool complete = cells != NULL;
    for (size_t i = 0; complete && i < comparison->cell_count; i++)
        complete = json_array_append_new(cells, cell_to_object(&comparison->cells[i])) == 0;
    json_t *document = json_pack(
        "{s:s, s:s, s:i, s:f, s:s, s:s, s:b, s:o, s:o, s:O}", "schema", "hyperion-comparison-1",
        "overall", comparison_verdict_name(comparison_overall(comparison)), "exit_code",
        comparison_exit_code(comparison), "threshold_percent", comparison->threshold * 100,
        "provenance", "clock", "rests_on", grounds, "machines_differ",
        (int)machines_differ(comparison), "base", side_to_json(comparison->run[SIDE_BASE]), "new",
        side_to_json(comparison->run[SIDE_NEW]), "cells", cells);
    complete = complete && document && json_dumpf(document, out, JSON_INDENT(2)) == 0;
    (void)fputc('\n', out);
    json_decref(document);
    json_decref(cells);
    return complete;
}

const ComparisonFormat comparison_formats[] = {
    {"text", write_text}, {"json", write_json}, {"markdown", write_markdown}, {NULL, NULL}};
