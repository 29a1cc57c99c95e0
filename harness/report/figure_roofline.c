// SPDX-License-Identifier: Apache-2.0
// figure_roofline.c - what kernels reach against what the machine can do: operations a second over
// operations a byte, under measured peaks and bandwidths (Williams, Waterman and Patterson,
// "Roofline", CACM 52(4), 2009).
#include "report/run_figures.h"

#include "report/figure_parts.h"
#include "report/figure_script.h"
#include "stats/metrics_roof.h"

#include <math.h>
#include <string.h>

enum { MOST_OPERATIONS = 16, MOST_PLACES = 8, LABEL_BYTES = 64 };

static const Cell *cell_of(const RunRecord *run, size_t index)
{
    return &run->plan->cells[index];
}

// One thread, since the roofs are those of one core.
static bool is_shown(const RunRecord *run, const CellSummary *summary)
{
    return !summary->failed && cell_of(run, summary->cell)->values[AXIS_THREADS].integer <= 1 &&
           metric_value("gflops", run, summary) > 0 && metric_value("bytes", run, summary) > 0;
}

size_t roofline_count(const RunRecord *run, const CellSummary *summaries)
{
    Interval ignored;
    const char *name = NULL;
    size_t count = 0;
    // Without the slanted roofs it is no roofline.
    if (isnan(metrics_bandwidth(run, 0, &name, &ignored)))
        return 0;
    for (size_t i = 0; i < run->plan->cell_count; i++)
        count += is_shown(run, &summaries[i]) ? 1 : 0;
    return count;
}

static const char *name_operation(const Cell *cell)
{
    return cell->workload->uses(cell->values, AXIS_OP) ? axis_word(AXIS_OP, cell->values[AXIS_OP])
                                                       : cell->workload->name;
}

// What the run has, in order of appearance: beyond the most, cells are left out.
typedef struct Operations {
    const char *names[MOST_OPERATIONS];
    size_t count;
} Operations;

static Operations find_operations(const RunRecord *run, const CellSummary *summaries)
{
    Operations found = {.count = 0};
    for (size_t i = 0; i < run->plan->cell_count; i++) {
        if (!is_shown(run, &summaries[i]))
            continue;
        const char *name = name_operation(cell_of(run, i));
        size_t at = 0;
        while (at < found.count && strcmp(found.names[at], name) != 0)
            at++;
        if (at == found.count && at < MOST_OPERATIONS)
            found.names[found.count++] = name;
    }
    return found;
}

static double find_intensity(const RunRecord *run, const CellSummary *summary)
{
    return metric_value("flops", run, summary) / metric_value("bytes", run, summary);
}

static size_t define_peaks(const RunRecord *run, Range *rates, FILE *script)
{
    const char *levels[METRICS_LEVEL_COUNT];
    double values[METRICS_LEVEL_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < METRICS_LEVEL_COUNT; i++) {
        Interval ignored;
        levels[count] = metrics_level_names[i];
        values[count] = metrics_peak(run, levels[count], &ignored);
        range_widen(rates, values[count]);
        count += isnan(values[count]) ? 0 : 1;
    }
    script_number(script, "peak_count", (double)count);
    script_texts(script, "peak_level", levels, count);
    script_numbers(script, "peak_value", values, count);
    return count;
}

static void define_bandwidths(const RunRecord *run, FILE *script)
{
    char labels[MOST_PLACES][LABEL_BYTES];
    const char *names[MOST_PLACES];
    double values[MOST_PLACES];
    size_t count = 0;
    for (size_t level = 0; level < MOST_PLACES; level++) {
        Interval ignored;
        const char *name = NULL;
        values[count] = metrics_bandwidth(run, level, &name, &ignored);
        if (isnan(values[count]) || !name)
            continue;
        (void)snprintf(labels[count], sizeof labels[count], "%s %.3g GB/s", name, values[count]);
        names[count] = labels[count];
        count++;
    }
    script_number(script, "roof_count", (double)count);
    script_texts(script, "roof_label", names, count);
    script_numbers(script, "roof_value", values, count);
}

void roofline_define(const RunRecord *run, const CellSummary *summaries, FILE *script)
{
    Range rates = range_empty;
    Range intensities = range_empty;
    const Operations operations = find_operations(run, summaries);
    for (size_t i = 0; i < run->plan->cell_count; i++) {
        if (!is_shown(run, &summaries[i]))
            continue;
        range_widen(&rates, metric_value("gflops", run, &summaries[i]));
        range_widen(&intensities, find_intensity(run, &summaries[i]));
    }
    (void)define_peaks(run, &rates, script);
    define_bandwidths(run, script);
    script_number(script, "operation_count", (double)operations.count);
    script_texts(script, "operation", operations.names, operations.count);
    script_number(script, "level_count", METRICS_LEVEL_COUNT);
    script_texts(script, "level", metrics_level_names, METRICS_LEVEL_COUNT);
    script_number(script, "x_low", intensities.low / 2);
    script_number(script, "x_high", fmax(intensities.high, 16) * 2);
    script_number(script, "y_low", rates.low / 2);
    script_number(script, "y_high", rates.high * 1.6);
    script_text(script, "caption",
                "Points: nominal operations over median time (clock) and over the least bytes to "
                "move, each operand once; one thread. Above a roof\nof memory: the operands lie "
                "nearer. Roofs: register-only multiply-adds; the fastest of read, write, copy and "
                "triad; medians (clock).");
}

// A block an operation and SIMD level, operations first; an empty one has a point that is unknown.
void roofline_tabulate(const RunRecord *run, const CellSummary *summaries, FILE *data)
{
    const Operations operations = find_operations(run, summaries);
    (void)fprintf(data, "# columns: FLOP a byte (model), rate [GFLOP/s] (clock), 1 = above the "
                        "measured roof\n");
    for (size_t block = 0; block < operations.count * METRICS_LEVEL_COUNT; block++) {
        const char *operation = operations.names[block / METRICS_LEVEL_COUNT];
        const char *level = metrics_level_names[block % METRICS_LEVEL_COUNT];
        (void)fprintf(data, "%s# %s, %s\n ? ? 0\n", block ? "\n\n" : "", operation, level);
        for (size_t i = 0; i < run->plan->cell_count; i++) {
            const CellSummary *summary = &summaries[i];
            if (!is_shown(run, summary) || strcmp(metrics_level(run, summary), level) != 0 ||
                strcmp(name_operation(cell_of(run, i)), operation) != 0)
                continue;
            data_column(data, find_intensity(run, summary));
            data_column(data, metric_value("gflops", run, summary));
            (void)fprintf(data, " %d\n", metric_value("above_roof", run, summary) == 1);
        }
    }
}
