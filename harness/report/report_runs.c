// SPDX-License-Identifier: Apache-2.0
// report_runs.c - which runs a report of several is about, on which machines, and what differs in
// their environments.
#include "report/format.h"
#include "report/report_parts.h"

#include "machine/facts.h"

#include <stdlib.h>
#include <string.h>

static void write_cell(const char *text, FILE *out)
{
    (void)fputc(' ', out);
    format_markdown_cell(out, text ? text : "unknown");
    (void)fputs(" |", out);
}

static void write_run(const RunSet *set, size_t index, FILE *out)
{
    const RunRecord *run = set->runs[index];
    char text[MACHINE_TEXT_BYTES];
    (void)fprintf(out, "| %zu | M%zu |", index + 1, set->machines.of_run[index] + 1);
    run_machine_describe(run->machine, text, sizeof text);
    write_cell(text, out);
    write_cell(run_machine_key(run->machine), out);
    write_cell(fact_text(run->machine, "environment_digest"), out);
    write_cell(fact_text(json_object_get(run->machine, "build"), "commit"), out);
    write_cell(run->plan->scenario, out);
    write_cell(run->plan->hash, out);
    write_cell(run->path, out);
    (void)fputc('\n', out);
}

static const json_t *environment_of(const RunRecord *run)
{
    return json_object_get(run->machine, "environment");
}

static bool environments_differ(const RunSet *set, const char *fact)
{
    const json_t *first = json_object_get(environment_of(set->runs[0]), fact);
    for (size_t i = 1; i < set->count; i++) {
        const json_t *other = json_object_get(environment_of(set->runs[i]), fact);
        if (!first != !other || (first && !json_equal(first, other)))
            return true;
    }
    return false;
}

static void write_environment_value(const json_t *value, FILE *out)
{
    char *text = value && !json_is_null(value) && !json_is_string(value)
                     ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
                     : NULL;
    write_cell(text ? text : json_string_value(value), out);
    free(text);
}

static void write_difference(const RunSet *set, const char *fact, bool first, FILE *out)
{
    if (first) {
        (void)fputs("\n### What differs in the environments\n\n| what |", out);
        for (size_t i = 0; i < set->count; i++)
            (void)fprintf(out, " run %zu, M%zu |", i + 1, set->machines.of_run[i] + 1);
        (void)fputs("\n|---|", out);
        for (size_t i = 0; i < set->count; i++)
            (void)fputs("---|", out);
        (void)fputc('\n', out);
    }
    (void)fprintf(out, "| %s |", fact);
    for (size_t i = 0; i < set->count; i++)
        write_environment_value(json_object_get(environment_of(set->runs[i]), fact), out);
    (void)fputc('\n', out);
}

static bool listed_before(const RunSet *set, size_t run, const char *fact)
{
    for (size_t i = 0; i < run; i++)
        if (json_object_get(environment_of(set->runs[i]), fact))
            return true;
    return false;
}

static void write_differences(const RunSet *set, FILE *out)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        json_t *environment = json_object_get(set->runs[i]->machine, "environment");
        const char *fact;
        json_t *value;
        json_object_foreach(environment, fact, value)
        {
            (void)value;
            if (!listed_before(set, i, fact) && environments_differ(set, fact))
                write_difference(set, fact, count++ == 0, out);
        }
    }
    if (count == 0)
        (void)fputs("\nThe recorded environments do not differ.\n", out);
}

void report_runs(const RunSet *set, FILE *out)
{
    (void)fputs(
        "\n## Runs and machines\n\n| run | machine | name | machine key | environment digest | "
        "commit | scenario | plan hash | directory |\n"
        "|---:|---|---|---|---|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < set->count; i++)
        write_run(set, i, out);
    write_differences(set, out);
}
