// SPDX-License-Identifier: Apache-2.0
// workload_model.c - one forward pass of a model, built-in or from a file.
#include "hyperion/error.h"
#include "record/sample.h"
#include "scenario/plan.h"
#include "workload/cold_copies.h"
#include "workload/model_context.h"
#include "workload/model_memory.h"
#include "workload/model_pages.h"
#include "workload/placement_axes.h"
#include "workload/thread_team.h"
#include "workload/workloads.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_builtin(const char *model)
{
    return strncmp(model, MODEL_BUILTIN_PREFIX, sizeof MODEL_BUILTIN_PREFIX - 1) == 0;
}

bool model_context_uses(const AxisValue *values, AxisId axis)
{
    (void)values;
    switch (axis) {
    case AXIS_MODEL:
    case AXIS_SIMD_LEVEL:
    case AXIS_BLOCK_SIZE:
    case AXIS_PREFETCH:
    case AXIS_PREFETCH_DISTANCE:
    case AXIS_PAGES:
    case AXIS_CACHE_STATE:
    case AXIS_GEOMETRY:
    case AXIS_LAYOUT:
    case AXIS_TRADEOFF:
    case AXIS_MEMORY_BUDGET:
    case AXIS_IN_PLACE:
    case AXIS_TENSOR_REUSE:
    case AXIS_BATCH:
    case AXIS_SEQ: return true;
    default: return placement_axes_use(axis);
    }
}

// The keys of that built-in generator, as its help has them; NULL where there is none.
static const char *find_builtin(const char *model)
{
    const char *name = model + sizeof MODEL_BUILTIN_PREFIX - 1;
    const size_t length = strcspn(name, ":");
    for (int i = 0; hyperionBuiltinModelName(i); i++)
        if (strncmp(hyperionBuiltinModelName(i), name, length) == 0 &&
            hyperionBuiltinModelName(i)[length] == '\0')
            return hyperionBuiltinModelHelp(i);
    return NULL;
}

// Whether `text` has "key=" after one of the characters of `before`.
static bool has_key(const char *text, const char *before, const char *key)
{
    const size_t length = strlen(key);
    for (const char *at = strpbrk(text, before); at; at = strpbrk(at + 1, before))
        if (strncmp(at + 1, key, length) == 0 && at[1 + length] == '=')
            return true;
    return false;
}

static bool check_builtin(const AxisValue *values, Problem *problem)
{
    const char *model = values[AXIS_MODEL].text;
    const char *help = find_builtin(model);
    if (!help)
        return problem_set(problem, "model %s: no such built-in model; `hyperion list models`",
                           model);
    for (const ModelSize *size = model_sizes; size->key; size++) {
        const bool given = values[size->axis].integer != size->own;
        if (has_key(model, ":,", size->key) && (given || !size->goes_in_name))
            return problem_set(problem, "model %s: %s is an axis of its own", model, size->key);
        if (given && !has_key(help, " ", size->key))
            return problem_set(problem, "model %s has no %s; given %lld", model, size->key,
                               values[size->axis].integer);
    }
    return true;
}

static bool check_memory(const AxisValue *values, Problem *problem)
{
    const double tradeoff = values[AXIS_TRADEOFF].real;
    if (tradeoff < 0 && tradeoff != -1)
        return problem_set(problem, "tradeoff %g: expected 0 to 1, or -1 for no choice of its own",
                           tradeoff);
    if (model_instance_wants_optimizer(values) && values[AXIS_LAYOUT].integer != 0)
        return problem_set(problem, "layout packed: the memory optimizer, which tradeoff, "
                                    "memory_budget, in_place and tensor_reuse ask for, chooses "
                                    "which weights are packed");
    return true;
}

bool model_context_check(const AxisValue *values, Problem *problem)
{
    const char *model = values[AXIS_MODEL].text;
    if (!model)
        return problem_set(problem, "model: none given");
    if (!placement_axes_check(values, problem) || !check_memory(values, problem))
        return false;
    if (values[AXIS_PAGES].integer == OPERAND_PAGES_RESERVED)
        return problem_set(problem, "pages hugetlb: the memory of a model is the library's own; 4k "
                                    "and thp can be had");
    // Which sizes a file leaves open shows when it is opened.
    return !is_builtin(model) || check_builtin(values, problem);
}

// Of built-in models, whose weights are made when they run: no file is read for a plan. Rates as of
// the kernel workload, less what layers lose that are no products; weights are made at 0.6 GB/s and
// copied at 2 GB/s, to some 64 MiB at least (two last levels of 32 MiB).
WorkloadGuess model_context_guess(const AxisValue *values)
{
    static const double rates_gflops[HYPERION_SIMD_LEVEL_COUNT] = {3, 15, 40, 60};
    const long long word = values[AXIS_SIMD_LEVEL].integer;
    // Other words are no level: "best" or neon.
    const double rate = rates_gflops[word < HYPERION_SIMD_LEVEL_COUNT ? word : HYPERION_SIMD_AVX2];
    Problem unused = {0};
    HyperionModel *model =
        is_builtin(values[AXIS_MODEL].text) ? model_instance_load(values, &unused) : NULL;
    if (!model)
        return (WorkloadGuess){0};
    const double weight_bytes = (double)hyperionModelWeightBytes(model);
    const double iteration_ns = hyperionModelFlops(model) / rate;
    hyperionFreeModel(model);
    return (WorkloadGuess){.open_ns = weight_bytes / 0.6 + fmax(weight_bytes, 64 << 20) / 2 +
                                      2 * iteration_ns,
                           .iteration_ns = iteration_ns};
}

const char *model_context_fallback(AxisId axis)
{
    // In use, a model's weights come from memory: they are read once a pass, between other work.
    return axis == AXIS_CACHE_STATE ? "weights-cold" : NULL;
}

void model_context_close(void *opened)
{
    ModelContext *context = opened;
    if (!context)
        return;
    model_instance_free_tensors(context->expected);
    hyperionFreeProfile(context->profile);
    for (size_t i = 0; i < context->instance_count; i++)
        model_instance_close(&context->instances[i]);
    free(context->instances);
    hyperionFreeThreadPool(context->pool);
    free(context);
}

static bool open_instances(ModelContext *context, size_t count, const AxisValue *values,
                           const WorkloadMachine *machine, Problem *problem)
{
    ModelInstance *grown = realloc(context->instances, count * sizeof *grown);
    if (!grown)
        return problem_set(problem, "out of memory for %zu models", count);
    context->instances = grown;
    while (context->instance_count < count)
        if (!model_instance_open(&context->instances[context->instance_count++], values, machine,
                                 context->pool, problem))
            return false;
    return true;
}

// Copies of the weights in one model, or of the whole model with its activations and tensors.
static bool keep_cold(ModelContext *context, const AxisValue *values,
                      const WorkloadMachine *machine, Problem *problem)
{
    const ModelInstance *first = context->instances;
    assert(first);
    const int levels = machine->topology.level_count;
    const size_t last_level_bytes = levels ? machine->topology.levels[levels - 1].size_bytes : 0;
    const CacheState state = machine->keeps_cold ? cold_copies_state(values) : CACHE_WARM;
    size_t cold_bytes = hyperionModelWeightBytes(first->model);
    // A model without weights is as cold as it can be.
    if (state == CACHE_WARM || (state == CACHE_WEIGHTS_COLD && cold_bytes == 0))
        return true;
    if (state == CACHE_ALL_COLD)
        cold_bytes += hyperionModelActivationBytes(first->model) +
                      model_instance_bytes(first->inputs) + model_instance_bytes(first->outputs);
    if (!cold_copies_count(cold_bytes, last_level_bytes, &context->copies, problem))
        return false;
    context->copy_bytes =
        (context->copies - 1) * (cold_bytes + hyperionModelPackedBytes(first->model));
    if (state == CACHE_ALL_COLD)
        return open_instances(context, context->copies, values, machine, problem);
    // Packed weights are copied too: without them while that is done, least memory is needed.
    return (hyperionResetMemoryLayout(first->model) &&
            hyperionSetWeightCopies(first->model, context->copies) &&
            model_instance_lay_out(first) && model_instance_optimize(context->instances)) ||
           problem_set(problem, "%s", hyperionGetLastError());
}

void *model_context_open(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    ModelContext *context = calloc(1, sizeof *context);
    if (!context) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    const OperandPages pages = (OperandPages)cell->values[AXIS_PAGES].integer;
    context->copies = 1;
    model_memory_begin(context);
    if (model_pages_prepare(pages, problem))
        context->pool = thread_team_open(cell->values, machine, problem);
    if (!context->pool || !open_instances(context, 1, cell->values, machine, problem) ||
        !keep_cold(context, cell->values, machine, problem) ||
        (pages == OPERAND_PAGES_TRANSPARENT && !model_pages_collapse(problem))) {
        model_context_close(context);
        return NULL;
    }
    model_memory_settle(context);
    return context;
}

// NaN equals nothing.
static bool is_close(float given, float expected)
{
    return fabsf(given - expected) <= 1e-4F + 1e-4F * fabsf(expected) || given == expected;
}

static bool compare_output(const ModelContext *context, int index, Problem *problem)
{
    const HyperionTensor *given = context->instances[0].outputs[index];
    const HyperionTensor *expected = context->expected[index];
    const size_t count = hyperionTensorElementCount(given);
    const char *name = hyperionModelOutput(context->instances[0].model, index).name;
    if (hyperionTensorType(given) != HYPERION_TYPE_F32)
        return memcmp(hyperionTensorConstData(given), hyperionTensorConstData(expected),
                      hyperionTensorBytes(given)) == 0 ||
               problem_set(problem, "output %s differs from that of the scalar kernels", name);
    const float *a = hyperionTensorConstData(given);
    const float *b = hyperionTensorConstData(expected);
    for (size_t i = 0; i < count; i++)
        if (!is_close(a[i], b[i]))
            return problem_set(problem,
                               "output %s, element %zu of %zu: got %.9g at SIMD level %s, %.9g at "
                               "scalar",
                               name, i, count, (double)a[i],
                               hyperionSIMDLevelName((int)context->instances[0].level),
                               (double)b[i]);
    return true;
}

// Plain kernels: one thread, weights packed at every call, every activation in memory of its own.
static bool run_scalar(const ModelInstance *instance, HyperionTensor **outputs)
{
    return hyperionResetMemoryLayout(instance->model) &&
           hyperionSetThreadPool(instance->model, NULL) &&
           hyperionRunModel(instance->model, instance->inputs, outputs);
}

bool model_context_verify(void *opened, Problem *problem)
{
    ModelContext *context = opened;
    ModelInstance *instance = &context->instances[0];
    if (!context->expected)
        context->expected = model_instance_outputs(instance);
    if (!context->expected)
        return problem_set(problem, "outputs: %s", hyperionGetLastError());
    model_instance_end_optimizing(instance);
    hyperionSetSIMDOptimizationLevel(instance->model, HYPERION_SIMD_SCALAR);
    const bool scalar = run_scalar(instance, context->expected);
    hyperionSetSIMDOptimizationLevel(instance->model, (int)instance->level);
    if (!hyperionSetThreadPool(instance->model, context->pool) || !scalar ||
        !model_instance_lay_out(instance) || !model_instance_optimize(instance) ||
        !model_instance_run(instance))
        return problem_set(problem, "%s", hyperionGetLastError());
    for (int i = 0; i < hyperionModelOutputCount(instance->model); i++)
        if (!compare_output(context, i, problem))
            return false;
    return true;
}

void model_context_run(void *opened)
{
    // The same pass went well when it was opened: nothing it needs has changed since.
    ModelContext *context = opened;
    (void)model_instance_run(&context->instances[context->next]);
    context->next = context->next + 1 < context->instance_count ? context->next + 1 : 0;
}

WorkloadPlacement model_context_placement(void *opened)
{
    const ModelContext *context = opened;
    return (WorkloadPlacement){
        .pool = context->pool, .copies = context->copies, .copy_bytes = context->copy_bytes};
}

bool model_context_add_values(void *opened, Sample *sample, Problem *problem)
{
    (void)problem;
    return sample->task != SAMPLE_TIME || model_memory_add(opened, sample);
}

WorkloadFacts model_context_facts(void *opened)
{
    const ModelContext *context = opened;
    const ModelInstance *instance = &context->instances[0];
    const HyperionMemoryPlan plan = instance->optimizer ? hyperionGetMemoryPlan(instance->optimizer)
                                                        : (HyperionMemoryPlan){.valid = false};
    WorkloadFacts facts = model_instance_facts(instance);
    facts.operand_bytes += plan.valid ? (double)plan.total_bytes
                                      : (double)hyperionModelWeightBytes(instance->model) +
                                            (double)hyperionModelPackedBytes(instance->model) +
                                            (double)hyperionModelActivationBytes(instance->model);
    const char *reason = "predictions are of one thread, and the cell has several";
    if (hyperionGetThreadCount(instance->model) == 1) {
        facts.predicted = hyperionGetCacheStats(instance->model);
        reason = facts.predicted.valid ? "" : hyperionGetLastError();
    }
    (void)snprintf(facts.predicted_reason, sizeof facts.predicted_reason, "%s", reason);
    return facts;
}

HyperionCacheStats model_context_predict(void *opened, const HyperionPredictionConfig *config)
{
    const ModelContext *context = opened;
    HyperionModel *model = context->instances[0].model;
    HyperionCacheStats stats = {.valid = false};
    const HyperionPredictionConfig before = hyperionGetCachePrediction(model);
    if (hyperionConfigureCachePrediction(model, config)) {
        stats = hyperionGetCacheStats(model);
        (void)hyperionConfigureCachePrediction(model, &before); // which was good before
    }
    return stats;
}

const Workload workload_model = {
    .name = "model",
    .help = "one forward pass of a model, built-in or from a file",
    .uses = model_context_uses,
    .check = model_context_check,
    .guess = model_context_guess,
    .open = model_context_open,
    .verify = model_context_verify,
    .run = model_context_run,
    .facts = model_context_facts,
    .predict = model_context_predict,
    .add_values = model_context_add_values,
    .placement = model_context_placement,
    .fallback = model_context_fallback,
    .close = model_context_close,
};
