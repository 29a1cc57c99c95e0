// SPDX-License-Identifier: Apache-2.0
// machine.c - `hyperion machine`: the machine for people or as JSON.
#include "machine/machine.h"
#include "cli/command.h"
#include "common/json_file.h"

#include <stdio.h>

enum { OPTION_JSON, OPTION_MEASURE, OPTION_SYSROOT };

static const CommandOption options[] = {
    [OPTION_JSON] = {"--json", NULL, false, "one JSON document"},
    [OPTION_MEASURE] = {"--measure", NULL, false,
                        "measure what it can do again (some ten seconds)"},
    [OPTION_SYSROOT] = {"--sysroot", "DIR", false,
                        "describe a captured machine: DIR/proc, DIR/sys, DIR/topology.xml"},
    {NULL, NULL, false, NULL},
};

static json_t *describe(const CommandArguments *arguments, Problem *problem)
{
    const char *const *sysroot = arguments->options_of[OPTION_SYSROOT];
    if (sysroot && arguments->options_of[OPTION_MEASURE]) {
        (void)problem_set(problem,
                          "--measure and --sysroot: a captured machine cannot be measured");
        return NULL;
    }
    if (sysroot)
        return machine_describe_captured(sysroot[0], NULL, problem);
    if (!arguments->options_of[OPTION_MEASURE])
        return machine_describe(NULL, problem);
    (void)fprintf(stderr, "measuring peaks, latencies and bandwidths ...\n");
    json_t *limits = machine_measure_limits(LIMITS_ALL, problem);
    json_t *machine = limits ? machine_describe(NULL, problem) : NULL;
    if (machine && !machine_set_limits(machine, limits))
        (void)problem_set(problem, "out of memory");
    json_decref(limits);
    return machine;
}

static int run_machine(const CommandArguments *arguments)
{
    Problem problem = {0};
    json_t *machine = describe(arguments, &problem);
    if (!machine)
        return command_fail(EXIT_USAGE, &problem);
    if (arguments->options_of[OPTION_JSON]) {
        (void)json_dumpf(machine, stdout, JSON_FILE_FLAGS | JSON_INDENT(2));
        (void)putchar('\n');
    } else {
        machine_print(machine);
    }
    json_decref(machine);
    return EXIT_OK;
}

const Command command_machine = {
    .name = "machine",
    .operands = "",
    .summary = "what this machine is: caches, SIMD, counters, kernel, keys, measured limits",
    .options = options,
    .run = run_machine,
};
