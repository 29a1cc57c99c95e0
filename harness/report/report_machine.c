// SPDX-License-Identifier: Apache-2.0
#include "report/report_parts.h"

#include "report/format.h"

#include "machine/facts.h"

#include <string.h>

enum { VALUE_BYTES = 512 };

void report_fact(FILE *out, const char *what, const char *value, const char *reason,
                 const char *from)
{
    (void)fprintf(out, "| %s | ", what);
    if (value && value[0]) {
        format_markdown_cell(out, value);
    } else {
        (void)fputs(reason && reason[0] ? "unknown: " : "unknown", out);
        format_markdown_cell(out, reason ? reason : "");
    }
    (void)fprintf(out, " | %s |\n", from);
}

// One line a fact that is a text of machine.json as it stands.
typedef struct FactRow {
    const char *what, *group, *name, *from;
} FactRow;

static const FactRow fact_rows[] = {
    {"machine key", NULL, "key", "digest of CPU, topology, caches, virtualisation"},
    {"environment digest", NULL, "environment_digest",
     "digest of microcode, kernel, governor, THP, compiler"},
    {"CPU", "cpu", "model_name", "os"},
    {"microcode", "cpu", "microcode", "os"},
    {"hypervisor", "virtualisation", "hypervisor", "cpuid, os"},
    {"operating system", "kernel", "os", "os"},
    {"kernel", "kernel", "release", "os"},
    {"frequency governor", "kernel", "governor", "os"},
    {"transparent huge pages", "kernel", "thp", "os"},
    {"clock source", "kernel", "clocksource", "os"},
    {"compiler", "build", "compiler", "build"},
    {"flags", "build", "flags", "build"},
    {"build type", "build", "build_type", "build"},
};

static void append(char *text, const char *more)
{
    const size_t used = strlen(text);
    (void)snprintf(text + used, VALUE_BYTES - used, "%s", more);
}

// "L1 data 48 KiB, 12 ways, 64 B lines; L2 1 MiB, ..."
static void describe_caches(const json_t *caches, char *text)
{
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(caches); i++) {
        const json_t *cache = json_array_get(caches, i);
        const char *type = fact_text(cache, "type");
        const double bytes = json_number_value(json_object_get(cache, "size_bytes"));
        const json_int_t ways = json_integer_value(json_object_get(cache, "ways"));
        const json_int_t line = json_integer_value(json_object_get(cache, "line_bytes"));
        const json_int_t sharing = json_integer_value(json_object_get(cache, "sharing_cpus"));
        const bool large = bytes >= 1024.0 * 1024;
        char one[160];
        (void)snprintf(one, sizeof one, "%sL%d%s%s %.4g %s", text[0] ? "; " : "",
                       (int)json_integer_value(json_object_get(cache, "level")),
                       type && strcmp(type, "unified") != 0 ? " " : "",
                       type && strcmp(type, "unified") != 0 ? type : "",
                       bytes / (large ? 1024.0 * 1024 : 1024), large ? "MiB" : "KiB");
        append(text, one);
        (void)snprintf(one, sizeof one, ", %d ways", (int)ways);
        append(text, ways > 0 ? one : "");
        (void)snprintf(one, sizeof one, ", %d B lines", (int)line);
        append(text, line > 0 ? one : "");
        (void)snprintf(one, sizeof one, ", shared by %d CPUs", (int)sharing);
        append(text, sharing > 1 ? one : "");
    }
}

static void describe_levels(const json_t *simd, char *text)
{
    const json_t *levels = json_object_get(simd, "levels");
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(levels); i++) {
        const char *level = json_string_value(json_array_get(levels, i));
        append(text, i ? ", " : "");
        append(text, level ? level : "");
    }
}

static void describe_topology(const json_t *topology, char *text)
{
    text[0] = '\0';
    if (topology)
        (void)snprintf(text, VALUE_BYTES, "packages: %d, NUMA nodes: %d, cores: %d, CPUs: %d",
                       (int)json_integer_value(json_object_get(topology, "packages")),
                       (int)json_integer_value(json_object_get(topology, "numa_nodes")),
                       (int)json_integer_value(json_object_get(topology, "cores")),
                       (int)json_integer_value(json_object_get(topology, "cpus")));
}

// How many events of a source are wanted, and how many of them can be counted; the reason of the
// first that cannot.
static size_t count_events(const json_t *counters, const char *source, size_t *countable,
                           const char **reason)
{
    const json_t *events = json_object_get(counters, "events");
    size_t known = 0;
    size_t i = 0;
    const json_t *event = NULL;
    *countable = 0;
    json_array_foreach(events, i, event)
    {
        const char *of = fact_text(event, "source");
        const char *provenance = fact_text(event, "provenance");
        // Predictions that PAPI can read are no hardware.
        if (!of || strcmp(of, source) != 0 || (provenance && strcmp(provenance, "model") == 0))
            continue;
        known++;
        if (json_is_true(json_object_get(event, "available")))
            (*countable)++;
        else if (!(*reason)[0])
            *reason = fact_reason(event, "probe_value");
    }
    return known;
}

// "3 of 19 wanted PAPI events, 0 of 8 of the kernel's own can be counted; the others: ..."
static const char *describe_counters(const json_t *counters, char *text)
{
    size_t by_papi = 0;
    size_t by_kernel = 0;
    const char *reason = "";
    const size_t papi = count_events(counters, "papi", &by_papi, &reason);
    const size_t kernel = count_events(counters, "perf", &by_kernel, &reason);
    text[0] = '\0';
    if (papi > 0)
        (void)snprintf(text, VALUE_BYTES,
                       "%zu of %zu wanted PAPI events, %zu of %zu of the kernel's own can be "
                       "counted%s%.200s",
                       by_papi, papi, by_kernel, kernel, reason[0] ? "; the others: " : "", reason);
    return "not recorded";
}

void report_machine(const json_t *machine, FILE *out)
{
    char text[VALUE_BYTES];
    for (size_t i = 0; i < sizeof fact_rows / sizeof *fact_rows; i++) {
        const FactRow *row = &fact_rows[i];
        const json_t *group = row->group ? json_object_get(machine, row->group) : machine;
        report_fact(out, row->what, fact_text(group, row->name), fact_reason(group, row->name),
                    row->from);
    }
    describe_topology(json_object_get(machine, "topology"), text);
    const char *source = fact_text(json_object_get(machine, "topology"), "source");
    report_fact(out, "topology", text, NULL, source ? source : "hwloc");
    describe_caches(json_object_get(machine, "caches"), text);
    report_fact(out, "caches", text, NULL, source ? source : "hwloc");
    describe_levels(json_object_get(machine, "simd"), text);
    report_fact(out, "SIMD levels", text, NULL, "cpuid");
    const char *reason = describe_counters(json_object_get(machine, "counters"), text);
    report_fact(out, "hardware counters", text, reason, "papi and perf, each event probed");
}
