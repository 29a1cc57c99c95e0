// SPDX-License-Identifier: Apache-2.0
#include "report/report_columns.h"

#include "report/format.h"
#include "stats/metrics_loader.h"

#include <math.h>
#include <string.h>

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
        (void)snprintf(text + strlen(text), COLUMN_BYTES - strlen(text), " ⚠");
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
    (void)snprintf(text, COLUMN_BYTES, "%s%.100s%s", kernel[0] ? "`" : FORMAT_UNKNOWN, kernel,
                   kernel[0] ? "`" : "");
}

static void write_blocking(const RunRecord *run, const CellSummary *summary, char *text)
{
    const double mc = metric_value("mc", run, summary);
    const double kc = metric_value("kc", run, summary);
    const double nc = metric_value("nc", run, summary);
    if (isnan(mc) || isnan(kc) || isnan(nc))
        (void)snprintf(text, COLUMN_BYTES, "%s", FORMAT_UNKNOWN);
    else
        (void)snprintf(text, COLUMN_BYTES, "%.0f × %.0f × %.0f", mc, kc, nc);
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

#define MEBIBYTES(writer, metric)                                                                  \
    static void writer(const RunRecord *run, const CellSummary *summary, char *text)               \
    {                                                                                              \
        write_mebibytes(metric_value(metric, run, summary), text);                                 \
    }
MEBIBYTES(write_planned, "memory_planned_bytes")
MEBIBYTES(write_memory_bound, "memory_lower_bound_bytes")
MEBIBYTES(write_naive, "memory_naive_bytes")
MEBIBYTES(write_weights, "memory_weight_bytes")
MEBIBYTES(write_packed, "memory_packed_bytes")
MEBIBYTES(write_activations, "memory_activation_bytes")
MEBIBYTES(write_workspace, "memory_workspace_bytes")
MEBIBYTES(write_memory_peak, "memory_peak_bytes")
MEBIBYTES(write_anonymous, "memory_anonymous_bytes")
MEBIBYTES(write_cap, "loader_cap_bytes")
MEBIBYTES(write_loader_peak, "loader_peak_bytes")
MEBIBYTES(write_loader_weights, "loader_weight_bytes")
MEBIBYTES(write_read, "loader_read_bytes")
MEBIBYTES(write_activation_cap, "scheduler_cap_bytes")
MEBIBYTES(write_activations_planned, "scheduler_planned_bytes")
MEBIBYTES(write_activations_peak, "scheduler_peak_bytes")
MEBIBYTES(write_activations_bound, "scheduler_lower_bound_bytes")
MEBIBYTES(write_store_all, "scheduler_store_all_bytes")
MEBIBYTES(write_spilled, "scheduler_spilled_bytes")
#undef MEBIBYTES

#define WHOLE(writer, metric)                                                                      \
    static void writer(const RunRecord *run, const CellSummary *summary, char *text)               \
    {                                                                                              \
        format_number(metric_value(metric, run, summary), 1, text);                                \
    }
WHOLE(write_height, "planner_height_bytes")
WHOLE(write_planner_bound, "planner_lower_bound_bytes")
WHOLE(write_nodes, "planner_nodes")
WHOLE(write_window, "loader_window")
WHOLE(write_hits, "loader_hits")
WHOLE(write_prefetched, "loader_prefetched")
WHOLE(write_waits, "loader_waits")
WHOLE(write_wasted, "loader_wasted")
WHOLE(write_again, "scheduler_recomputed")
WHOLE(write_planned_again, "scheduler_planned_recomputed")
#undef WHOLE

#define TIME(writer, metric)                                                                       \
    static void writer(const RunRecord *run, const CellSummary *summary, char *text)               \
    {                                                                                              \
        format_time(metric_value(metric, run, summary), text);                                     \
    }
TIME(write_predicted_time, "memory_predicted_time_ns")
TIME(write_load, "loader_load_ns")
TIME(write_compute, "loader_compute_ns")
TIME(write_stall, "loader_stall_ns")
TIME(write_pipeline, "loader_predicted_ns")
TIME(write_bound, "loader_bound_ns")
TIME(write_pass, "scheduler_predicted_ns")
#undef TIME

static void write_load_rate(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("loader_gbytes_per_s", run, summary), 4, text);
}

static void write_excess(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("loader_over_predicted", run, summary), 4, text);
}

static void write_cached(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_percent(metric_value("loader_cached_before", run, summary), text);
}

static void write_cached_after(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_percent(metric_value("loader_cached_after", run, summary), text);
}

static void write_io(const RunRecord *run, const CellSummary *summary, char *text)
{
    const char *unused = NULL;
    const char *backend = metrics_loader_backend(summary, &unused);
    const char *mode = metrics_loader_mode(summary, &unused);
    (void)run;
    (void)snprintf(text, COLUMN_BYTES, "%.60s%s%.60s", backend[0] ? backend : FORMAT_UNKNOWN,
                   backend[0] ? ", " : "", mode);
}

static void write_work(const RunRecord *run, const CellSummary *summary, char *text)
{
    format_number(metric_value("scheduler_work", run, summary), 4, text);
}

static void write_fastest(const RunRecord *run, const CellSummary *summary, char *text)
{
    const double proved = metric_value("scheduler_proved", run, summary);
    (void)snprintf(text, COLUMN_BYTES, "%s",
                   isnan(proved) ? FORMAT_UNKNOWN
                   : proved == 1 ? "fastest: proved"
                                 : "perhaps not the fastest");
}

static void write_proved(const RunRecord *run, const CellSummary *summary, char *text)
{
    const double proved = metric_value("planner_proved", run, summary);
    (void)snprintf(text, COLUMN_BYTES, "%s",
                   isnan(proved) ? FORMAT_UNKNOWN
                   : proved == 1 ? "lowest: proved"
                                 : "perhaps not the lowest");
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

static const Column memory_columns[] = {
    {"planned", "memory_planned_bytes", write_planned, NULL, NULL},
    {"lower bound", "memory_lower_bound_bytes", write_memory_bound, NULL, NULL},
    {"without reuse", "memory_naive_bytes", write_naive, NULL, NULL},
    {"weights", "memory_weight_bytes", write_weights, NULL, NULL},
    {"packed", "memory_packed_bytes", write_packed, NULL, NULL},
    {"activations", "memory_activation_bytes", write_activations, NULL, NULL},
    {"workspace", "memory_workspace_bytes", write_workspace, NULL, NULL},
    {"predicted time", "memory_predicted_time_ns", write_predicted_time, NULL, NULL},
    {"measured peak", "memory_peak_bytes", write_memory_peak, NULL, NULL},
    {"measured anonymous", "memory_anonymous_bytes", write_anonymous, NULL, NULL},
    {.title = NULL},
};

static const Column loading_columns[] = {
    {"window", "loader_window", write_window, NULL, NULL},
    {"loading", "loader_load_ns", write_load, NULL, NULL},
    {"computing", "loader_compute_ns", write_compute, NULL, NULL},
    {"waiting", "loader_stall_ns", write_stall, NULL, NULL},
    {"pipeline", "loader_predicted_ns", write_pipeline, NULL, NULL},
    {"time / pipeline", "loader_over_predicted", write_excess, NULL, NULL},
    {"bound", "loader_bound_ns", write_bound, NULL, NULL},
    {"GB/s of loading", "loader_gbytes_per_s", write_load_rate, NULL, NULL},
    {"reads", NULL, write_io, NULL, "back end and mode that were used"},
    {.title = NULL},
};

static const Column residency_columns[] = {
    {"weights [MiB]", "loader_weight_bytes", write_loader_weights, NULL, NULL},
    {"cap [MiB]", "loader_cap_bytes", write_cap, NULL, NULL},
    {"peak [MiB]", "loader_peak_bytes", write_loader_peak, NULL, NULL},
    {"loaded [MiB]", "loader_read_bytes", write_read, NULL, NULL},
    {"hits", "loader_hits", write_hits, NULL, NULL},
    {"in time", "loader_prefetched", write_prefetched, NULL, NULL},
    {"waits", "loader_waits", write_waits, NULL, NULL},
    {"wasted", "loader_wasted", write_wasted, NULL, NULL},
    {"cached before", "loader_cached_before", write_cached, NULL, NULL},
    {"cached after", "loader_cached_after", write_cached_after, NULL, NULL},
    {.title = NULL},
};

static const Column scheduler_columns[] = {
    {"cap [MiB]", "scheduler_cap_bytes", write_activation_cap, NULL, NULL},
    {"planned [MiB]", "scheduler_planned_bytes", write_activations_planned, NULL, NULL},
    {"measured [MiB]", "scheduler_peak_bytes", write_activations_peak, NULL, NULL},
    {"lower bound [MiB]", "scheduler_lower_bound_bytes", write_activations_bound, NULL, NULL},
    {"store all [MiB]", "scheduler_store_all_bytes", write_store_all, NULL, NULL},
    {"planned again", "scheduler_planned_recomputed", write_planned_again, NULL, NULL},
    {"ran again", "scheduler_recomputed", write_again, NULL, NULL},
    {"spilled [MiB]", "scheduler_spilled_bytes", write_spilled, NULL, NULL},
    {"predicted time", "scheduler_predicted_ns", write_pass, NULL, NULL},
    {"/ forward", "scheduler_work", write_work, NULL, NULL},
    {"plan", "scheduler_proved", write_fastest, NULL, "whether a faster plan was ruled out"},
    {.title = NULL},
};

static const Column planner_columns[] = {
    {"height [B]", "planner_height_bytes", write_height, NULL, NULL},
    {"lower bound [B]", "planner_lower_bound_bytes", write_planner_bound, NULL, NULL},
    {"plan", "planner_proved", write_proved, NULL, "whether a lower plan was ruled out"},
    {"nodes", "planner_nodes", write_nodes, NULL, NULL},
    {.title = NULL},
};

const ColumnTable column_tables[COLUMN_TABLE_COUNT] = {
    {NULL, result_columns, false, {true, true}},
    {"Kernels, blocking and memory", detail_columns, false, {true, true, true}},
    {"Cache misses of one iteration, in lines",
     miss_columns,
     true,
     {[MEASURE_TIME] = true, [MEASURE_COUNTS] = true}},
    {"Simulated and predicted cache misses of one iteration, in lines",
     simulated_columns,
     true,
     {[MEASURE_INSTRUCTIONS] = true}},
    {"Memory of a model, in MiB", memory_columns, false, {[MEASURE_TIME] = true}},
    {"Times of one pass with a loader", loading_columns, false, {[MEASURE_TIME] = true}},
    {"Weights of one pass with a loader", residency_columns, false, {[MEASURE_TIME] = true}},
    {"Activations of one pass with a scheduler", scheduler_columns, false, {[MEASURE_TIME] = true}},
    {"Plans", planner_columns, false, {true, true, true}},
};

const char *notes_mark(Notes *notes, const char *reason)
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

void notes_write(const Notes *notes, FILE *out)
{
    Notes marks = {.count = 0};
    for (size_t i = 0; i < notes->count; i++) {
        (void)fprintf(out, "%s%s unavailable: ", i ? "" : "\n",
                      notes_mark(&marks, notes->reasons[i]));
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

bool column_has_value(const Column *column, const RunRecord *run, const CellSummary *summaries,
                      const PlanSweep *sweep)
{
    if (column->metric)
        return metric_has_value(column->metric, run, summaries, sweep) &&
               !metric_has_value(column->unless, run, summaries, sweep);
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++) {
        char text[COLUMN_BYTES] = "";
        column->write(run, &summaries[i], text);
        if (text[0] && strcmp(text, FORMAT_UNKNOWN) != 0)
            return true;
    }
    return false;
}

// Where there are times, the interval stays without a value: too few samples are worth a note.
bool column_is_shown(const ColumnTable *table, const Column *column, const RunRecord *run,
                     const CellSummary *summaries, const PlanSweep *sweep)
{
    return table->whole || column_has_value(column, run, summaries, sweep) ||
           (column->write == write_interval && metric_has_value("time_ns", run, summaries, sweep));
}

void column_write_value(const Column *column, const RunRecord *run, const CellSummary *summary,
                        Notes *notes, FILE *out)
{
    char text[COLUMN_BYTES] = "";
    column->write(run, summary, text);
    const Metric *metric = column->metric ? metric_find(column->metric) : NULL;
    if (summary->failed && column->write == write_time)
        (void)fputs(" failed |", out);
    else if (metric && isnan(metric->value(run, summary)) && !summary->failed)
        (void)fprintf(out, " %s%s |", FORMAT_UNKNOWN,
                      notes_mark(notes, metric_reason(metric, run, summary)));
    else
        (void)fprintf(out, " %s |", text);
}
