// SPDX-License-Identifier: Apache-2.0
// model_profile.c - `hyperion model profile`: where a model's time and memory go, layer by layer.
#include "cli/command.h"
#include "cli/model_load.h"
#include "common/json_file.h"
#include "common/quantity.h"
#include "hyperion/error.h"
#include "hyperion/parallel.h"
#include "profile/profile_report.h"
#include "workload/model_instance.h"
#include "workload/simd_choice.h"

#include <limits.h>
#include <stdio.h>

enum { DEFAULT_RUNS = 10, MOST_RUNS = 100000, INPUT_SEED = 1 };

static const CommandOption options[] = {
    MODEL_LOAD_OPTIONS,
    {"--level", "LEVEL", false, "SIMD level (default best)"},
    {"--threads", "N", false, "threads (default 1; 0 = as many as there are CPUs)"},
    {"--runs", "N", false, "runs to record, the first included (default 10)"},
    {"--top", "N", false, "print only the N layers that take longest"},
    {"--json", NULL, false, "print one JSON document"},
    {"--trace", "OUT", false, "also write a trace for chrome://tracing or ui.perfetto.dev"},
    {NULL, NULL, false, NULL},
};

static int run_model_profile(const CommandArguments *arguments);

const Command command_model_profile = {
    .name = "model profile",
    .operands = "FILE",
    .summary = "time, bytes, memory, loads, waits and reuse by layer: table, JSON, Chrome trace",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_model_profile,
};

typedef struct ProfileOptions {
    HyperionSIMDLevel level;
    int threads, runs, top;
} ProfileOptions;

// The option's whole number from least to most; `fallback` where it was not given.
static bool read_count(const CommandArguments *arguments, const char *name, long long least,
                       long long most, int fallback, int *value, Problem *problem)
{
    const char *text = command_option(&command_model_profile, arguments, name);
    long long number = fallback;
    if (text && (!quantity_parse_integer(text, &number) || number < least || number > most))
        return problem_set(problem,
                           "model profile: %s: expected a whole number from %lld to %lld; given "
                           "'%.64s'",
                           name, least, most, text);
    *value = (int)number;
    return true;
}

static bool read_options(const CommandArguments *arguments, ProfileOptions *given, Problem *problem)
{
    const char *level = command_option(&command_model_profile, arguments, "--level");
    return simd_choice_resolve(level ? level : "best", false, &given->level, problem) &&
           read_count(arguments, "--threads", 0, HYPERION_MAX_THREADS, 1, &given->threads,
                      problem) &&
           read_count(arguments, "--runs", 1, MOST_RUNS, DEFAULT_RUNS, &given->runs, problem) &&
           read_count(arguments, "--top", 1, INT_MAX, 0, &given->top, problem);
}

static bool load_model(const CommandArguments *arguments, const ProfileOptions *given,
                       ModelInstance *instance, Problem *problem)
{
    instance->model = model_load(&command_model_profile, arguments, arguments->words[0], problem);
    if (!instance->model)
        return false;
    instance->level = given->level;
    hyperionSetSIMDOptimizationLevel(instance->model, (int)given->level);
    return (hyperionSetThreadCount(instance->model, given->threads) ||
            problem_set(problem, "%s", hyperionGetLastError())) &&
           model_instance_create_tensors(instance, INPUT_SEED, problem);
}

static HyperionProfile *record_runs(const ModelInstance *instance, int runs, Problem *problem)
{
    HyperionProfile *profile = hyperionCreateProfile(instance->model, runs);
    bool ran = profile != NULL;
    for (int i = 0; ran && i < runs; i++)
        ran = model_instance_run(instance);
    if (ran)
        return profile;
    (void)problem_set(problem, "%s", hyperionGetLastError());
    hyperionFreeProfile(profile);
    return NULL;
}

static bool print_report(const CommandArguments *arguments, const ModelInstance *instance,
                         const HyperionProfile *profile, const ProfileOptions *given)
{
    json_t *report = profile_report_make(instance->model, profile);
    bool printed =
        report != NULL &&
        json_object_set_new(report, "simd_level",
                            json_string(hyperionSIMDLevelName((int)given->level))) == 0 &&
        json_object_set_new(report, "threads",
                            json_integer(hyperionGetThreadCount(instance->model))) == 0;
    if (printed && command_option(&command_model_profile, arguments, "--json"))
        printed = json_dumpf(report, stdout, JSON_FILE_FLAGS | JSON_INDENT(2)) == 0 &&
                  putchar('\n') != EOF;
    else if (printed)
        printed = profile_report_print(report, (size_t)given->top, stdout);
    json_decref(report);
    return printed;
}

static bool write_trace(const char *path, const ModelInstance *instance,
                        const HyperionProfile *profile, Problem *problem)
{
    json_t *trace = path ? profile_trace_make(instance->model, profile) : NULL;
    const bool written =
        !path || (trace ? json_file_write(path, trace, problem)
                        : problem_set(problem, "model profile: out of memory for the trace"));
    json_decref(trace);
    return written;
}

static int run_model_profile(const CommandArguments *arguments)
{
    Problem problem = {0};
    ProfileOptions given;
    ModelInstance instance = {0};
    const char *trace_path = command_option(&command_model_profile, arguments, "--trace");
    bool done = false;
    HyperionProfile *profile = NULL;
    if (read_options(arguments, &given, &problem) &&
        load_model(arguments, &given, &instance, &problem))
        profile = record_runs(&instance, given.runs, &problem);
    if (profile)
        done = write_trace(trace_path, &instance, profile, &problem) &&
               (print_report(arguments, &instance, profile, &given) ||
                problem_set(&problem, "model profile: out of memory"));
    hyperionFreeProfile(profile);
    model_instance_close(&instance);
    return done ? EXIT_OK : command_fail(EXIT_USAGE, &problem);
}
