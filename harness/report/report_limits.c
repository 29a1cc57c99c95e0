// SPDX-License-Identifier: Apache-2.0
// report_limits.c - what the machine was measured to be able to do.
#include "report/report_parts.h"

#include "common/quantity.h"
#include "machine/bandwidth.h"
#include "machine/facts.h"
#include "report/format.h"

static void write_peaks(const json_t *machine, FILE *out)
{
    const json_t *peaks = json_object_get(json_object_get(machine, "limits"), "peaks");
    (void)fprintf(out, "\n### Measured peaks of one core\n\n");
    if (json_object_size(peaks) == 0) {
        const char *reason = fact_reason(machine, "limits");
        (void)fprintf(out, "Not measured%s%s; fractions of the peak are unknown.\n",
                      reason[0] ? ": " : "", reason);
        return;
    }
    (void)fprintf(out, "| SIMD level | peak [GFLOP/s] | spread | runs | instructions | from |\n"
                       "|---|---:|---:|---:|---|---|\n");
    for (size_t level = 0; level < METRICS_LEVEL_COUNT; level++) {
        const char *name = metrics_level_names[level];
        const json_t *peak = json_object_get(peaks, name);
        if (!peak)
            continue;
        char median[FORMAT_BYTES];
        char low[FORMAT_BYTES];
        char high[FORMAT_BYTES];
        format_number(json_number_value(json_object_get(peak, "gflops")), 4, median);
        format_number(json_number_value(json_object_get(peak, "low")), 4, low);
        format_number(json_number_value(json_object_get(peak, "high")), 4, high);
        char runs[FORMAT_BYTES] = FORMAT_UNKNOWN;
        if (json_is_integer(json_object_get(peak, "runs")))
            (void)snprintf(runs, sizeof runs, "%d",
                           (int)json_integer_value(json_object_get(peak, "runs")));
        const char *instructions = fact_text(peak, "instructions");
        const char *provenance = fact_text(peak, "provenance");
        (void)fprintf(out, "| %s | %s | %s to %s | %s | %s | %s |\n", name, median, low, high, runs,
                      instructions ? instructions : FORMAT_UNKNOWN,
                      provenance ? provenance : FORMAT_UNKNOWN);
    }
    (void)fprintf(out, "\nPeaks are register-only multiply-adds, the best over several numbers of "
                       "accumulator chains; median and range over the runs.\n");
}

static void write_bytes(const json_t *value, FILE *out)
{
    char text[48] = FORMAT_UNKNOWN;
    if (json_is_integer(value))
        quantity_format_bytes(json_integer_value(value), text, sizeof text);
    (void)fprintf(out, " %s |", text);
}

static void write_number(const json_t *value, FILE *out)
{
    char text[FORMAT_BYTES] = FORMAT_UNKNOWN;
    if (json_is_number(value))
        format_number(json_number_value(value), 3, text);
    (void)fprintf(out, " %s |", text);
}

static void write_rates(const json_t *row, const char *name, FILE *out)
{
    const json_t *patterns = json_object_get(row, name);
    for (size_t i = 0; i < STREAM_PATTERN_COUNT; i++)
        write_number(
            json_object_get(json_object_get(patterns, bandwidth_pattern_names[i]), "gbytes_per_s"),
            out);
}

static void write_memory(const json_t *limits, FILE *out)
{
    const json_t *rows = json_object_get(limits, "memory");
    size_t i = 0;
    const json_t *row = NULL;
    (void)fprintf(out, "\n### Measured latency and bandwidth\n\n");
    if (json_array_size(rows) == 0) {
        const char *reason = fact_reason(limits, "memory");
        (void)fprintf(out, "Not measured%s%s.\n", reason[0] ? ": " : "", reason);
        return;
    }
    (void)fprintf(
        out, "| level | advertised | observed | latency [ns] | one core: read [GB/s] | write | "
             "copy | triad | all cores: read [GB/s] | write | copy | triad |\n"
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    json_array_foreach(rows, i, row)
    {
        (void)fprintf(out, "| %s |", fact_text(row, "name"));
        write_bytes(json_object_get(row, "advertised_bytes"), out);
        write_bytes(json_object_get(row, "observed_bytes"), out);
        write_number(json_object_get(row, "latency_ns"), out);
        write_rates(row, "bandwidth", out);
        write_rates(row, "bandwidth_all", out);
        (void)fputs("\n", out);
    }
    (void)fprintf(
        out, "\nMedians (clock), measured once per machine and environment and kept; with their "
             "spread in `machine.json`. Observed: the largest array of which three of four loads "
             "of a pointer chase are answered there. GB/s: 1e9 bytes loaded and stored by "
             "straight passes over a working set that fits the level.\n");
}

void report_limits(const json_t *machine, FILE *out)
{
    const json_t *limits = json_object_get(machine, "limits");
    write_peaks(machine, out);
    if (json_object_get(limits, "memory"))
        write_memory(limits, out);
}
