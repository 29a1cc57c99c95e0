// SPDX-License-Identifier: Apache-2.0
#include "record/writers/cells_csv.h"

#include <math.h>
#include <string.h>

// What stands in one place of a row. RFC 4180: quoted where it must be.
static void write_text(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        (void)fputs(text, out);
        return;
    }
    (void)fputc('"', out);
    for (const char *at = text; *at; at++) {
        if (*at == '"')
            (void)fputc('"', out);
        (void)fputc(*at, out);
    }
    (void)fputc('"', out);
}

static void write_id(const RunRecord *run, const CellSummary *summary, FILE *out)
{
    write_text(out, run->plan->cells[summary->cell].id);
}

static void write_sweep(const RunRecord *run, const CellSummary *summary, FILE *out)
{
    write_text(out, run->plan->cells[summary->cell].sweep->name);
}

static void write_workload(const RunRecord *run, const CellSummary *summary, FILE *out)
{
    write_text(out, run->plan->cells[summary->cell].workload->name);
}

static void write_status(const RunRecord *run, const CellSummary *summary, FILE *out)
{
    write_text(out, cell_status(run, summary));
}

static void write_reason(const RunRecord *run, const CellSummary *summary, FILE *out)
{
    const bool stopped = !summary->failed && summary->stopped_early;
    (void)run;
    write_text(out, stopped ? summary->stopped_early->reason : summary->reason);
}

static void write_kernel(const RunRecord *run, const CellSummary *summary, FILE *out)
{
    (void)run;
    write_text(out, metrics_kernel(summary));
}

// In single quotes for the shell; identities hold none but in the names of files.
static void write_command(const RunRecord *run, const CellSummary *summary, FILE *out)
{
    char command[2048];
    (void)snprintf(command, sizeof command, "hyperion run '%s' --cell '%s'", run->path,
                   run->plan->cells[summary->cell].id);
    write_text(out, command);
}

typedef struct TextColumn {
    const char *header;
    const char *help;
    void (*write)(const RunRecord *run, const CellSummary *summary, FILE *out);
} TextColumn;

// Before the axes.
static const TextColumn leading[] = {
    {"id", "identity of the cell: workload and the axes that differ from their defaults", write_id},
    {"sweep", "name of the sweep in the scenario", write_sweep},
    {"workload", "what runs", write_workload},
};

// Between the axes and the metrics.
static const TextColumn middle[] = {
    {"status",
     "ok; failed: see reason; incomplete: samples are missing, complete with --resume; "
     "other_shard: not part of this run",
     write_status},
    {"reason", "of the first failure; or why fewer samples than planned are enough", write_reason},
    {"kernel", "variant that ran; empty where several did", write_kernel},
};

static const TextColumn trailing[] = {
    {"command", "takes the samples of this cell again, into a run directory of its own",
     write_command},
};

enum {
    LEADING_COUNT = sizeof leading / sizeof *leading,
    MIDDLE_COUNT = sizeof middle / sizeof *middle,
    TRAILING_COUNT = sizeof trailing / sizeof *trailing
};

typedef enum ColumnKind { COLUMN_TEXT, COLUMN_AXIS, COLUMN_METRIC, COLUMN_PROVENANCE } ColumnKind;

typedef struct Column {
    ColumnKind kind;
    const TextColumn *text;
    AxisId axis;
    const Metric *metric;
} Column;

// A metric whose provenance depends on the machine has it in the column after its own.
static size_t count_metric_columns(const Metric *metric)
{
    return metric->provenance[0] ? 1 : 2;
}

static Column metric_column(size_t index)
{
    for (size_t i = 0; i < metric_count; i++) {
        const size_t count = count_metric_columns(&metric_table[i]);
        if (index < count)
            return (Column){.kind = index ? COLUMN_PROVENANCE : COLUMN_METRIC,
                            .metric = &metric_table[i]};
        index -= count;
    }
    return (Column){.kind = COLUMN_TEXT, .text = &trailing[index]};
}

static Column find_column(size_t index)
{
    if (index < LEADING_COUNT)
        return (Column){.kind = COLUMN_TEXT, .text = &leading[index]};
    index -= LEADING_COUNT;
    if (index < AXIS_COUNT)
        return (Column){.kind = COLUMN_AXIS, .axis = (AxisId)index};
    index -= AXIS_COUNT;
    if (index < MIDDLE_COUNT)
        return (Column){.kind = COLUMN_TEXT, .text = &middle[index]};
    return metric_column(index - MIDDLE_COUNT);
}

size_t cells_csv_column_count(void)
{
    size_t count = LEADING_COUNT + AXIS_COUNT + MIDDLE_COUNT + TRAILING_COUNT;
    for (size_t i = 0; i < metric_count; i++)
        count += count_metric_columns(&metric_table[i]);
    return count;
}

static void format_header(char *header, const char *name, const char *unit, const char *provenance)
{
    (void)snprintf(header, CSV_HEADER_BYTES, "%s%s%s%s%s%s%s", name, unit[0] ? " [" : "", unit,
                   unit[0] ? "]" : "", provenance[0] ? " {" : "", provenance,
                   provenance[0] ? "}" : "");
}

CsvColumn cells_csv_column(size_t index)
{
    const Column column = find_column(index);
    CsvColumn result = {.help = ""};
    switch (column.kind) {
    case COLUMN_TEXT:
        result.help = column.text->help;
        format_header(result.header, column.text->header, "", "");
        break;
    case COLUMN_AXIS:
        result.help = axis_table[column.axis].help;
        format_header(result.header, axis_table[column.axis].key, axis_table[column.axis].unit, "");
        break;
    case COLUMN_METRIC:
        result.help = column.metric->help;
        format_header(result.header, column.metric->name, column.metric->unit,
                      column.metric->provenance);
        break;
    case COLUMN_PROVENANCE:
        result.help = "where the column before it is from";
        (void)snprintf(result.header, sizeof result.header, "%s provenance", column.metric->name);
        break;
    }
    return result;
}

// Empty where the workload does not have the axis.
static void write_axis(const Cell *cell, AxisId axis, FILE *out)
{
    char text[64];
    if (!cell->workload->uses(cell->values, axis))
        return;
    if (axis_table[axis].kind == AXIS_TEXT) {
        write_text(out, cell->values[axis].text);
    } else if (axis_table[axis].kind == AXIS_BYTES) {
        (void)fprintf(out, "%lld", cell->values[axis].integer); // the header says bytes
    } else {
        axis_format(axis, cell->values[axis], text, sizeof text);
        write_text(out, text);
    }
}

static void write_place(const RunRecord *run, const CellSummary *summary, const Column *column,
                        FILE *out)
{
    double value = NAN;
    switch (column->kind) {
    case COLUMN_TEXT: column->text->write(run, summary, out); break;
    case COLUMN_AXIS: write_axis(&run->plan->cells[summary->cell], column->axis, out); break;
    case COLUMN_METRIC:
        value = column->metric->value(run, summary);
        if (isfinite(value))
            (void)fprintf(out, "%.15g", value);
        break;
    case COLUMN_PROVENANCE: write_text(out, metric_provenance(column->metric, run, summary)); break;
    }
}

static bool write_cells(const RunRecord *run, const CellSummary *summaries, FILE *out,
                        Problem *problem)
{
    (void)problem;
    const size_t count = cells_csv_column_count();
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i ? "," : "", out);
        write_text(out, cells_csv_column(i).header);
    }
    (void)fputs("\n", out);
    for (size_t cell = 0; cell < run->plan->cell_count; cell++) {
        for (size_t i = 0; i < count; i++) {
            const Column column = find_column(i);
            (void)fputs(i ? "," : "", out);
            write_place(run, &summaries[cell], &column, out);
        }
        (void)fputs("\n", out);
    }
    return true;
}

const Writer writer_cells_csv = {
    .file = "cells.csv",
    .help = "one row a cell: axes, status, every metric",
    .write = write_cells,
};
