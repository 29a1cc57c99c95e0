// SPDX-License-Identifier: Apache-2.0
// solve_pipeline.c - `hyperion solve pipeline`: the time of a pass over layers that stream, and the
// hits of repeated passes.
#include "cli/command.h"
#include "common/json_fields.h"
#include "common/json_file.h"
#include "common/quantity.h"
#include "hyperion/error.h"
#include "hyperion/planners.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const CommandOption options[] = {
    {"--window", "W", false, "at most so many layers in memory beside the one that runs (any)"},
    {"--byte-cap", "BYTES", false, "at most so many bytes of layers in memory (any number)"},
    {"--cyclic", "LAYERS", false,
     "instead of a file, CAPACITY and PASSES: hits of so many passes over LAYERS layers, with room "
     "for CAPACITY of them"},
    {"--json", NULL, false, "print one JSON document"},
    {NULL, NULL, false, NULL},
};

static int run_solve_pipeline(const CommandArguments *arguments);

const Command command_solve_pipeline = {
    .name = "solve pipeline",
    .operands = "FILE|CAPACITY PASSES",
    .summary =
        "time of layers that are loaded one after the other while others run, given as JSON: "
        "load[], compute[], bytes[] by layer",
    .least_words = 1,
    .most_words = 2,
    .options = options,
    .run = run_solve_pipeline,
};

// What FILE holds; the arrays are this one's.
typedef struct Instance {
    double *load, *compute, *bytes;
    size_t *size_bytes;
    size_t layer_count;
} Instance;

static void clear_instance(Instance *instance)
{
    free(instance->load);
    free(instance->compute);
    free(instance->bytes);
    free(instance->size_bytes);
}

static bool convert_sizes(Instance *instance, const char *path, Problem *problem)
{
    const double most_bytes = 9007199254740992.0; // 2^53: whole numbers up to it are exact
    instance->size_bytes = calloc(instance->layer_count + 1, sizeof *instance->size_bytes);
    if (!instance->size_bytes)
        return problem_set(problem, "%s: out of memory", path);
    for (size_t i = 0; i < instance->layer_count; i++) {
        const double bytes = instance->bytes[i];
        if (!(bytes >= 0 && bytes <= most_bytes && bytes == floor(bytes)))
            return problem_set(problem,
                               "%s: \"bytes\"[%zu]: expected a whole number from 0 to 2^53, given "
                               "%.17g",
                               path, i, bytes);
        instance->size_bytes[i] = (size_t)bytes;
    }
    return true;
}

static bool read_arrays(Instance *instance, const json_t *json, bool with_bytes, const char *path,
                        Problem *problem)
{
    size_t compute_count = 0;
    size_t byte_count = 0;
    Problem member = {0};
    if (!json_is_object(json))
        return problem_set(problem, "%s: expected one object with load, compute and bytes", path);
    if (!json_read_numbers(json, "load", &instance->load, &instance->layer_count, &member) ||
        !json_read_numbers(json, "compute", &instance->compute, &compute_count, &member) ||
        (with_bytes && !json_read_numbers(json, "bytes", &instance->bytes, &byte_count, &member)))
        return problem_set(problem, "%s: %s", path, member.text);
    if (compute_count != instance->layer_count ||
        (with_bytes && byte_count != instance->layer_count))
        return problem_set(problem, "%s: load, compute and bytes are not of one length", path);
    return !with_bytes || convert_sizes(instance, path, problem);
}

static bool read_instance(Instance *instance, const char *path, bool with_bytes, Problem *problem)
{
    json_t *json = json_file_read(path, problem);
    const bool read = json && read_arrays(instance, json, with_bytes, path, problem);
    json_decref(json);
    return read;
}

// Whole numbers stay whole.
static json_t *make_time(double time)
{
    const double most = 9007199254740992.0; // 2^53
    if (time == floor(time) && time <= most)
        return json_integer((json_int_t)time);
    return json_number_or_null(time);
}

static bool print_document(json_t *json, Problem *problem)
{
    const bool printed = json && json_dumpf(json, stdout, JSON_FILE_FLAGS) == 0;
    json_decref(json);
    (void)putchar('\n');
    return printed || problem_set(problem, "out of memory");
}

static bool print_time(const HyperionPipelineTime *time, bool as_json, Problem *problem)
{
    if (as_json)
        return print_document(json_pack("{s:o, s:o}", "makespan", make_time(time->makespan),
                                        "bound", make_time(time->bound)),
                              problem);
    if (isfinite(time->makespan))
        printf("makespan  %.15g\n", time->makespan);
    else
        printf("makespan  none: a layer is larger than the cap\n");
    printf("bound     %.15g, without a limit on memory\n", time->bound);
    return true;
}

static bool solve_file(const CommandArguments *arguments, bool as_json, Problem *problem)
{
    const char *window = command_option(&command_solve_pipeline, arguments, "--window");
    const char *cap = command_option(&command_solve_pipeline, arguments, "--byte-cap");
    long long layers = -1;
    long long bytes = 0;
    if (window && (!quantity_parse_integer(window, &layers) || layers < 0))
        return problem_set(problem, "--window: expected layers, at least 0, given '%s'", window);
    if (cap && (!quantity_parse_bytes(cap, &bytes) || bytes == 0))
        return problem_set(problem, "--byte-cap: expected bytes, at least 1, given '%s'", cap);
    if (arguments->word_count != 1)
        return problem_set(problem, "solve pipeline: expected one FILE");
    Instance instance = {0};
    bool solved = read_instance(&instance, arguments->words[0], cap != NULL, problem);
    if (solved) {
        const HyperionPipeline pipeline = {.load = instance.load,
                                           .compute = instance.compute,
                                           .size_bytes = instance.size_bytes,
                                           .layer_count = instance.layer_count};
        const HyperionPipelineTime time =
            hyperionPlanPipeline(&pipeline, window ? (size_t)layers : SIZE_MAX, (size_t)bytes);
        solved = time.valid
                     ? print_time(&time, as_json, problem)
                     : problem_set(problem, "%s: %s", arguments->words[0], hyperionGetLastError());
    }
    clear_instance(&instance);
    return solved;
}

// A pass over 2^24 layers, or as many passes over one, takes a tenth of a second.
static bool read_count(const char *what, const char *text, long long least, size_t *count,
                       Problem *problem)
{
    const long long most = 1 << 24;
    long long value = 0;
    if (!quantity_parse_integer(text, &value) || value < least || value > most)
        return problem_set(problem, "--cyclic: %s: expected %lld to %lld, given '%s'", what, least,
                           most, text);
    *count = (size_t)value;
    return true;
}

static bool solve_cyclic(const CommandArguments *arguments, const char *layers, bool as_json,
                         Problem *problem)
{
    size_t layer_count = 0;
    size_t capacity = 0;
    size_t pass_count = 0;
    if (arguments->word_count != 2)
        return problem_set(problem, "--cyclic: expected LAYERS CAPACITY PASSES");
    if (!read_count("LAYERS", layers, 0, &layer_count, problem) ||
        !read_count("CAPACITY", arguments->words[0], 1, &capacity, problem) ||
        !read_count("PASSES", arguments->words[1], 0, &pass_count, problem))
        return false;
    const uint64_t hits = hyperionCountCyclicHits(layer_count, capacity, pass_count);
    if (hits == UINT64_MAX)
        return problem_set(problem, "%s", hyperionGetLastError());
    if (as_json)
        return print_document(json_pack("{s:I}", "hits", (json_int_t)hits), problem);
    printf("hits  %llu\n", (unsigned long long)hits);
    return true;
}

static int run_solve_pipeline(const CommandArguments *arguments)
{
    Problem problem = {0};
    const bool as_json = command_option(&command_solve_pipeline, arguments, "--json") != NULL;
    const char *layers = command_option(&command_solve_pipeline, arguments, "--cyclic");
    const bool solved = layers ? solve_cyclic(arguments, layers, as_json, &problem)
                               : solve_file(arguments, as_json, &problem);
    return solved ? EXIT_OK : command_fail(EXIT_USAGE, &problem);
}
