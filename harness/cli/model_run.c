// SPDX-License-Identifier: Apache-2.0
// model_run.c - `hyperion model run`: forward passes over given or seeded inputs.
#include "cli/command.h"
#include "cli/model_arrays.h"
#include "cli/model_load.h"
#include "common/clock.h"
#include "common/json_file.h"
#include "common/quantity.h"
#include "common/text_table.h"
#include "hyperion/error.h"
#include "stats/statistics.h"
#include "workload/model_instance.h"
#include "workload/simd_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const CommandOption options[] = {
    {"--input", "NAME=RAW", true, "file with the input's raw little-endian array"},
    {"--output", "DIR", false, "write each output to DIR/<name>.bin"},
    MODEL_LOAD_OPTIONS,
    {"--level", "LEVEL", false, "SIMD level (default best)"},
    {"--threads", "N", false, "threads; 0 = as many as there are CPUs (default 1)"},
    {"--repeat", "N", false, "forward passes (default 1)"},
    {"--seed", "NUMBER", false, "of the noise in inputs that are not given (default 1)"},
    {"--json", NULL, false, "print one JSON document"},
    {NULL, NULL, false, NULL},
};

static int run_model_run(const CommandArguments *arguments);

const Command command_model_run = {
    .name = "model run",
    .operands = "FILE",
    .summary = "run a model on given or seeded inputs; time and outputs",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_model_run,
};

enum { MOST_REPEATS = 1000000, MOST_PATH = 4096 };

typedef struct Settings {
    HyperionSIMDLevel level;
    long long threads, repeats, seed;
    const char *folder;        // NULL: outputs are not written
    const char *const *inputs; // "NAME=RAW", NULL-terminated; NULL: none
} Settings;

static bool read_number(const CommandArguments *arguments, const char *name, long long least,
                        long long most, long long *value, Problem *problem)
{
    const char *text = command_option(&command_model_run, arguments, name);
    if (text && (!quantity_parse_integer(text, value) || *value < least || *value > most))
        return problem_set(problem,
                           "model run: %s: expected a whole number from %lld to %lld; given "
                           "'%.64s'",
                           name, least, most, text);
    return true;
}

static bool read_settings(const CommandArguments *arguments, Settings *settings, Problem *problem)
{
    const char *level = command_option(&command_model_run, arguments, "--level");
    *settings = (Settings){.threads = 1,
                           .repeats = 1,
                           .seed = 1,
                           .folder = command_option(&command_model_run, arguments, "--output"),
                           .inputs = command_values(&command_model_run, arguments, "--input")};
    return simd_choice_resolve(level ? level : "best", false, &settings->level, problem) &&
           read_number(arguments, "--threads", 0, HYPERION_MAX_THREADS, &settings->threads,
                       problem) &&
           read_number(arguments, "--repeat", 1, MOST_REPEATS, &settings->repeats, problem) &&
           read_number(arguments, "--seed", 0, (long long)1 << 53, &settings->seed, problem);
}

// The index of the input that "NAME=RAW" names; -1. Names may hold "=": the longest that fits
// counts.
static int find_input(const HyperionModel *model, const char *given)
{
    int found = -1;
    size_t longest = 0;
    for (int i = 0; i < hyperionModelInputCount(model); i++) {
        const char *name = hyperionModelInput(model, i).name;
        const size_t length = strlen(name);
        if (strncmp(given, name, length) == 0 && given[length] == '=' && length >= longest) {
            found = i;
            longest = length;
        }
    }
    return found;
}

static bool refuse_input(const HyperionModel *model, const char *given, Problem *problem)
{
    char names[512] = "";
    size_t used = 0;
    for (int i = 0; i < hyperionModelInputCount(model) && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s'%s'", i ? ", " : "",
                                 hyperionModelInput(model, i).name);
    return problem_set(problem,
                       "model run: --input: expected NAME=RAW with NAME of %s; given '%.64s'",
                       names[0] ? names : "no input, which is all this model has", given);
}

// given[i]: the file of input i, or NULL.
static bool read_inputs(const ModelInstance *instance, const Settings *settings, const char **given,
                        Problem *problem)
{
    for (const char *const *input = settings->inputs; input && *input; input++) {
        const int index = find_input(instance->model, *input);
        if (index < 0)
            return refuse_input(instance->model, *input, problem);
        const char *name = hyperionModelInput(instance->model, index).name;
        if (given[index])
            return problem_set(problem, "model run: --input: '%s' is given twice", name);
        given[index] = *input + strlen(name) + 1;
        if (!model_array_read(given[index], name, instance->inputs[index], problem))
            return false;
    }
    return true;
}

static bool run_passes(const ModelInstance *instance, long long count, double *times_ns,
                       Problem *problem)
{
    for (long long i = 0; i < count; i++) {
        const double start_ns = clock_monotonic_ns();
        if (!model_instance_run(instance))
            return problem_set(problem, "%s", hyperionGetLastError());
        times_ns[i] = clock_monotonic_ns() - start_ns;
    }
    return true;
}

// The first pass reads or makes the weights and is told apart.
static json_t *describe_times(const double *times_ns, long long count)
{
    const size_t later = (size_t)count - 1;
    const double first_ns = times_ns[0];
    if (later == 0)
        return json_pack("{s:f, s:n, s:n, s:n}", "first", first_ns, "median", "least", "greatest");
    return json_pack("{s:f, s:f, s:f, s:f}", "first", first_ns, "median",
                     stat_median(times_ns + 1, later), "least",
                     stat_quantile(times_ns + 1, later, 0), "greatest",
                     stat_quantile(times_ns + 1, later, 1));
}

static json_t *describe_tensor(const HyperionTensorInfo *info)
{
    json_t *dims = json_array();
    for (int i = 0; i < info->rank; i++)
        (void)json_array_append_new(dims, json_integer(info->dims[i]));
    return json_pack("{s:s, s:s, s:o}", "name", info->name, "type", hyperionTypeName(info->type),
                     "dims", dims);
}

static json_t *describe_inputs(const ModelInstance *instance, const char *const *given)
{
    json_t *list = json_array();
    for (int i = 0; i < hyperionModelInputCount(instance->model); i++) {
        const HyperionTensorInfo info = hyperionModelInput(instance->model, i);
        json_t *input = describe_tensor(&info);
        const char *made = info.type == HYPERION_TYPE_F32 ? "noise" : "zeros";
        (void)json_object_set_new(input, "from", json_string(given[i] ? given[i] : made));
        (void)json_array_append_new(list, input);
    }
    return list;
}

// Names that differ only in what a path cannot hold would share a file.
static bool check_path(const json_t *outputs, const char *path, Problem *problem)
{
    size_t index;
    const json_t *output;
    json_array_foreach(outputs, index, output)
    {
        const char *file = json_string_value(json_object_get(output, "file"));
        if (file && strcmp(file, path) == 0)
            return problem_set(problem, "model run: two outputs would be written to %s", path);
    }
    return true;
}

// Outputs, written where `folder` says so; NULL with the reason on failure.
static json_t *describe_outputs(const ModelInstance *instance, const char *folder, Problem *problem)
{
    json_t *list = json_array();
    for (int i = 0; i < hyperionModelOutputCount(instance->model); i++) {
        const HyperionTensorInfo info = hyperionModelOutput(instance->model, i);
        const HyperionTensor *tensor = instance->outputs[i];
        json_t *output = describe_tensor(&info);
        char path[MOST_PATH];
        (void)json_object_set_new(output, "values", model_array_summary(tensor));
        (void)json_array_append_new(list, output);
        if (!folder)
            continue;
        if (!model_array_path(folder, info.name, path, sizeof path, problem) ||
            !check_path(list, path, problem) || !model_array_write(path, tensor, problem)) {
            json_decref(list);
            return NULL;
        }
        (void)json_object_set_new(output, "file", json_string(path));
    }
    return list;
}

static void print_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_real(value))
        printf(" %s %.6g", key, json_real_value(value));
}

static void print_text(const json_t *result)
{
    size_t index;
    const json_t *output;
    const json_t *times = json_object_get(result, "time_ns");
    printf("%s, level %s, threads %lld: first pass %.3f ms",
           json_string_value(json_object_get(result, "model")),
           json_string_value(json_object_get(result, "level")),
           (long long)json_integer_value(json_object_get(result, "threads")),
           json_real_value(json_object_get(times, "first")) / 1e6);
    if (json_is_real(json_object_get(times, "median")))
        printf(", later ones %.3f ms (median; %.3f to %.3f)",
               json_real_value(json_object_get(times, "median")) / 1e6,
               json_real_value(json_object_get(times, "least")) / 1e6,
               json_real_value(json_object_get(times, "greatest")) / 1e6);
    (void)putchar('\n');
    json_array_foreach(json_object_get(result, "outputs"), index, output)
    {
        const json_t *values = json_object_get(output, "values");
        const char *file = json_string_value(json_object_get(output, "file"));
        printf("output %s:", json_string_value(json_object_get(output, "name")));
        print_number(values, "least");
        print_number(values, "greatest");
        print_number(values, "mean");
        if (json_integer_value(json_object_get(values, "not_finite")) > 0)
            printf(" not finite %lld",
                   (long long)json_integer_value(json_object_get(values, "not_finite")));
        printf("%s%s\n", file ? " -> " : "", file ? file : "");
    }
}

static json_t *run_instance(ModelInstance *instance, const Settings *settings, Problem *problem)
{
    HyperionModel *model = instance->model;
    json_t *result = NULL;
    double *times_ns = calloc((size_t)settings->repeats, sizeof *times_ns);
    const char **given =
        (const char **)calloc((size_t)hyperionModelInputCount(model) + 1, sizeof *given);
    hyperionSetSIMDOptimizationLevel(model, (int)settings->level);
    if (!times_ns || !given) {
        (void)problem_set(problem, "model run: out of memory");
    } else if (!hyperionSetThreadCount(model, (int)settings->threads)) {
        (void)problem_set(problem, "%s", hyperionGetLastError());
    } else if (model_instance_create_tensors(instance, (uint64_t)settings->seed, problem) &&
               read_inputs(instance, settings, given, problem) &&
               run_passes(instance, settings->repeats, times_ns, problem)) {
        json_t *outputs = describe_outputs(instance, settings->folder, problem);
        if (outputs)
            result = json_pack(
                "{s:s, s:s, s:i, s:I, s:o, s:s, s:o, s:o}", "model", hyperionModelName(model),
                "level", hyperionSIMDLevelName((int)settings->level), "threads",
                hyperionGetThreadCount(model), "passes", (json_int_t)settings->repeats, "time_ns",
                describe_times(times_ns, settings->repeats), "time_provenance", "clock", "inputs",
                describe_inputs(instance, given), "outputs", outputs);
    }
    free(times_ns);
    free((void *)given);
    return result;
}

static int run_model_run(const CommandArguments *arguments)
{
    Problem problem = {0};
    Settings settings;
    if (!read_settings(arguments, &settings, &problem))
        return command_fail(EXIT_USAGE, &problem);
    ModelInstance instance = {
        .model = model_load(&command_model_run, arguments, arguments->words[0], &problem)};
    json_t *result = NULL;
    if (instance.model)
        result = run_instance(&instance, &settings, &problem);
    model_instance_close(&instance);
    if (!result)
        return command_fail(EXIT_USAGE, &problem);
    if (command_option(&command_model_run, arguments, "--json"))
        (void)(json_dumpf(result, stdout, JSON_FILE_FLAGS | JSON_INDENT(2)) == 0 && putchar('\n'));
    else
        print_text(result);
    json_decref(result);
    return EXIT_OK;
}
