// SPDX-License-Identifier: Apache-2.0
// report_by_machine.c - several runs of one scenario held against each other: their cells by
// identity, a table a number and a column a run.
#include "report/format.h"
#include "report/report_columns.h"
#include "report/report_parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Numbers that mean the same on every machine.
static const char *const compared_metrics[] = {"time_ns",         "gflops",       "peak_fraction",
                                               "gelements_per_s", "gbytes_per_s", "instructions"};

// One sweep as one run has it.
typedef struct Member {
    size_t run;
    const PlanSweep *sweep;
} Member;

typedef struct Entry {
    const char *id;
    size_t member, cell; // cell of the member's plan
} Entry;

// The entries of one identity, from `first` on.
typedef struct Row {
    size_t member, cell; // of the first entry: gives the row its place and its axes
    size_t first, count;
} Row;

typedef struct Comparison {
    const RunSet *set;
    Member *members;
    size_t member_count;
    Entry *entries; // by identity
    Row *rows;      // in the order of the first run, then what only later ones have
    size_t row_count;
} Comparison;

static const PlanSweep *find_sweep(const RunRecord *run, const char *scenario, const char *name)
{
    const Plan *plan = run->plan;
    for (size_t i = 0; strcmp(plan->scenario, scenario) == 0 && i < plan->sweep_count; i++)
        if (plan->sweeps[i].cell_count > 0 && strcmp(plan->sweeps[i].name, name) == 0)
            return &plan->sweeps[i];
    return NULL;
}

// The runs that have the sweep; false where it is no news: an earlier run has it or no other.
static bool find_members(Comparison *comparison, size_t run, const PlanSweep *sweep)
{
    const RunSet *set = comparison->set;
    comparison->member_count = 0;
    for (size_t i = 0; i < set->count; i++) {
        const PlanSweep *own =
            find_sweep(set->runs[i], set->runs[run]->plan->scenario, sweep->name);
        if (own && i < run)
            return false;
        if (own)
            comparison->members[comparison->member_count++] = (Member){.run = i, .sweep = own};
    }
    return comparison->member_count > 1;
}

static int order_numbers(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int order_entries(const void *a, const void *b)
{
    const Entry *one = a;
    const Entry *other = b;
    const int by_id = strcmp(one->id, other->id);
    const int by_member = order_numbers(one->member, other->member);
    return by_id ? by_id : by_member ? by_member : order_numbers(one->cell, other->cell);
}

static int order_rows(const void *a, const void *b)
{
    const Row *one = a;
    const Row *other = b;
    const int by_member = order_numbers(one->member, other->member);
    return by_member ? by_member : order_numbers(one->cell, other->cell);
}

static const Plan *plan_of(const Comparison *comparison, size_t member)
{
    return comparison->set->runs[comparison->members[member].run]->plan;
}

static bool list_entries(Comparison *comparison, size_t *entry_count)
{
    size_t most = 0;
    for (size_t i = 0; i < comparison->member_count; i++)
        most += comparison->members[i].sweep->cell_count;
    comparison->entries = calloc(most + 1, sizeof *comparison->entries);
    comparison->rows = calloc(most + 1, sizeof *comparison->rows);
    if (!comparison->entries || !comparison->rows)
        return false;
    *entry_count = 0;
    for (size_t i = 0; i < comparison->member_count; i++) {
        const PlanSweep *sweep = comparison->members[i].sweep;
        for (size_t j = 0; j < sweep->cell_count; j++) {
            const size_t cell = sweep->first_cell + j;
            comparison->entries[(*entry_count)++] =
                (Entry){.id = plan_of(comparison, i)->cells[cell].id, .member = i, .cell = cell};
        }
    }
    return true;
}

static bool find_rows(Comparison *comparison)
{
    size_t entry_count;
    if (!list_entries(comparison, &entry_count))
        return false;
    const Entry *entries = comparison->entries;
    qsort(comparison->entries, entry_count, sizeof *entries, order_entries);
    comparison->row_count = 0;
    for (size_t i = 0; i < entry_count; i++) {
        if (i > 0 && strcmp(entries[i].id, entries[i - 1].id) == 0)
            comparison->rows[comparison->row_count - 1].count++;
        else
            comparison->rows[comparison->row_count++] =
                (Row){.member = entries[i].member, .cell = entries[i].cell, .first = i, .count = 1};
    }
    qsort(comparison->rows, comparison->row_count, sizeof *comparison->rows, order_rows);
    return true;
}

static const Cell *cell_of_row(const Comparison *comparison, const Row *row)
{
    return &plan_of(comparison, row->member)->cells[row->cell];
}

// The axes on which rows differ; where one run has all rows, said as in its own tables.
static AxisList find_axes(const Comparison *comparison)
{
    const PlanSweep *first = comparison->members[0].sweep;
    const Plan *plan = plan_of(comparison, 0);
    AxisList list = sweep_axes_varying(plan, first);
    if (comparison->row_count == first->cell_count)
        return sweep_axes_titled(plan, first, &list);
    list.count = 0;
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++) {
        bool agree = true;
        for (size_t i = 1; agree && i < comparison->row_count; i++)
            agree = cells_agree(cell_of_row(comparison, &comparison->rows[0]),
                                cell_of_row(comparison, &comparison->rows[i]), axis);
        if (!agree)
            list.axes[list.count++] = axis;
    }
    return list;
}

static void write_axis_title(const Comparison *comparison, AxisId axis, FILE *out)
{
    const PlanSweep *first = comparison->members[0].sweep;
    char title[COLUMN_BYTES];
    (void)snprintf(title, sizeof title, "%s", axis_table[axis].key);
    if (comparison->row_count == first->cell_count)
        sweep_axis_title(plan_of(comparison, 0), first, axis, title, sizeof title);
    (void)fprintf(out, " %s |", title);
}

static void write_heading(const Comparison *comparison, const AxisList *axes, FILE *out)
{
    (void)fputc('|', out);
    for (size_t i = 0; i < axes->count; i++)
        write_axis_title(comparison, axes->axes[i], out);
    for (size_t i = 0; i < comparison->member_count; i++) {
        char label[MACHINE_TEXT_BYTES];
        run_machines_label(&comparison->set->machines, comparison->members[i].run, label,
                           sizeof label);
        (void)fprintf(out, " %s |", label);
    }
    (void)fputs("\n|", out);
    for (size_t i = 0; i < axes->count; i++)
        (void)fputs("---|", out);
    for (size_t i = 0; i < comparison->member_count; i++)
        (void)fputs("---:|", out);
    (void)fputc('\n', out);
}

static const Entry *find_entry(const Comparison *comparison, const Row *row, size_t member)
{
    for (size_t i = row->first; i < row->first + row->count; i++)
        if (comparison->entries[i].member == member)
            return &comparison->entries[i];
    return NULL;
}

static void write_row(const Comparison *comparison, const Row *row, const AxisList *axes,
                      const Column *column, Notes *notes, FILE *out)
{
    const RunSet *set = comparison->set;
    (void)fputc('|', out);
    for (size_t i = 0; i < axes->count; i++) {
        char value[AXIS_TEXT_BYTES + 1];
        cell_format_axis(cell_of_row(comparison, row), axes->axes[i], value, sizeof value);
        (void)fputc(' ', out);
        format_markdown_cell(out, value);
        (void)fputs(" |", out);
    }
    for (size_t i = 0; i < comparison->member_count; i++) {
        const Entry *entry = find_entry(comparison, row, i);
        const size_t run = comparison->members[i].run;
        if (entry)
            column_write_value(column, set->runs[run], &set->summaries[run][entry->cell], notes,
                               out);
        else
            (void)fprintf(out, " %s%s |", FORMAT_UNKNOWN,
                          notes_mark(notes, "not a cell of this run"));
    }
    (void)fputc('\n', out);
}

static bool is_compared(const Comparison *comparison, const Column *column)
{
    bool listed = false;
    for (size_t i = 0; i < sizeof compared_metrics / sizeof *compared_metrics; i++)
        listed = listed || (column->metric && strcmp(column->metric, compared_metrics[i]) == 0);
    for (size_t i = 0; listed && i < comparison->member_count; i++) {
        const Member *member = &comparison->members[i];
        if (column_has_value(column, comparison->set->runs[member->run],
                             comparison->set->summaries[member->run], member->sweep))
            return true;
    }
    return false;
}

static void write_tables(const Comparison *comparison, FILE *out)
{
    const AxisList axes = find_axes(comparison);
    for (const Column *column = column_tables[0].columns; column->title; column++) {
        if (!is_compared(comparison, column))
            continue;
        (void)fprintf(out, "\n#### %s\n\n", column->title);
        Notes notes = {.count = 0};
        write_heading(comparison, &axes, out);
        for (size_t i = 0; i < comparison->row_count; i++)
            write_row(comparison, &comparison->rows[i], &axes, column, &notes, out);
        notes_write(&notes, out);
    }
}

static bool shows_sweep(const Facet *facet, const Comparison *comparison)
{
    for (size_t i = 0; i < facet->member_count; i++)
        for (size_t j = 0; j < comparison->member_count; j++)
            if (facet->figures[i]->sweep == comparison->members[j].sweep)
                return true;
    return false;
}

static bool write_comparison(Comparison *comparison, bool drawn, FILE *out)
{
    if (!find_rows(comparison))
        return false;
    const PlanSweep *sweep = comparison->members[0].sweep;
    const AxisList fixed = sweep_axes_fixed(plan_of(comparison, 0), sweep);
    char text[2 * AXIS_TEXT_BYTES];
    cell_describe_axes(&plan_of(comparison, 0)->cells[sweep->first_cell], &fixed, text,
                       sizeof text);
    (void)fprintf(out, "\n### Sweep %s by machine\n\nWorkload %s%s", sweep->name,
                  sweep->workload->name, text[0] ? ", " : "");
    format_markdown_cell(out, text);
    (void)fputs(".\n", out);
    write_tables(comparison, out);
    const FacetList *facets = &comparison->set->facets;
    for (size_t i = 0; i < facets->count; i++)
        if (shows_sweep(&facets->items[i], comparison))
            report_figure(facets->items[i].title, facets->items[i].name, drawn, out);
    return true;
}

bool report_by_machine(const RunSet *set, bool drawn, FILE *out)
{
    Comparison comparison = {.set = set, .members = calloc(set->count, sizeof(Member))};
    bool complete = comparison.members != NULL;
    bool any = false;
    for (size_t i = 0; complete && i < set->count; i++) {
        const Plan *plan = set->runs[i]->plan;
        for (size_t j = 0; complete && j < plan->sweep_count; j++) {
            if (plan->sweeps[j].cell_count == 0 || !find_members(&comparison, i, &plan->sweeps[j]))
                continue;
            if (!any)
                (void)fputs("\n## Results by machine\n", out);
            any = true;
            complete = write_comparison(&comparison, drawn, out);
            free(comparison.entries);
            free(comparison.rows);
            comparison.entries = NULL;
            comparison.rows = NULL;
        }
    }
    free(comparison.members);
    return complete;
}
