// SPDX-License-Identifier: Apache-2.0
#include "machine/machine_limits.h"

#include "common/quantity.h"
#include "machine/bandwidth.h"
#include "machine/facts.h"

#include <stdio.h>

enum { LABEL_COLUMNS = 16, NUMBER_COLUMNS = 9 };

static void print_missing(const char *label, const char *reason)
{
    printf("\n  %-*s %s\n", LABEL_COLUMNS, label, reason);
}

static void print_peaks(const json_t *limits, const char *name, const char *label)
{
    const char *level = NULL;
    json_t *peak = NULL;
    json_t *peaks = json_object_get(limits, name);
    if (!json_is_object(peaks)) {
        print_missing(label, fact_reason(limits, name));
        return;
    }
    printf("\n  %-*s %9s %9s %9s   GFLOP/s, single precision\n", LABEL_COLUMNS, label, "median",
           "low", "high");
    json_object_foreach(peaks, level, peak)
    {
        const char *instructions = fact_text(peak, "instructions");
        printf("    %-*s %9.1f %9.1f %9.1f   %s, %lld chains", LABEL_COLUMNS - 2, level,
               json_number_value(json_object_get(peak, "gflops")),
               json_number_value(json_object_get(peak, "low")),
               json_number_value(json_object_get(peak, "high")), instructions ? instructions : "",
               (long long)json_integer_value(json_object_get(peak, "chains")));
        const long long threads = json_integer_value(json_object_get(peak, "threads"));
        printf(threads > 1 ? ", %lld threads\n" : "\n", threads);
    }
}

// The number, or "-".
static void print_number(const json_t *value)
{
    if (json_is_number(value))
        printf(" %*.1f", NUMBER_COLUMNS, json_number_value(value));
    else
        printf(" %*s", NUMBER_COLUMNS, "-");
}

static void print_bytes(const json_t *value)
{
    char text[48] = "-";
    if (json_is_integer(value))
        quantity_format_bytes(json_integer_value(value), text, sizeof text);
    printf(" %*s", NUMBER_COLUMNS + 2, text);
}

static void print_rates(const json_t *row, const char *name)
{
    const json_t *patterns = json_object_get(row, name);
    for (size_t i = 0; i < STREAM_PATTERN_COUNT; i++)
        print_number(
            json_object_get(json_object_get(patterns, bandwidth_pattern_names[i]), "gbytes_per_s"));
}

static void print_latencies(const json_t *rows)
{
    size_t i = 0;
    json_t *row = NULL;
    printf("\n  %-*s %11s %11s %9s %9s %9s   ns a load (pointer chase)\n", LABEL_COLUMNS, "latency",
           "advertised", "observed", "median", "least", "high");
    json_array_foreach(rows, i, row)
    {
        printf("    %-*s", LABEL_COLUMNS - 2, fact_text(row, "name"));
        print_bytes(json_object_get(row, "advertised_bytes"));
        print_bytes(json_object_get(row, "observed_bytes"));
        print_number(json_object_get(row, "latency_ns"));
        print_number(json_object_get(row, "latency_least_ns"));
        print_number(json_object_get(row, "latency_high_ns"));
        printf("\n");
    }
}

static void print_bandwidths(const json_t *rows, const char *name, const char *label)
{
    size_t i = 0;
    json_t *row = NULL;
    printf("\n  %-*s", LABEL_COLUMNS, label);
    for (size_t pattern = 0; pattern < STREAM_PATTERN_COUNT; pattern++)
        printf(" %*s", NUMBER_COLUMNS, bandwidth_pattern_names[pattern]);
    printf("   GB/s loaded and stored, median\n");
    json_array_foreach(rows, i, row)
    {
        printf("    %-*s", LABEL_COLUMNS - 2, fact_text(row, "name"));
        print_rates(row, name);
        const char *reason = fact_reason(row, name);
        printf("%s%s\n", reason[0] ? "   " : "", reason);
    }
}

void limits_print(const json_t *machine)
{
    const json_t *limits = json_object_get(machine, "limits");
    if (!json_is_object(limits)) {
        print_missing("limits", fact_reason(machine, "limits"));
        return;
    }
    print_peaks(limits, "peaks", "peak of one core");
    print_peaks(limits, "peaks_all", "of all cores");
    const json_t *rows = json_object_get(limits, "memory");
    if (!json_is_array(rows)) {
        print_missing("memory", fact_reason(limits, "memory"));
        return;
    }
    print_latencies(rows);
    print_bandwidths(rows, "bandwidth", "one core");
    print_bandwidths(rows, "bandwidth_all", "all cores");
}
