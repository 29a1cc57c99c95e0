// SPDX-License-Identifier: Apache-2.0
#include "report/report_parts.h"

#include "report/format.h"
#include "report/report_columns.h"

#include <math.h>
#include <string.h>

// The columns of a table that this sweep shows, in order; their count.
static size_t select_columns(size_t table, const RunRecord *run, const CellSummary *summaries,
                             const PlanSweep *sweep, const Column **columns)
{
    size_t count = 0;
    size_t known = 0;
    if (!column_tables[table].of[sweep->settings.measure])
        return 0;
    for (const Column *column = column_tables[table].columns; column->title; column++) {
        known += column_has_value(column, run, summaries, sweep);
        if (column_is_shown(&column_tables[table], column, run, summaries, sweep))
            columns[count++] = column;
    }
    return known > 0 ? count : 0;
}

static void write_title(const RunRecord *run, const PlanSweep *sweep, AxisId axis, FILE *out)
{
    char title[COLUMN_BYTES];
    sweep_axis_title(run->plan, sweep, axis, title, sizeof title);
    (void)fprintf(out, " %s |", title);
}

static void write_heading(const RunRecord *run, const PlanSweep *sweep, const AxisList *axes,
                          const Column *const *columns, size_t count, FILE *out)
{
    (void)fputc('|', out);
    for (size_t i = 0; i < axes->count; i++)
        write_title(run, sweep, axes->axes[i], out);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(out, " %s |", columns[i]->title);
    (void)fputs("\n|", out);
    for (size_t i = 0; i < axes->count; i++)
        (void)fputs("---|", out);
    for (size_t i = 0; i < count; i++)
        (void)fputs(columns[i]->metric ? "---:|" : "---|", out);
    (void)fputc('\n', out);
}

static void write_table(size_t table, const RunRecord *run, const CellSummary *summaries,
                        const PlanSweep *sweep, FILE *out)
{
    const Column *columns[COLUMN_MOST];
    const size_t count = select_columns(table, run, summaries, sweep, columns);
    if (count == 0)
        return;
    if (column_tables[table].title)
        (void)fprintf(out, "\n#### %s\n\n", column_tables[table].title);
    const AxisList varying = sweep_axes_varying(run->plan, sweep);
    const AxisList axes = sweep_axes_titled(run->plan, sweep, &varying);
    Notes notes = {.count = 0};
    write_heading(run, sweep, &axes, columns, count, out);
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++) {
        (void)fputc('|', out);
        for (size_t j = 0; j < axes.count; j++) {
            char value[AXIS_TEXT_BYTES + 1];
            cell_format_axis(&run->plan->cells[i], axes.axes[j], value, sizeof value);
            (void)fputc(' ', out);
            format_markdown_cell(out, value);
            (void)fputs(" |", out);
        }
        for (size_t j = 0; j < count; j++)
            column_write_value(columns[j], run, &summaries[i], &notes, out);
        (void)fputc('\n', out);
    }
    notes_write(&notes, out);
}

// Cells that ended before all their samples, because the scenario asks for a precision or sets a
// most time.
static void write_stopped(const RunRecord *run, const CellSummary *summaries,
                          const PlanSweep *sweep, FILE *out)
{
    bool any = false;
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++) {
        if (summaries[i].failed || !summaries[i].stopped_early)
            continue;
        if (!any)
            (void)fprintf(out,
                          "\n#### Stopped early\n\nOf %d samples planned. Samples that are "
                          "looked at to decide how many there are have no error rate of their "
                          "own: such cells are no base for a gate.\n\n| cell | samples | why "
                          "|\n|---|---:|---|\n",
                          sweep->settings.samples);
        any = true;
        (void)fputs("| `", out);
        format_markdown_cell(out, run->plan->cells[i].id);
        (void)fprintf(out, "` | %zu | ", summaries[i].sample_count);
        format_markdown_cell(out, summaries[i].stopped_early->reason);
        (void)fputs(" |\n", out);
    }
}

static void write_failures(const RunRecord *run, const CellSummary *summaries,
                           const PlanSweep *sweep, FILE *out)
{
    bool any = false;
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++) {
        if (!summaries[i].failed)
            continue;
        if (!any)
            (void)fprintf(out, "\n#### Failed cells\n\n| cell | reason |\n|---|---|\n");
        any = true;
        (void)fputs("| `", out);
        format_markdown_cell(out, run->plan->cells[i].id);
        (void)fputs("` | ", out);
        format_markdown_cell(out, summaries[i].reason);
        (void)fputs(" |\n", out);
    }
}

void report_sweep_tables(const RunRecord *run, const CellSummary *summaries, const PlanSweep *sweep,
                         FILE *out)
{
    for (size_t table = 0; table < COLUMN_TABLE_COUNT; table++)
        write_table(table, run, summaries, sweep, out);
    write_stopped(run, summaries, sweep, out);
    write_failures(run, summaries, sweep, out);
}

// The provenances that the values of a metric have over all cells: "clock", "pmu; not everywhere".
static void find_provenances(const RunSet *set, const Metric *metric, char *text)
{
    bool missing = false;
    text[0] = '\0';
    for (size_t i = 0; i < set->count; i++) {
        for (size_t j = 0; j < set->runs[i]->plan->cell_count; j++) {
            const char *provenance = metric_provenance(metric, set->runs[i], &set->summaries[i][j]);
            if (strcmp(provenance, "unavailable") == 0)
                missing = true;
            else if (!strstr(text, provenance))
                (void)snprintf(text + strlen(text), COLUMN_BYTES - strlen(text), "%s%s",
                               text[0] ? ", " : "", provenance);
        }
    }
    if (missing)
        (void)snprintf(text + strlen(text), COLUMN_BYTES - strlen(text), "%s",
                       text[0] ? "; not everywhere" : "unavailable");
}

static bool set_shows_column(const RunSet *set, size_t table, const Column *column)
{
    for (size_t i = 0; i < set->count; i++) {
        const Plan *plan = set->runs[i]->plan;
        for (size_t j = 0; j < plan->sweep_count; j++)
            if (column_tables[table].of[plan->sweeps[j].settings.measure] &&
                column_is_shown(&column_tables[table], column, set->runs[i], set->summaries[i],
                                &plan->sweeps[j]))
                return true;
    }
    return false;
}

static void write_meaning(const RunSet *set, const Column *column, FILE *out)
{
    const Metric *metric = column->metric ? metric_find(column->metric) : NULL;
    char provenances[COLUMN_BYTES] = "verification";
    if (metric)
        find_provenances(set, metric, provenances);
    (void)fprintf(out, "| %s | %s | ", column->title, provenances);
    if (column->help)
        format_markdown_cell(out, column->help);
    else if (metric)
        format_markdown_cell(out, metric->help);
    (void)fputs(" |\n", out);
}

void report_legend(const RunSet *set, FILE *out)
{
    (void)fprintf(out, "| column | from | meaning |\n|---|---|---|\n");
    for (size_t table = 0; table < COLUMN_TABLE_COUNT; table++)
        for (const Column *column = column_tables[table].columns; column->title; column++)
            if (set_shows_column(set, table, column))
                write_meaning(set, column, out);
    (void)fprintf(
        out,
        "\nclock: measured by the clock; os: told by the operating system; pmu: hardware counter; "
        "emulated: counted under callgrind; sim: its simulated caches; "
        "model: computed from the problem's sizes or predicted, not measured; unavailable: see "
        "the note of the table. The rates divide a nominal amount of work (model) by a measured "
        "time (clock). ⚠ marks a rate above the machine's highest measured peak: not to be "
        "believed.\n");
}
