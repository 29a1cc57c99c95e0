// SPDX-License-Identifier: Apache-2.0
#include "report/report_parts.h"

#include "report/format.h"
#include "stats/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 20 };

// A layer of one cell of the workload `profile`; texts are of the verification.
typedef struct LayerRow {
    int layer;
    char operator_name[32];
    const char *name;
    double median_ns, flops, bytes, needed_bytes;
    Interval interval_ns;
} LayerRow;

static double find_value(const Sample *sample, int layer, const char *what)
{
    char name[sizeof sample->values->name];
    (void)snprintf(name, sizeof name, "layer%d.%s", layer, what);
    return sample_value(sample, name);
}

// "layer3.is.gemm.block0.query"
static bool read_identity(const SampleValue *value, LayerRow *row)
{
    int name_at = 0;
    if (sscanf(value->name, "layer%d.is.%31[^.].%n", &row->layer, row->operator_name, &name_at) !=
            2 ||
        name_at == 0)
        return false;
    row->name = value->name + name_at;
    row->flops = value->value;
    return true;
}

static bool read_times(const CellSummary *summary, LayerRow *row)
{
    double *times_ns = calloc(summary->record_count + 1, sizeof *times_ns);
    if (!times_ns)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < summary->record_count; i++) {
        const Sample *sample = summary->records[i];
        const double time_ns = sample->task == SAMPLE_TIME && sample->ok && !sample->rejection[0]
                                   ? find_value(sample, row->layer, "time")
                                   : (double)NAN;
        if (!isnan(time_ns))
            times_ns[count++] = time_ns;
    }
    row->median_ns = stat_median(times_ns, count);
    row->interval_ns = stat_median_interval(times_ns, count, METRIC_CONFIDENCE);
    free(times_ns);
    return true;
}

static int compare_times(const void *a, const void *b)
{
    const double first = ((const LayerRow *)a)->median_ns;
    const double second = ((const LayerRow *)b)->median_ns;
    return (first < second) - (first > second);
}

static void write_row(const LayerRow *row, double total_ns, FILE *out)
{
    char time[FORMAT_BYTES];
    char interval[FORMAT_BYTES];
    char share[FORMAT_BYTES];
    char rate[FORMAT_BYTES];
    char intensity[FORMAT_BYTES];
    char needed[FORMAT_BYTES];
    format_time(row->median_ns, time);
    format_time_interval(row->interval_ns.low, row->interval_ns.high, interval);
    format_percent(row->median_ns / total_ns, share);
    format_number(row->flops / row->median_ns, 4, rate);
    format_number(row->bytes > 0 ? row->flops / row->bytes : (double)NAN, 3, intensity);
    format_number(row->needed_bytes / 1024, 4, needed);
    (void)fprintf(out, "| %d | `", row->layer);
    format_markdown_cell(out, row->name);
    (void)fprintf(out, "` | %s | %s | %s | %s | %s | %s | %s |\n", row->operator_name, time,
                  interval, share, rate, intensity, needed);
}

static void write_cell(const LayerRow *rows, size_t count, const char *id, FILE *out)
{
    double total_ns = 0;
    for (size_t i = 0; i < count; i++)
        total_ns += rows[i].median_ns;
    (void)fprintf(out, "\n#### Layers of `");
    format_markdown_cell(out, id);
    (void)fprintf(
        out,
        "`\n\nThe %zu of %zu that take longest; median over the samples (clock), each the "
        "median of its last passes; operations and bytes from the shapes (model).\n\n| # | "
        "layer | operator | time | 95 %% interval | of all layers | GFLOP/s | FLOP/B | "
        "activations needed after it [KiB] |\n"
        "|---:|---|---|---:|---:|---:|---:|---:|---:|\n",
        count < MOST_LAYERS ? count : (size_t)MOST_LAYERS, count);
    for (size_t i = 0; i < count && i < MOST_LAYERS; i++)
        write_row(&rows[i], total_ns, out);
}

void report_layers(const RunRecord *run, const CellSummary *summaries, const PlanSweep *sweep,
                   FILE *out)
{
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++) {
        const Sample *verified = summaries[i].verified;
        LayerRow *rows =
            verified ? calloc(verified->value_count + 1, sizeof *rows) : NULL; // more than enough
        size_t count = 0;
        for (size_t j = 0; rows && j < verified->value_count; j++) {
            LayerRow *row = &rows[count];
            if (!read_identity(&verified->values[j], row) || !read_times(&summaries[i], row) ||
                isnan(row->median_ns))
                continue;
            row->bytes = find_value(verified, row->layer, "bytes");
            row->needed_bytes = find_value(verified, row->layer, "needed_bytes");
            count++;
        }
        if (count) {
            qsort(rows, count, sizeof *rows, compare_times);
            write_cell(rows, count, run->plan->cells[i].id, out);
        }
        free(rows);
    }
}
