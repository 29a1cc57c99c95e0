// SPDX-License-Identifier: Apache-2.0
#include "report/report_parts.h"

#include "report/format.h"

#include <math.h>
#include <string.h>

enum { CELL_BYTES = 160, NOTE_COUNT = 12 };

// Text of one table cell; "" where the value is unknown.
typedef void (*ColumnWriter)(const RunRecord *run, const CellSummary *summary, char *text);

typedef struct Column {
    const char *title;
    const char *metric; // gives provenance, reason and help; NULL = a name, not a number
    ColumnWriter write;
    const char *unless; // left out where this metric has values: a better measure
    const char *help;   // where the metric's own is about one number only
} Column;

static void write_time(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_time(metric_value("time_ns", run, summary), text);
}

static void write_interval(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_time_interval(metric_value("time_low_ns", run, summary),
                         metric_value("time_high_ns", run, summary), text);
}

static void write_variation(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_percent(metric_value("time_variation", run, summary), text);
}

static void write_samples(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("samples", run, summary), 1, text);
}

static void write_iterations(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("iterations", run, summary), 1, text);
}

static void write_gflops(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("gflops", run, summary), 4, text);
}

static void write_gbytes(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("gbytes_per_s", run, summary), 4, text);
}

static void write_gelements(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("gelements_per_s", run, summary), 4, text);
}

static void write_peak_fraction(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_percent(metric_value("peak_fraction", run, summary), text);
    if (metric_value("above_roof", run, summary) == 1)
        (void)snprintf(text + strlen(text), CELL_BYTES - strlen(text), " ⚠");
}

static void write_instructions(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("instructions", run, summary), 1, text);
}

static void write_range(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("instructions_range", run, summary), 1, text);
}

static void write_kernel(const RunRecord *run, const CellSummary *summary, char *text)
{
    (void)run;
    const char *kernel = metrics_kernel(summary);
    (void)snprintf(text, CELL_BYTES, "%s%.100s%s", kernel[0] ? "`" : FORMAT_UNKNOWN, kernel,
                   kernel[0] ? "`" : "");
}

static void write_blocking(const RunRecord *run, const CellSummary *summary, char *text)
{
    const double mc = metric_value("mc", run, summary);
    const double kc = metric_value("kc", run, summary);
    const double nc = metric_value("nc", run, summary);
    if (isnan(mc) || isnan(kc) || isnan(nc))
        (void)snprintf(text, CELL_BYTES, "%s", FORMAT_UNKNOWN);
    else
        (void)snprintf(text, CELL_BYTES, "%.0f × %.0f × %.0f", mc, kc, nc);
}

static void write_mebibytes(double bytes, char *text)
{
    format_number(bytes / (1024.0 * 1024), 4, text);
}

static void write_rss(const RunRecord *run, const CellSummary *summary, char *text)
{
    write_mebibytes(metric_value("peak_rss_kib", run, summary) * 1024, text);
}

static void write_operands(const RunRecord *run, const CellSummary *summary, char *text)
{
    write_mebibytes(metric_value("operand_bytes", run, summary), text);
}

#define MISSES(writer, metric)                                                                     \
    static void writer(const RunRecord *run, const CellSummary *summary, char *text)               \
    {                                                                                              \
        format_number(metric_value(metric, run, summary), 4, text);                                \
    }
MISSES(write_simulated_l1, "simulated_l1_misses")
MISSES(write_simulated_ll, "simulated_ll_misses")
MISSES(write_predicted_ll, "predicted_ll_misses")
MISSES(write_predicted_l1, "predicted_l1_misses")
MISSES(write_predicted_l2, "predicted_l2_misses")
MISSES(write_predicted_l3, "predicted_l3_misses")
MISSES(write_measured_l1, "PAPI_L1_DCM")
MISSES(write_measured_l2, "PAPI_L2_DCM")
MISSES(write_measured_l3, "PAPI_L3_TCM")
#undef MISSES

static const Column result_columns[] = {
    {"median time", "time_ns", write_time, NULL, NULL},
    {"95 % interval", "time_low_ns", write_interval, NULL,
     "order-statistic interval of the median with at least 95 % coverage"},
    {"CV", "time_variation", write_variation, NULL, NULL},
    {"GFLOP/s", "gflops", write_gflops, NULL, NULL},
    {"of peak", "peak_fraction", write_peak_fraction, NULL,
     "GFLOP/s / measured peak of one core at the SIMD level of the kernel"},
    {"Gelem/s", "gelements_per_s", write_gelements, "gflops", NULL},
    {"GB/s", "gbytes_per_s", write_gbytes, "gflops", NULL},
    {"instructions", "instructions", write_instructions, NULL, NULL},
    {"range", "instructions_range", write_range, NULL, NULL},
    {"samples", "samples", write_samples, NULL, NULL},
    {.title = NULL},
};

static const Column detail_columns[] = {
    {"kernel", NULL, write_kernel, NULL, "kernel variant that ran"},
    {"mc × kc × nc", "mc", write_blocking, NULL,
     "resolved blocking: mc × kc block of A, kc × nc panel of B, elements"},
    {"iterations", "iterations", write_iterations, NULL, NULL},
    {"operands [MiB]", "operand_bytes", write_operands, NULL, NULL},
    {"peak RSS [MiB]", "peak_rss_kib", write_rss, NULL, NULL},
    {.title = NULL},
};

static const Column miss_columns[] = {
    {"L1 predicted", "predicted_l1_misses", write_predicted_l1, NULL, NULL},
    {"L1 measured", "PAPI_L1_DCM", write_measured_l1, NULL, NULL},
    {"L2 predicted", "predicted_l2_misses", write_predicted_l2, NULL, NULL},
    {"L2 measured", "PAPI_L2_DCM", write_measured_l2, NULL, NULL},
    {"L3 predicted", "predicted_l3_misses", write_predicted_l3, NULL, NULL},
    {"L3 measured", "PAPI_L3_TCM", write_measured_l3, NULL, NULL},
    {.title = NULL},
};

static const Column simulated_columns[] = {
    {"L1 simulated", "simulated_l1_misses", write_simulated_l1, NULL, NULL},
    {"L1 predicted", "predicted_l1_misses", write_predicted_l1, NULL, NULL},
    {"LL simulated", "simulated_ll_misses", write_simulated_ll, NULL, NULL},
    {"LL predicted", "predicted_ll_misses", write_predicted_ll, NULL, NULL},
    {.title = NULL},
};

static const struct {
    const char *title;
    const Column *columns;
    bool whole; // all columns, or none if no cell has a value in any; else those with a value
    bool of[MEASURE_INSTRUCTIONS + 1]; // sweeps that measure what
} table_table[] = {
    {NULL, result_columns, false, {true, true}},
    {"Kernels, blocking and memory", detail_columns, false, {true, true}},
    {"Cache misses of one iteration, in lines", miss_columns, true, {[MEASURE_TIME] = true}},
    {"Simulated and predicted cache misses of one iteration, in lines",
     simulated_columns,
     true,
     {[MEASURE_INSTRUCTIONS] = true}},
};
enum { TABLE_COUNT = sizeof table_table / sizeof *table_table };

// Why values are unknown, each reason once a table.
typedef struct Notes {
    const char *reasons[NOTE_COUNT];
    size_t count;
} Notes;

static const char *note_mark(Notes *notes, const char *reason)
{
    static const char *const marks[NOTE_COUNT] = {"¹", "²", "³", "⁴",  "⁵",  "⁶",
                                                  "⁷", "⁸", "⁹", "¹⁰", "¹¹", "¹²"};
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->reasons[i], reason) == 0)
            return marks[i];
    if (notes->count == NOTE_COUNT)
        return "";
    notes->reasons[notes->count] = reason;
    return marks[notes->count++];
}

static void write_notes(const Notes *notes, FILE *out)
{
    Notes marks = {.count = 0};
    for (size_t i = 0; i < notes->count; i++) {
        (void)fprintf(out, "%s%s unavailable: ", i ? "" : "\n",
                      note_mark(&marks, notes->reasons[i]));
        format_markdown_cell(out, notes->reasons[i]);
        (void)fprintf(out, "%s\n", i + 1 < notes->count ? "  " : "");
    }
}

static bool metric_has_value(const char *name, const RunRecord *run, const CellSummary *summaries,
                             const PlanSweep *sweep)
{
    const size_t end = sweep->first_cell + sweep->cell_count;
    for (size_t i = sweep->first_cell; name && i < end; i++)
        if (!isnan(metric_value(name, run, &summaries[i])))
            return true;
    return false;
}

static bool column_has_value(const Column *column, const RunRecord *run,
                             const CellSummary *summaries, const PlanSweep *sweep)
{
    if (column->metric)
        return metric_has_value(column->metric, run, summaries, sweep) &&
               !metric_has_value(column->unless, run, summaries, sweep);
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++)
        if (metrics_kernel(&summaries[i])[0])
            return true;
    return false;
}

// Where there are times, the interval stays without a value: too few samples are worth a note.
static bool column_is_shown(size_t table, const Column *column, const RunRecord *run,
                            const CellSummary *summaries, const PlanSweep *sweep)
{
    return table_table[table].whole || column_has_value(column, run, summaries, sweep) ||
           (column->write == write_interval && metric_has_value("time_ns", run, summaries, sweep));
}

// The columns of a table that this sweep shows, in order; their count.
static size_t select_columns(size_t table, const RunRecord *run, const CellSummary *summaries,
                             const PlanSweep *sweep, const Column **columns)
{
    size_t count = 0;
    size_t known = 0;
    if (!table_table[table].of[sweep->settings.measure])
        return 0;
    for (const Column *column = table_table[table].columns; column->title; column++) {
        known += column_has_value(column, run, summaries, sweep);
        if (column_is_shown(table, column, run, summaries, sweep))
            columns[count++] = column;
    }
    return known > 0 ? count : 0;
}

static void write_title(const RunRecord *run, const PlanSweep *sweep, AxisId axis, FILE *out)
{
    char title[CELL_BYTES];
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

static void write_value(const Column *column, const RunRecord *run, const CellSummary *summary,
                        Notes *notes, FILE *out)
{
    char text[CELL_BYTES] = "";
    column->write(run, summary, text);
    const Metric *metric = column->metric ? metric_find(column->metric) : NULL;
    if (summary->failed && column->write == write_time)
        (void)fputs(" failed |", out);
    else if (metric && isnan(metric->value(run, summary)) && !summary->failed)
        (void)fprintf(out, " %s%s |", FORMAT_UNKNOWN,
                      note_mark(notes, metric_reason(metric, run, summary)));
    else
        (void)fprintf(out, " %s |", text);
}

static void write_table(size_t table, const RunRecord *run, const CellSummary *summaries,
                        const PlanSweep *sweep, FILE *out)
{
    const Column *columns[16];
    const size_t count = select_columns(table, run, summaries, sweep, columns);
    if (count == 0)
        return;
    if (table_table[table].title)
        (void)fprintf(out, "\n#### %s\n\n", table_table[table].title);
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
            write_value(columns[j], run, &summaries[i], &notes, out);
        (void)fputc('\n', out);
    }
    write_notes(&notes, out);
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
    for (size_t table = 0; table < TABLE_COUNT; table++)
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
                (void)snprintf(text + strlen(text), CELL_BYTES - strlen(text), "%s%s",
                               text[0] ? ", " : "", provenance);
        }
    }
    if (missing)
        (void)snprintf(text + strlen(text), CELL_BYTES - strlen(text), "%s",
                       text[0] ? "; not everywhere" : "unavailable");
}

static bool set_shows_column(const RunSet *set, size_t table, const Column *column)
{
    for (size_t i = 0; i < set->count; i++) {
        const Plan *plan = set->runs[i]->plan;
        for (size_t j = 0; j < plan->sweep_count; j++)
            if (table_table[table].of[plan->sweeps[j].settings.measure] &&
                column_is_shown(table, column, set->runs[i], set->summaries[i], &plan->sweeps[j]))
                return true;
    }
    return false;
}

static void write_meaning(const RunSet *set, const Column *column, FILE *out)
{
    const Metric *metric = column->metric ? metric_find(column->metric) : NULL;
    char provenances[CELL_BYTES] = "verification";
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
    for (size_t table = 0; table < TABLE_COUNT; table++)
        for (const Column *column = table_table[table].columns; column->title; column++)
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
