// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "cli/inventory.h"

#include "cli/command.h"
#include "common/installation.h"
#include "counters/counters.h"
#include "hyperion/model.h"
#include "hyperion/simd.h"
#include "kernel_table.h"
#include "scenario/plan.h"
#include "stats/metrics.h"
#include "workload/workload.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Text that is not there is null in JSON.
static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static json_t *finish(json_t *rows, Problem *problem)
{
    if (!rows)
        (void)problem_set(problem, "list: out of memory");
    return rows;
}

static void add_commands(json_t *rows, const Command *const *table)
{
    for (size_t i = 0; table[i]; i++) {
        const Command *command = table[i];
        if (command->group) {
            add_commands(rows, command->group);
            continue;
        }
        char usage[1024];
        int used = snprintf(usage, sizeof usage, "%s%s%s", command->name,
                            command->operands[0] ? " " : "", command->operands);
        for (size_t j = 0; command->options[j].name && used < (int)sizeof usage; j++) {
            const CommandOption *option = &command->options[j];
            used += snprintf(usage + used, sizeof usage - (size_t)used, " [%s%s%s]%s", option->name,
                             option->value ? " " : "", option->value ? option->value : "",
                             option->repeated ? "..." : "");
        }
        (void)json_array_append_new(
            rows, json_pack("{s:s, s:s}", "command", usage, "meaning", command->summary));
    }
}

static json_t *collect_commands(Problem *problem)
{
    json_t *rows = json_array();
    add_commands(rows, command_table);
    return finish(rows, problem);
}

static json_t *collect_kernels(Problem *problem)
{
    const HyperionSIMDCapabilities machine = hyperionGetSIMDCapabilities();
    json_t *rows = json_array();
    for (size_t i = 0; i < hyp_kernel_count; i++) {
        const HypKernelVariant *kernel = &hyp_kernel_table[i];
        char tile[48] = "";
        if (kernel->mr)
            (void)snprintf(tile, sizeof tile, "%zu x %zu", kernel->mr, kernel->nr);
        (void)json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b}", "kernel", kernel->name, "op",
                            kernel->op_name, "level", hyperionSIMDLevelName((int)kernel->level),
                            "tuning", kernel->tuning, "tile", or_null(tile), "runs_here",
                            (int)(machine.levels >> kernel->level & 1)));
    }
    return finish(rows, problem);
}

// "1 to 4096", "scalar, sse41, ..." or the kind.
static void describe_values(const Axis *axis, char *text, size_t text_bytes)
{
    static const char *const kinds[] = {
        [AXIS_INTEGER] = "integer", [AXIS_BYTES] = "size",       [AXIS_CAP] = "share, or size",
        [AXIS_REAL] = "real",       [AXIS_FLAG] = "true, false", [AXIS_WORD] = "word",
        [AXIS_TEXT] = "text"};
    size_t used = 0;
    if (axis->kind == AXIS_WORD)
        for (size_t i = 0; axis->words[i] && used < text_bytes; i++)
            used += (size_t)snprintf(text + used, text_bytes - used, "%s%s%s", i ? ", " : "",
                                     axis->words[i], strchr(axis->words[i], ':') ? "N" : "");
    else if (axis->minimum < axis->maximum && axis->kind != AXIS_FLAG)
        (void)snprintf(text, text_bytes, "%s %.15g to %.15g", kinds[axis->kind], axis->minimum,
                       axis->maximum);
    else
        (void)snprintf(text, text_bytes, "%s", kinds[axis->kind]);
}

static json_t *collect_axes(Problem *problem)
{
    json_t *rows = json_array();
    for (AxisId id = 0; id < AXIS_COUNT; id++) {
        const Axis *axis = &axis_table[id];
        char values[256];
        describe_values(axis, values, sizeof values);
        (void)json_array_append_new(rows,
                                    json_pack("{s:s, s:s, s:s?, s:s?, s:s}", "axis", axis->key,
                                              "values", values, "unit", or_null(axis->unit),
                                              "default", axis->fallback, "meaning", axis->help));
    }
    return finish(rows, problem);
}

static json_t *collect_workloads(Problem *problem)
{
    json_t *rows = json_array();
    for (size_t i = 0; workload_table[i]; i++)
        (void)json_array_append_new(rows,
                                    json_pack("{s:s, s:s}", "workload", workload_table[i]->name,
                                              "meaning", workload_table[i]->help));
    return finish(rows, problem);
}

static bool append_source(json_t *rows, const CounterSource *source)
{
    const size_t count = source->list(NULL, 0);
    CounterEvent *events = calloc(count + 1, sizeof *events);
    if (!events)
        return false;
    const size_t listed = source->list(events, count);
    for (size_t i = 0; i < listed && i < count; i++)
        (void)json_array_append_new(
            rows, json_pack("{s:s, s:s, s:b, s:s, s:s?, s:s?}", "source", source->name, "event",
                            events[i].name, "countable", (int)events[i].available, "provenance",
                            events[i].available ? events[i].provenance : "unavailable", "native",
                            or_null(events[i].native), "reason", or_null(events[i].reason)));
    free(events);
    return true;
}

static json_t *collect_counters(Problem *problem)
{
    json_t *rows = json_array();
    for (size_t i = 0; rows && counter_source_table[i]; i++) {
        if (!append_source(rows, counter_source_table[i])) {
            json_decref(rows);
            rows = NULL;
        }
    }
    return finish(rows, problem);
}

static json_t *collect_metrics(Problem *problem)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < metric_count; i++)
        (void)json_array_append_new(
            rows,
            json_pack("{s:s, s:s?, s:s, s:s}", "metric", metric_table[i].name, "unit",
                      or_null(metric_table[i].unit), "provenance",
                      metric_table[i].provenance[0] ? metric_table[i].provenance : "of its source",
                      "meaning", metric_table[i].help));
    return finish(rows, problem);
}

static json_t *describe_scenario(const char *path)
{
    Problem reason = {0};
    Plan *plan = plan_from_scenario(path, NULL, &reason);
    json_t *row = plan ? json_pack("{s:s, s:s, s:I, s:I, s:s}", "file", path, "scenario",
                                   plan->scenario, "cells", (json_int_t)plan->cell_count,
                                   "estimated_s", (json_int_t)(plan_estimate_ns(plan) / 1e9) + 1,
                                   "description", plan->description)
                       : json_pack("{s:s, s:n, s:n, s:n, s:s}", "file", path, "scenario", "cells",
                                   "estimated_s", "description", reason.text);
    plan_free(plan);
    return row;
}

// Those under scenarios/ in the current directory, else the program's own.
static json_t *collect_scenarios(Problem *problem)
{
    static const char pattern[] = "scenarios/*.yaml";
    char own[PATH_MAX];
    char own_pattern[PATH_MAX + 16];
    glob_t found;
    int outcome = glob(pattern, 0, NULL, &found);
    if (outcome == GLOB_NOMATCH &&
        installation_folder("scenarios", "smoke-gemm.yaml", own, sizeof own)) {
        (void)snprintf(own_pattern, sizeof own_pattern, "%s/*.yaml", own);
        outcome = glob(own_pattern, 0, NULL, &found);
    }
    if (outcome != 0) {
        (void)problem_set(problem,
                          "list scenarios: %s in the current directory or beside the program: %s",
                          pattern, outcome == GLOB_NOMATCH ? "there is none" : strerror(errno));
        return NULL;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < found.gl_pathc; i++)
        (void)json_array_append_new(rows, describe_scenario(found.gl_pathv[i]));
    globfree(&found);
    return finish(rows, problem);
}

static json_t *collect_models(Problem *problem)
{
    json_t *rows = json_array();
    for (int i = 0; hyperionBuiltinModelName(i); i++)
        (void)json_array_append_new(rows, json_pack("{s:s+, s:s}", "model",
                                                    "builtin:", hyperionBuiltinModelName(i),
                                                    "parameters", hyperionBuiltinModelHelp(i)));
    return finish(rows, problem);
}

const Inventory inventory_table[] = {
    {"commands", collect_commands},   {"kernels", collect_kernels},   {"axes", collect_axes},
    {"workloads", collect_workloads}, {"counters", collect_counters}, {"metrics", collect_metrics},
    {"scenarios", collect_scenarios}, {"models", collect_models},     {NULL, NULL},
};
