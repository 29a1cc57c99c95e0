// SPDX-License-Identifier: Apache-2.0
#include "workload/model_instance.h"

#include "hyperion/error.h"
#include "workload/layer_times_file.h"
#include "workload/random_fill.h"
#include "workload/simd_choice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ModelSize model_sizes[] = {
    {AXIS_BATCH, "batch", 1, false, {"batch", "batch_size", "N", "n", "None", "batch_dim"}},
    {AXIS_SEQ, "seq", 0, true, {"seq", "sequence", "seq_len", "sequence_length", "seq_length"}},
    {.key = NULL},
};
enum { MOST_SIZES = sizeof model_sizes / sizeof model_sizes[0] };

static HyperionModel *load_builtin(const AxisValue *values)
{
    char path[AXIS_TEXT_BYTES + 64];
    size_t used = (size_t)snprintf(path, sizeof path, "%s", values[AXIS_MODEL].text);
    const char *separator = strchr(path + sizeof MODEL_BUILTIN_PREFIX - 1, ':') ? "," : ":";
    for (const ModelSize *size = model_sizes; size->key; size++) {
        if (values[size->axis].integer == size->own)
            continue;
        used += (size_t)snprintf(path + used, sizeof path - used, "%s%s=%lld", separator, size->key,
                                 values[size->axis].integer);
        separator = ",";
    }
    return hyperionLoadModel(path);
}

// Adds the size under the name that the file has for it. False: it has none of them.
static bool find_file_size(const char *path, const ModelSize *size, long long value,
                           HyperionLoadOptions *options, HyperionDimensionSize *sizes)
{
    HyperionLoadOptions tried = *options;
    tried.dimension_count++;
    tried.default_dimension = 1; // for those that are still to be found
    for (const char *const *name = size->file_names; *name; name++) {
        sizes[options->dimension_count] = (HyperionDimensionSize){*name, value};
        HyperionModel *model = hyperionLoadModelWith(path, &tried);
        hyperionFreeModel(model);
        if (model) {
            options->dimension_count++;
            return true;
        }
    }
    return false;
}

static HyperionModel *load_file(const AxisValue *values, Problem *problem)
{
    const char *path = values[AXIS_MODEL].text;
    HyperionDimensionSize sizes[MOST_SIZES];
    HyperionLoadOptions options = {.dimensions = sizes};
    const ModelSize *unknown = NULL;
    bool asked = false;
    for (const ModelSize *size = model_sizes; size->key; size++)
        asked |= values[size->axis].integer != size->own;
    HyperionModel *model = asked ? NULL : hyperionLoadModel(path);
    if (model)
        return model;
    for (const ModelSize *size = model_sizes; size->key; size++) {
        const long long value = values[size->axis].integer;
        if (value > 0 && !find_file_size(path, size, value, &options, sizes) && value != size->own)
            unknown = size;
    }
    model = hyperionLoadModelWith(path, &options);
    if (!model || !unknown)
        return model;
    hyperionFreeModel(model);
    (void)problem_set(problem, "model %s leaves no size open that is a %s; given %lld", path,
                      unknown->key, values[unknown->axis].integer);
    return NULL;
}

HyperionModel *model_instance_load(const AxisValue *values, Problem *problem)
{
    const bool builtin = strncmp(values[AXIS_MODEL].text, MODEL_BUILTIN_PREFIX,
                                 sizeof MODEL_BUILTIN_PREFIX - 1) == 0;
    HyperionModel *model = builtin ? load_builtin(values) : load_file(values, problem);
    if (!model)
        (void)problem_set(problem, "%s", hyperionGetLastError()); // the first reason stays
    return model;
}

bool model_instance_wants_optimizer(const AxisValue *values)
{
    return values[AXIS_TRADEOFF].real >= 0 || values[AXIS_MEMORY_BUDGET].integer > 0 ||
           values[AXIS_IN_PLACE].integer != AXIS_AUTO ||
           values[AXIS_TENSOR_REUSE].integer != AXIS_AUTO;
}

static void choose_memory(ModelInstance *instance, const AxisValue *values)
{
    const double tradeoff = values[AXIS_TRADEOFF].real;
    instance->optimized = model_instance_wants_optimizer(values);
    instance->memory = (HyperionMemoryOptimizerConfig){
        .enable_tensor_reuse = values[AXIS_TENSOR_REUSE].integer != AXIS_AUTO_FALSE,
        .enable_in_place_ops = values[AXIS_IN_PLACE].integer != AXIS_AUTO_FALSE,
        .memory_speed_tradeoff = tradeoff < 0 ? 1 : (float)tradeoff,
        .max_memory_budget = (size_t)values[AXIS_MEMORY_BUDGET].integer,
    };
}

bool model_instance_optimize(ModelInstance *instance)
{
    if (!instance->optimized)
        return true;
    const bool is_new = !instance->optimizer;
    if (is_new)
        instance->optimizer = hyperionCreateMemoryOptimizer(&instance->memory);
    if (!instance->optimizer)
        return false;
    const bool known = is_new && layer_times_take(instance->optimizer, instance->times_path);
    if (!hyperionOptimizeMemoryUsage(instance->optimizer, instance->model,
                                     instance->memory.max_memory_budget))
        return false;
    if (is_new && !known)
        layer_times_keep(instance->optimizer, instance->times_path);
    return true;
}

void model_instance_end_optimizing(ModelInstance *instance)
{
    hyperionFreeMemoryOptimizer(instance->optimizer);
    instance->optimizer = NULL;
}

static bool configure_model(ModelInstance *instance, const AxisValue *values,
                            const WorkloadMachine *machine, HyperionThreadPool *pool,
                            Problem *problem)
{
    const HyperionCacheConfig config = {
        .block_size = (int)values[AXIS_BLOCK_SIZE].integer,
        .enable_prefetch = values[AXIS_PREFETCH].integer != 0,
        .prefetch_distance = (int)values[AXIS_PREFETCH_DISTANCE].integer,
    };
    const char *word = axis_table[AXIS_SIMD_LEVEL].words[values[AXIS_SIMD_LEVEL].integer];
    if (!simd_choice_resolve(word, machine->emulated, &instance->level, problem))
        return false;
    hyperionSetSIMDOptimizationLevel(instance->model, (int)instance->level);
    instance->packed =
        strcmp(axis_table[AXIS_LAYOUT].words[values[AXIS_LAYOUT].integer], "packed") == 0;
    choose_memory(instance, values);
    layer_times_name(values, instance->level, instance->times_path, sizeof instance->times_path);
    return (hyperionSetCacheTopology(instance->model, &machine->topology) &&
            hyperionConfigureCacheOptimization(instance->model, &config) &&
            hyperionSetThreadPool(instance->model, pool) && model_instance_lay_out(instance) &&
            model_instance_optimize(instance)) ||
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

void model_instance_free_tensors(HyperionTensor **tensors)
{
    for (size_t i = 0; tensors && tensors[i]; i++)
        hyperionFreeTensor(tensors[i]);
    free((void *)tensors);
}

HyperionTensor **model_instance_outputs(const ModelInstance *instance)
{
    return create_tensors(instance->model, hyperionModelOutputCount(instance->model),
                          hyperionModelOutput);
}

bool model_instance_create_tensors(ModelInstance *instance, uint64_t seed, Problem *problem)
{
    const HyperionModel *model = instance->model;
    instance->inputs = create_tensors(model, hyperionModelInputCount(model), hyperionModelInput);
    instance->outputs = model_instance_outputs(instance);
    if (!instance->inputs || !instance->outputs)
        return problem_set(problem, "inputs and outputs: %s", hyperionGetLastError());
    // Inputs of other types are indices or flags; zero, as created, is always one
    // of them.
    for (size_t i = 0; instance->inputs[i]; i++)
        if (hyperionTensorType(instance->inputs[i]) == HYPERION_TYPE_F32)
            seed = random_fill(hyperionTensorData(instance->inputs[i]),
                               hyperionTensorElementCount(instance->inputs[i]), seed);
    return true;
}

bool model_instance_lay_out(const ModelInstance *instance)
{
    return !instance->packed || hyperionOptimizeMemoryLayout(instance->model);
}

bool model_instance_run(const ModelInstance *instance)
{
    return hyperionRunModel(instance->model, instance->inputs, instance->outputs);
}

bool model_instance_set_up(ModelInstance *instance, const AxisValue *values,
                           const WorkloadMachine *machine, HyperionThreadPool *pool,
                           Problem *problem)
{
    *instance = (ModelInstance){.model = model_instance_load(values, problem)};
    return instance->model && configure_model(instance, values, machine, pool, problem) &&
           model_instance_create_tensors(instance, machine->seed, problem);
}

bool model_instance_open(ModelInstance *instance, const AxisValue *values,
                         const WorkloadMachine *machine, HyperionThreadPool *pool, Problem *problem)
{
    return model_instance_set_up(instance, values, machine, pool, problem) &&
           (model_instance_run(instance) || problem_set(problem, "%s", hyperionGetLastError()));
}

void model_instance_close(ModelInstance *instance)
{
    model_instance_end_optimizing(instance);
    model_instance_free_tensors(instance->inputs);
    model_instance_free_tensors(instance->outputs);
    hyperionFreeModel(instance->model);
    *instance = (ModelInstance){0};
}

size_t model_instance_bytes(HyperionTensor *const *tensors)
{
    size_t bytes = 0;
    for (; *tensors; tensors++)
        bytes += hyperionTensorBytes(*tensors);
    return bytes;
}

bool model_instance_same(const ModelInstance *given, const ModelInstance *expected,
                         const char *of_expected, Problem *problem)
{
    for (int i = 0; expected->outputs[i]; i++)
        if (memcmp(hyperionTensorConstData(given->outputs[i]),
                   hyperionTensorConstData(expected->outputs[i]),
                   hyperionTensorBytes(expected->outputs[i])) != 0)
            return problem_set(problem, "output %s differs from that %s",
                               hyperionModelOutput(expected->model, i).name, of_expected);
    return true;
}

WorkloadFacts model_instance_facts(const ModelInstance *instance)
{
    const double operands =
        (double)(model_instance_bytes(instance->inputs) + model_instance_bytes(instance->outputs));
    WorkloadFacts facts = {
        .flops = hyperionModelFlops(instance->model),
        .executed_flops = NAN,
        .bytes = operands + (double)hyperionModelWeightBytes(instance->model),
        .operand_bytes = operands,
    };
    for (size_t i = 0; instance->outputs[i]; i++)
        facts.elements += (double)hyperionTensorElementCount(instance->outputs[i]);
    return facts;
}
