// SPDX-License-Identifier: Apache-2.0
// machine_print.c - a description of a machine as one screen for people.
#include "machine/machine.h"

#include "machine/facts.h"

#include <stdio.h>
#include <string.h>

enum { SCREEN_COLUMNS = 96, LABEL_COLUMNS = 16 };

static const char *text_or(const json_t *facts, const char *name, const char *other)
{
    const char *text = fact_text(facts, name);
    return text ? text : other;
}

static void print_label(const char *label)
{
    printf("  %-*s ", LABEL_COLUMNS, label);
}

// "2 cores", "1 core", "? cores"
static void print_count(const json_t *facts, const char *name, const char *what, const char *before)
{
    const json_t *value = json_object_get(facts, name);
    if (json_is_integer(value))
        printf("%s%lld %s%s", before, (long long)json_integer_value(value), what,
               json_integer_value(value) == 1 ? "" : "s");
    else
        printf("%s? %ss", before, what);
}

static void format_bytes(const json_t *value, char *text, size_t text_bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double bytes = json_number_value(value);
    size_t unit = 0;
    if (!json_is_integer(value)) {
        (void)snprintf(text, text_bytes, "unknown");
        return;
    }
    for (; bytes >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        bytes /= 1024;
    (void)snprintf(text, text_bytes, "%.4g %s", bytes, units[unit]);
}

// "kvm", "true" as "on", "unknown (no frequency scaling visible)"
static void print_fact(const json_t *facts, const char *name)
{
    const json_t *value = json_object_get(facts, name);
    if (json_is_string(value))
        printf("%s", json_string_value(value));
    else if (json_is_integer(value))
        printf("%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        printf("%s", json_is_true(value) ? "on" : "off");
    else
        printf("unknown (%s)", fact_reason(facts, name));
}

static void print_identity(const json_t *machine)
{
    const json_t *cpu = json_object_get(machine, "cpu");
    const json_t *virtualisation = json_object_get(machine, "virtualisation");
    const json_t *is_virtual = json_object_get(virtualisation, "virtual");
    const json_t *topology = json_object_get(machine, "topology");
    char memory[32];
    format_bytes(json_object_get(topology, "memory_bytes"), memory, sizeof memory);
    printf("%s\n\n", text_or(cpu, "model_name", "CPU of unknown name"));
    print_label("CPU");
    printf("%s, family %s, model %s, stepping %s\n", text_or(cpu, "vendor", "unknown vendor"),
           text_or(cpu, "family", "?"), text_or(cpu, "model", "?"), text_or(cpu, "stepping", "?"));
    print_label("hardware");
    if (json_is_true(is_virtual))
        printf("virtual machine (%s)", text_or(virtualisation, "hypervisor", "hypervisor unknown"));
    else
        printf("%s", json_is_false(is_virtual) ? "physical" : "physical or virtual: unknown");
    const char *product = fact_text(virtualisation, "product");
    printf("%s%s\n", product ? ", " : "", product ? product : "");
    print_label("topology");
    print_count(topology, "cores", "core", "");
    print_count(topology, "cpus", "CPU", ", ");
    print_count(topology, "packages", "package", ", ");
    print_count(topology, "numa_nodes", "NUMA node", ", ");
    printf(", %s of memory%s\n", memory,
           json_is_true(json_object_get(topology, "xml")) ? "" : " (from /sys, without hwloc)");
}

static void print_simd(const json_t *simd)
{
    size_t i = 0;
    const json_t *level = NULL;
    print_label("SIMD levels");
    if (json_is_null(json_object_get(simd, "levels"))) {
        printf("unknown (%s)\n", fact_reason(simd, "levels"));
        return;
    }
    json_array_foreach(json_object_get(simd, "levels"), i, level)
        printf("%s%s", i ? ", " : "", json_string_value(level));
    printf(" (vectors of %lld bytes)\n",
           (long long)json_integer_value(json_object_get(simd, "vector_bytes")));
}

static void print_cache(const json_t *cache)
{
    char name[32];
    char size[32];
    char line[32];
    char ways[32];
    const char *type = text_or(cache, "type", "");
    const json_int_t way_count = json_integer_value(json_object_get(cache, "ways"));
    (void)snprintf(name, sizeof name, "L%lld%s%s",
                   (long long)json_integer_value(json_object_get(cache, "level")),
                   strcmp(type, "unified") == 0 ? "" : " ",
                   strcmp(type, "unified") == 0 ? "" : type);
    format_bytes(json_object_get(cache, "size_bytes"), size, sizeof size);
    format_bytes(json_object_get(cache, "line_bytes"), line, sizeof line);
    if (way_count < 0)
        (void)snprintf(ways, sizeof ways, "full");
    else if (way_count == 0)
        (void)snprintf(ways, sizeof ways, "unknown");
    else
        (void)snprintf(ways, sizeof ways, "%lld", (long long)way_count);
    printf("    %-*s %9s %9s %8s %6lld", LABEL_COLUMNS - 2, name, size, line, ways,
           (long long)json_integer_value(json_object_get(cache, "count")));
    print_count(cache, "sharing_cpus", "CPU", "   shared by ");
    printf("\n");
}

static void print_caches(const json_t *caches)
{
    size_t i = 0;
    const json_t *cache = NULL;
    if (json_array_size(caches) == 0) {
        printf("\n  caches           unknown: none seen\n");
        return;
    }
    printf("\n  %-*s %9s %9s %8s %6s\n", LABEL_COLUMNS, "caches", "size", "line", "ways", "count");
    json_array_foreach(caches, i, cache) print_cache(cache);
}

static bool shares_fate(const json_t *a, const json_t *b)
{
    return strcmp(text_or(a, "source", ""), text_or(b, "source", "")) == 0 &&
           strcmp(fact_reason(a, "probe_value"), fact_reason(b, "probe_value")) == 0;
}

// The events of `events` that cannot be counted for the same reason as `first`, wrapped to the
// screen.
static void print_refused(const json_t *events, const json_t *first)
{
    size_t i = 0;
    const json_t *event = NULL;
    int column = 0;
    printf("    %s, unavailable: %s\n", text_or(first, "source", ""),
           fact_reason(first, "probe_value"));
    json_array_foreach(events, i, event)
    {
        const char *name = text_or(event, "name", "");
        if (!shares_fate(event, first))
            continue;
        if (column && column + (int)strlen(name) >= SCREEN_COLUMNS) {
            printf("\n");
            column = 0;
        }
        column += printf("%s%s", column ? " " : "      ", name);
    }
    printf("\n");
}

static void print_available(const json_t *events, const json_t *first)
{
    size_t i = 0;
    const json_t *event = NULL;
    printf("    %s, available\n", text_or(first, "source", ""));
    json_array_foreach(events, i, event)
    {
        const char *words = text_or(event, "trust_words", NULL);
        if (shares_fate(event, first))
            printf("      %-22s %s%s%s\n", text_or(event, "name", ""),
                   text_or(event, "native", "native event unknown"), words ? "; " : "",
                   words ? words : "");
    }
}

// True if an earlier event shares its fate, so that it is printed already.
static bool is_repeated(const json_t *events, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (shares_fate(json_array_get(events, i), json_array_get(events, index)))
            return true;
    return false;
}

static void print_counters(const json_t *machine)
{
    const json_t *events = json_object_get(json_object_get(machine, "counters"), "events");
    size_t i = 0;
    const json_t *event = NULL;
    printf("\n  counters");
    if (events)
        printf("\n");
    else
        printf("         %s\n", fact_reason(machine, "counters"));
    json_array_foreach(events, i, event)
    {
        if (is_repeated(events, i))
            continue;
        if (!json_is_true(json_object_get(event, "available")))
            print_refused(events, event);
        else
            print_available(events, event);
    }
}

static void print_settings(const json_t *machine)
{
    static const struct {
        const char *label, *section, *name;
    } rows[] = {
        {"system", "kernel", "os"},
        {"kernel", "kernel", "release"},
        {"microcode", "cpu", "microcode"},
        {"governor", "kernel", "governor"},
        {"boost", "kernel", "boost"},
        {"SMT", "kernel", "smt"},
        {"THP", "kernel", "thp"},
        {"NUMA balancing", "kernel", "numa_balancing"},
        {"isolated CPUs", "kernel", "isolated_cpus"},
        {"CPU quota", "kernel", "cpu_quota"},
    };
    printf("\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_label(rows[i].label);
        print_fact(json_object_get(machine, rows[i].section), rows[i].name);
        printf("\n");
    }
}

static void print_build(const json_t *machine)
{
    const json_t *build = json_object_get(machine, "build");
    printf("\n");
    print_label("Hyperion");
    printf("%s, %s, %s (%s)\n", text_or(build, "version", "?"), text_or(build, "compiler", "?"),
           text_or(build, "build_type", "?"), text_or(build, "flags", ""));
    print_label("commit");
    print_fact(build, "commit");
    printf("%s\n", json_is_true(json_object_get(build, "modified")) ? ", modified" : "");
    print_label("machine key");
    printf("%s  CPU, topology, caches: timings compare within one key\n",
           text_or(machine, "key", ""));
    print_label("environment");
    printf("%s  microcode, kernel, governor, THP, compiler\n",
           text_or(machine, "environment_digest", ""));
}

void machine_print(const json_t *machine)
{
    print_identity(machine);
    print_simd(json_object_get(machine, "simd"));
    print_caches(json_object_get(machine, "caches"));
    limits_print(machine);
    print_counters(machine);
    print_settings(machine);
    print_build(machine);
}
