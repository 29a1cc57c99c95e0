// SPDX-License-Identifier: Apache-2.0
// workload_model.c - one forward pass of a model, built-in or from a file.
#include "hyperion/error.h"
#include "hyperion/model.h"
#include "hyperion/tensor.h"
#include "scenario/plan.h"
#include "workload/random_fill.h"
#include "workload/simd_choice.h"
#include "workload/thread_team.h"
#include "workload/workloads.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ModelContext {
    HyperionModel *model;
    HyperionThreadPool *pool;
    HyperionSIMDLevel level;
    HyperionTensor **inputs;
    HyperionTensor **outputs;
    HyperionTensor **expected; // outputs of the scalar kernels on one thread
} ModelContext;

static const char builtin_prefix[] = "builtin:";

static bool is_builtin(const char *model)
{
    return strncmp(model, builtin_prefix, sizeof builtin_prefix - 1) == 0;
}

static bool use_axis(const AxisValue *values, AxisId axis)
{
    (void)values;
    switch (axis) {
    case AXIS_MODEL:
    case AXIS_SIMD_LEVEL:
    case AXIS_BLOCK_SIZE:
    case AXIS_PREFETCH:
    case AXIS_PREFETCH_DISTANCE:
    case AXIS_BINDING:
    case AXIS_THREADS:
    case AXIS_BATCH: return true;
    default: return false;
    }
}

static bool check_builtin(const char *model, Problem *problem)
{
    const char *name = model + sizeof builtin_prefix - 1;
    const size_t length = strcspn(name, ":");
    if (strstr(model, ":batch=") || strstr(model, ",batch="))
        return problem_set(problem, "model %s: the batch is an axis of its own", model);
    for (int i = 0; hyperionBuiltinModelName(i); i++)
        if (strncmp(hyperionBuiltinModelName(i), name, length) == 0 &&
            hyperionBuiltinModelName(i)[length] == '\0')
            return true;
    return problem_set(problem, "model %s: no such built-in model; `hyperion list models`", model);
}

static bool check_model(const AxisValue *values, Problem *problem)
{
    const char *model = values[AXIS_MODEL].text;
    if (!model)
        return problem_set(problem, "model: none given");
    if (is_builtin(model))
        return check_builtin(model, problem);
    return values[AXIS_BATCH].integer == 1 ||
           problem_set(problem,
                       "model %s: shapes of a file are fixed, batch must be 1; "
                       "given %lld",
                       model, values[AXIS_BATCH].integer);
}

static HyperionModel *load_model(const AxisValue *values, Problem *problem)
{
    const char *path = values[AXIS_MODEL].text;
    char with_batch[AXIS_TEXT_BYTES + 32];
    if (values[AXIS_BATCH].integer != 1) {
        const char *parameters = strchr(path + sizeof builtin_prefix - 1, ':');
        (void)snprintf(with_batch, sizeof with_batch, "%s%sbatch=%lld", path,
                       parameters ? "," : ":", values[AXIS_BATCH].integer);
        path = with_batch;
    }
    HyperionModel *model = hyperionLoadModel(path);
    if (!model)
        (void)problem_set(problem, "%s", hyperionGetLastError());
    return model;
}

static bool configure_model(ModelContext *context, const AxisValue *values,
                            const WorkloadMachine *machine, Problem *problem)
{
    const HyperionCacheConfig config = {
        .block_size = (int)values[AXIS_BLOCK_SIZE].integer,
        .enable_prefetch = values[AXIS_PREFETCH].integer != 0,
        .prefetch_distance = (int)values[AXIS_PREFETCH_DISTANCE].integer,
    };
    const char *word = axis_table[AXIS_SIMD_LEVEL].words[values[AXIS_SIMD_LEVEL].integer];
    if (!simd_choice_resolve(word, machine->emulated, &context->level, problem))
        return false;
    hyperionSetSIMDOptimizationLevel(context->model, (int)context->level);
    return (hyperionSetCacheTopology(context->model, &machine->topology) &&
            hyperionConfigureCacheOptimization(context->model, &config) &&
            hyperionSetThreadPool(context->model, context->pool)) ||
           problem_set(problem, "%s", hyperionGetLastError());
}

static HyperionTensor **create_tensors(const HyperionModel *model, int count,
                                       HyperionTensorInfo (*describe)(const HyperionModel *model,
                                                                      int index))
{
    HyperionTensor **tensors = calloc((size_t)count + 1, sizeof(HyperionTensor *));
    for (int i = 0; tensors && i < count; i++) {
        const HyperionTensorInfo info = describe(model, i);
        tensors[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        if (!tensors[i]) {
            while (i-- > 0)
                hyperionFreeTensor(tensors[i]);
            free((void *)tensors);
            return NULL;
        }
    }
    return tensors;
}

static void free_tensors(HyperionTensor **tensors)
{
    for (size_t i = 0; tensors && tensors[i]; i++)
        hyperionFreeTensor(tensors[i]);
    free((void *)tensors);
}

static void close_model(void *opened)
{
    ModelContext *context = opened;
    if (!context)
        return;
    free_tensors(context->inputs);
    free_tensors(context->outputs);
    free_tensors(context->expected);
    hyperionFreeModel(context->model);
    hyperionFreeThreadPool(context->pool);
    free(context);
}

static bool create_all_tensors(ModelContext *context, uint64_t seed, Problem *problem)
{
    const HyperionModel *model = context->model;
    const int outputs = hyperionModelOutputCount(model);
    context->inputs = create_tensors(model, hyperionModelInputCount(model), hyperionModelInput);
    context->outputs = create_tensors(model, outputs, hyperionModelOutput);
    context->expected = create_tensors(model, outputs, hyperionModelOutput);
    if (!context->inputs || !context->outputs || !context->expected)
        return problem_set(problem, "inputs and outputs: %s", hyperionGetLastError());
    // Inputs of other types are indices or flags; zero, as created, is always one
    // of them.
    for (size_t i = 0; context->inputs[i]; i++)
        if (hyperionTensorType(context->inputs[i]) == HYPERION_TYPE_F32)
            seed = random_fill(hyperionTensorData(context->inputs[i]),
                               hyperionTensorElementCount(context->inputs[i]), seed);
    return true;
}

static void *open_model(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    ModelContext *context = calloc(1, sizeof *context);
    if (!context) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    context->pool = thread_team_open(cell->values, machine, problem);
    context->model = context->pool ? load_model(cell->values, problem) : NULL;
    // The first pass reads the weights and places the activations.
    if (!context->model || !configure_model(context, cell->values, machine, problem) ||
        !create_all_tensors(context, machine->seed, problem) ||
        (!hyperionRunModel(context->model, context->inputs, context->outputs) &&
         !problem_set(problem, "%s", hyperionGetLastError()))) {
        close_model(context);
        return NULL;
    }
    return context;
}

// NaN equals nothing.
static bool is_close(float given, float expected)
{
    return fabsf(given - expected) <= 1e-4F + 1e-4F * fabsf(expected) || given == expected;
}

static bool compare_output(const ModelContext *context, int index, Problem *problem)
{
    const HyperionTensor *given = context->outputs[index];
    const HyperionTensor *expected = context->expected[index];
    const size_t count = hyperionTensorElementCount(given);
    const char *name = hyperionModelOutput(context->model, index).name;
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
                               hyperionSIMDLevelName((int)context->level), (double)b[i]);
    return true;
}

static bool verify_model(void *opened, Problem *problem)
{
    ModelContext *context = opened;
    hyperionSetSIMDOptimizationLevel(context->model, HYPERION_SIMD_SCALAR);
    const bool scalar = hyperionSetThreadPool(context->model, NULL) &&
                        hyperionRunModel(context->model, context->inputs, context->expected);
    hyperionSetSIMDOptimizationLevel(context->model, (int)context->level);
    if (!hyperionSetThreadPool(context->model, context->pool) || !scalar ||
        !hyperionRunModel(context->model, context->inputs, context->outputs))
        return problem_set(problem, "%s", hyperionGetLastError());
    for (int i = 0; i < hyperionModelOutputCount(context->model); i++)
        if (!compare_output(context, i, problem))
            return false;
    return true;
}

static void run_model(void *opened)
{
    // The same pass went well in open_model: nothing it needs has changed since.
    const ModelContext *context = opened;
    (void)hyperionRunModel(context->model, context->inputs, context->outputs);
}

static double sum_bytes(HyperionTensor *const *tensors)
{
    double bytes = 0;
    for (; *tensors; tensors++)
        bytes += (double)hyperionTensorBytes(*tensors);
    return bytes;
}

static WorkloadFacts describe_model(void *opened)
{
    const ModelContext *context = opened;
    const double operands = sum_bytes(context->inputs) + sum_bytes(context->outputs);
    const double weights = (double)hyperionModelWeightBytes(context->model);
    WorkloadFacts facts = {
        .flops = hyperionModelFlops(context->model),
        .bytes = weights + operands,
        .operand_bytes = weights + operands + (double)hyperionModelActivationBytes(context->model),
        .anonymous_huge_bytes = NAN,
    };
    for (size_t i = 0; context->outputs[i]; i++)
        facts.elements += (double)hyperionTensorElementCount(context->outputs[i]);
    const char *reason = "predictions are of one thread, and the cell has several";
    if (hyperionGetThreadCount(context->model) == 1) {
        facts.predicted = hyperionGetCacheStats(context->model);
        reason = facts.predicted.valid ? "" : hyperionGetLastError();
    }
    (void)snprintf(facts.predicted_reason, sizeof facts.predicted_reason, "%s", reason);
    return facts;
}

const Workload workload_model = {
    .name = "model",
    .help = "one forward pass of a model, built-in or from a file",
    .uses = use_axis,
    .check = check_model,
    .open = open_model,
    .verify = verify_model,
    .run = run_model,
    .facts = describe_model,
    .close = close_model,
};
