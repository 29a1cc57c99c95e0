// SPDX-License-Identifier: Apache-2.0
#include "workload/model_instance.h"

#include "hyperion/error.h"
#include "workload/random_fill.h"
#include "workload/simd_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ModelSize model_sizes[] = {
    {AXIS_BATCH, "batch", 1, false},
    {AXIS_SEQ, "seq", 0, true},
    {.key = NULL},
};

HyperionModel *model_instance_load(const AxisValue *values, Problem *problem)
{
    char path[AXIS_TEXT_BYTES + 64];
    size_t used = (size_t)snprintf(path, sizeof path, "%s", values[AXIS_MODEL].text);
    // Only built-in models come here with sizes that are not their own.
    const char *separator = strchr(path + sizeof MODEL_BUILTIN_PREFIX - 1, ':') ? "," : ":";
    for (const ModelSize *size = model_sizes; size->key; size++) {
        if (values[size->axis].integer == size->own)
            continue;
        used += (size_t)snprintf(path + used, sizeof path - used, "%s%s=%lld", separator, size->key,
                                 values[size->axis].integer);
        separator = ",";
    }
    HyperionModel *model = hyperionLoadModel(path);
    if (!model)
        (void)problem_set(problem, "%s", hyperionGetLastError());
    return model;
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
    return (hyperionSetCacheTopology(instance->model, &machine->topology) &&
            hyperionConfigureCacheOptimization(instance->model, &config) &&
            hyperionSetThreadPool(instance->model, pool) && model_instance_lay_out(instance)) ||
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

bool model_instance_open(ModelInstance *instance, const AxisValue *values,
                         const WorkloadMachine *machine, HyperionThreadPool *pool, Problem *problem)
{
    *instance = (ModelInstance){.model = model_instance_load(values, problem)};
    return instance->model && configure_model(instance, values, machine, pool, problem) &&
           model_instance_create_tensors(instance, machine->seed, problem) &&
           (model_instance_run(instance) || problem_set(problem, "%s", hyperionGetLastError()));
}

void model_instance_close(ModelInstance *instance)
{
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
