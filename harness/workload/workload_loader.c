// SPDX-License-Identifier: Apache-2.0
// workload_loader.c - forward passes of a model whose weights a progressive loader streams from a
// file.
#include "common/clock.h"
#include "hyperion/error.h"
#include "record/sample.h"
#include "run/usage.h"
#include "scenario/plan.h"
#include "workload/loader_log.h"
#include "workload/model_context.h"
#include "workload/model_memory.h"
#include "workload/page_cache.h"
#include "workload/placement_axes.h"
#include "workload/stream_file.h"
#include "workload/thread_team.h"
#include "workload/workloads.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_ALIGNMENT = 4096 };

// A guess at what a disk gives.
static const double read_gbytes_per_s = 1;

// Indices of the words of the axis page_cache.
typedef enum PageCacheState { PAGE_CACHE_COLD, PAGE_CACHE_WARM } PageCacheState;

typedef struct LoaderContext {
    AxisValue values[AXIS_COUNT]; // of the cell
    WorkloadMachine machine;
    HyperionThreadPool *pool;
    ModelInstance instance; // of the file
    HyperionProgressiveLoader *loader;
    size_t cap_bytes;
    char path[STREAM_PATH_BYTES];
    Resident idle; // before anything was allocated
    bool peak_is_of_runs;
    LoaderLog log;
    double found_share; // of the file, in the page cache before the last timed pass
    Problem failure;    // of a pass or of what prepares it
} LoaderContext;

static bool use_axis(const AxisValue *values, AxisId axis)
{
    (void)values;
    switch (axis) {
    case AXIS_MODEL:
    case AXIS_SIMD_LEVEL:
    case AXIS_BLOCK_SIZE:
    case AXIS_PREFETCH:
    case AXIS_PREFETCH_DISTANCE:
    case AXIS_PREFETCH_WINDOW:
    case AXIS_ADAPTIVE:
    case AXIS_MEMORY_CAP:
    case AXIS_PRIORITY:
    case AXIS_IO_BACKEND:
    case AXIS_IO_MODE:
    case AXIS_BLOCK_BYTES:
    case AXIS_QUEUE_DEPTH:
    case AXIS_PAGE_CACHE:
    case AXIS_SCRATCH:
    case AXIS_BATCH:
    case AXIS_SEQ: return true;
    default: return placement_axes_use(axis);
    }
}

static bool check_loader(const AxisValue *values, Problem *problem)
{
    if (values[AXIS_BLOCK_BYTES].integer % READ_ALIGNMENT != 0)
        return problem_set(problem, "block_bytes %lld: expected a multiple of %d",
                           values[AXIS_BLOCK_BYTES].integer, READ_ALIGNMENT);
    if (values[AXIS_ADAPTIVE].integer && values[AXIS_PREFETCH_WINDOW].integer == 0)
        return problem_set(problem, "adaptive true: prefetch_window 0 leaves nothing to choose");
    return model_context_check(values, problem);
}

// Of built-in models, as the workload model has it, or what reading takes, where that is more. The
// file is made once, and its first pass is before any that counts.
static WorkloadGuess guess_loader(const AxisValue *values)
{
    WorkloadGuess guess = model_context_guess(values);
    Problem unused = {0};
    HyperionModel *model = guess.iteration_ns > 0 ? model_instance_load(values, &unused) : NULL;
    if (!model)
        return guess;
    const double read_ns = (double)hyperionModelWeightBytes(model) / read_gbytes_per_s;
    hyperionFreeModel(model);
    // The layers after the first load while others compute.
    guess.iteration_ns = fmax(guess.iteration_ns, read_ns);
    guess.open_ns = read_ns + guess.iteration_ns;
    return guess;
}

// There are threads beside those of the cell, that read: bound to one CPU they would share it with
// the one that computes.
static const char *own_fallback(AxisId axis)
{
    return axis == AXIS_BINDING ? "none" : NULL;
}

static void close_loader(void *opened)
{
    LoaderContext *context = opened;
    if (!context)
        return;
    loader_log_close(&context->log);
    hyperionFreeProgressiveLoader(context->loader);
    model_instance_close(&context->instance);
    hyperionFreeThreadPool(context->pool);
    free(context);
}

static bool create_loader(LoaderContext *context, Problem *problem)
{
    const AxisValue *values = context->values;
    context->cap_bytes =
        axis_cap_bytes(values[AXIS_MEMORY_CAP], hyperionModelWeightBytes(context->instance.model));
    const HyperionProgressiveLoaderConfig config = {
        .enable_prefetch = values[AXIS_PREFETCH_WINDOW].integer > 0,
        .prefetch_window = (int)values[AXIS_PREFETCH_WINDOW].integer,
        .enable_adaptive_window = values[AXIS_ADAPTIVE].integer != 0,
        .max_memory_usage = context->cap_bytes,
    };
    const HyperionLoaderIOConfig io = {
        .backend = (HyperionLoaderBackend)values[AXIS_IO_BACKEND].integer,
        .mode = (HyperionLoaderMode)values[AXIS_IO_MODE].integer,
        .block_bytes = (size_t)values[AXIS_BLOCK_BYTES].integer,
        .queue_depth = (int)values[AXIS_QUEUE_DEPTH].integer,
    };
    context->loader = hyperionCreateProgressiveLoader(&config);
    return (context->loader && hyperionSetLoaderIO(context->loader, &io) &&
            hyperionAttachModel(context->loader, context->instance.model)) ||
           problem_set(problem, "%s", hyperionGetLastError());
}

// The step of those not yet pinned that has most bytes.
static size_t find_largest(const LoaderLog *log, const bool *pinned)
{
    size_t largest = 0;
    for (size_t i = 1; i < log->pipeline.layer_count; i++)
        if (!pinned[i] && (pinned[largest] || log->size_bytes[i] > log->size_bytes[largest]))
            largest = i;
    return largest;
}

static bool pin_layers(LoaderContext *context, Problem *problem)
{
    const AxisValue value = context->values[AXIS_PRIORITY];
    const LoaderLog *log = &context->log;
    const size_t asked = (size_t)axis_word_parameter(value);
    const bool by_size = strcmp(axis_word(AXIS_PRIORITY, value), "largest:") == 0;
    if (asked > log->pipeline.layer_count)
        return problem_set(problem, "priority: the model has %zu layers with weights, to pin %zu",
                           log->pipeline.layer_count, asked);
    bool *pinned = calloc(log->pipeline.layer_count + 1, sizeof *pinned);
    if (!pinned)
        return problem_set(problem, "out of memory");
    for (size_t i = 0; i < asked; i++) {
        const size_t step = by_size ? find_largest(log, pinned) : i;
        pinned[step] = true;
        hyperionSetLayerPriority(context->loader, log->layers[step], INT_MAX);
    }
    free(pinned);
    return true;
}

// Sizes are in the file that was made by them.
static bool open_model(LoaderContext *context, Problem *problem)
{
    AxisValue values[AXIS_COUNT];
    memcpy(values, context->values, sizeof values);
    if (!stream_file_find(values, context->path, sizeof context->path, problem))
        return false;
    if (strcmp(context->path, values[AXIS_MODEL].text) != 0) {
        (void)axis_fallback(AXIS_BATCH, &values[AXIS_BATCH]);
        (void)axis_fallback(AXIS_SEQ, &values[AXIS_SEQ]);
        values[AXIS_MODEL].text = context->path;
    }
    return model_instance_set_up(&context->instance, values, &context->machine, context->pool,
                                 problem);
}

// Of no pass that is timed, but to find what the page cache cannot do before any is.
static bool find_page_cache(const LoaderContext *context, Problem *problem)
{
    return context->values[AXIS_PAGE_CACHE].integer == PAGE_CACHE_COLD
               ? page_cache_drop(context->path, problem)
               : page_cache_fill(context->path, problem);
}

static bool run_pass(const LoaderContext *context, Problem *problem)
{
    return model_instance_run(&context->instance) ||
           problem_set(problem, "%s", hyperionGetLastError());
}

static void *open_loader(const Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    LoaderContext *context = calloc(1, sizeof *context);
    if (!context) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    memcpy(context->values, cell->values, sizeof context->values);
    context->machine = *machine;
    context->idle = usage_resident();
    context->pool = thread_team_open(cell->values, machine, problem);
    const bool ready = context->pool && open_model(context, problem) &&
                       find_page_cache(context, problem) && create_loader(context, problem);
    if (ready && loader_log_open(&context->log, context->loader, context->instance.model,
                                 context->cap_bytes)) {
        context->peak_is_of_runs = usage_forget_peak();
        if (pin_layers(context, problem) && run_pass(context, problem))
            return context;
    }
    (void)problem_set(problem, "out of memory"); // the first reason stays
    close_loader(context);
    return NULL;
}

// To the bit what the model gives when all of it is in memory, at the same level: a file that was
// made of it holds the same weights, and where they come from changes no result.
static bool verify_loader(void *opened, Problem *problem)
{
    LoaderContext *context = opened;
    ModelInstance whole;
    const bool same =
        model_instance_open(&whole, context->values, &context->machine, context->pool, problem) &&
        run_pass(context, problem) &&
        model_instance_same(&context->instance, &whole, "of the model in memory", problem);
    model_instance_close(&whole);
    return same;
}

static void prepare_pass(void *opened)
{
    LoaderContext *context = opened;
    loader_log_end(&context->log);
    (void)find_page_cache(context, &context->failure);
    context->found_share = page_cache_share(context->path);
    loader_log_begin(&context->log);
}

static void time_pass(void *opened)
{
    LoaderContext *context = opened;
    context->log.start_ns = clock_monotonic_ns();
    (void)run_pass(context, &context->failure);
    context->log.end_ns = clock_monotonic_ns();
}

static WorkloadPlacement place_loader(void *opened)
{
    return (WorkloadPlacement){.pool = ((LoaderContext *)opened)->pool, .copies = 1};
}

static WorkloadFacts describe_loader(void *opened)
{
    const LoaderContext *context = opened;
    const ModelInstance *instance = &context->instance;
    const HyperionMemoryStats memory = hyperionGetProgressiveLoaderStats(context->loader);
    WorkloadFacts facts = model_instance_facts(instance);
    facts.operand_bytes +=
        (double)memory.planned_bytes + (double)hyperionModelActivationBytes(instance->model);
    (void)snprintf(facts.predicted_reason, sizeof facts.predicted_reason,
                   "predictions are of weights in memory");
    return facts;
}

static bool add_memory(const LoaderContext *context, Sample *sample)
{
    const HyperionMemoryStats stats = hyperionGetProgressiveLoaderStats(context->loader);
    return sample_add_value(sample, "loader.peak_bytes", (double)stats.peak_bytes, "B", "os", "") &&
           sample_add_value(sample, "loader.cap_bytes",
                            context->cap_bytes > 0 ? (double)context->cap_bytes : (double)NAN, "B",
                            "model", context->cap_bytes > 0 ? "" : "there is no cap") &&
           sample_add_value(sample, "loader.weight_bytes", (double)stats.naive_bytes, "B", "model",
                            "") &&
           sample_add_value(sample, "loader.least_bytes", (double)stats.lower_bound_bytes, "B",
                            "model", "") &&
           model_memory_add_measured(&context->idle, 0, context->peak_is_of_runs, sample);
}

static bool add_share(Sample *sample, const char *name, double share)
{
    return sample_add_value(sample, name, share, "", "os",
                            isnan(share) ? "not reported by the operating system" : "");
}

// How it was read, with the reason where that is another way than asked for.
static bool add_io(const LoaderContext *context, Sample *sample)
{
    const HyperionLoaderIO io = hyperionGetLoaderIO(context->loader);
    char backend[64];
    char mode[64];
    (void)snprintf(backend, sizeof backend, "loader.backend.%s",
                   hyperionLoaderBackendName(io.backend));
    (void)snprintf(mode, sizeof mode, "loader.mode.%s", hyperionLoaderModeName(io.mode));
    return sample_add_value(sample, backend, 1, "", "os", io.backend_reason) &&
           sample_add_value(sample, mode, 1, "", "os", io.mode_reason) &&
           sample_add_value(sample, "loader.block_bytes", (double)io.block_bytes, "B", "os", "") &&
           sample_add_value(sample, "loader.queue_depth", io.queue_depth, "", "os", "");
}

static bool add_values(void *opened, Sample *sample, Problem *problem)
{
    LoaderContext *context = opened;
    if (sample->task == SAMPLE_VERIFY)
        return loader_log_add_layers(&context->log, sample);
    if (context->failure.text[0])
        return problem_set(problem, "%s", context->failure.text);
    loader_log_end(&context->log);
    return loader_log_add(&context->log, sample) &&
           loader_log_add_timeline(&context->log, sample) && add_memory(context, sample) &&
           add_io(context, sample) &&
           add_share(sample, "loader.cached_before", context->found_share) &&
           add_share(sample, "loader.cached_after", page_cache_share(context->path));
}

const Workload workload_loader = {
    .name = "loader",
    .help = "one forward pass of a model whose weights are streamed from a file within a cap, each "
            "pass with the file in the page cache or not",
    .uses = use_axis,
    .check = check_loader,
    .guess = guess_loader,
    .open = open_loader,
    .verify = verify_loader,
    .prepare = prepare_pass,
    .run = time_pass,
    .facts = describe_loader,
    .add_values = add_values,
    .placement = place_loader,
    .fallback = own_fallback,
    .close = close_loader,
};
