// SPDX-License-Identifier: Apache-2.0
// layer_bench.h - runs a model of one layer over operands of any type, whose values are doubles.
#ifndef LAYER_BENCH_H
#define LAYER_BENCH_H

#include "hyperion/hyperion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 1024, MOST_INPUTS = 3 };

typedef struct Operand {
    HyperionType type;
    int rank;
    int64_t dims[4];
    double values[MOST];
} Operand;

static inline size_t count_elements(const Operand *operand)
{
    size_t count = 1;
    for (int i = 0; i < operand->rank; i++)
        count *= (size_t)operand->dims[i];
    assert_true(count <= MOST);
    return count;
}

static inline void fill(Operand *operand, double low, double step, unsigned seed)
{
    for (size_t i = 0; i < count_elements(operand); i++) {
        seed = seed * 1664525U + 1013904223U;
        operand->values[i] = low + step * (double)(seed >> 28);
    }
}

static inline HyperionTensor *make_tensor(HyperionType type, int rank, const int64_t *dims,
                                          const double *values)
{
    HyperionTensor *tensor = hyperionCreateTensor(type, rank, dims);
    assert_non_null(tensor);
    for (size_t i = 0; values && i < hyperionTensorElementCount(tensor); i++)
        switch (type) {
        case HYPERION_TYPE_F32: ((float *)hyperionTensorData(tensor))[i] = (float)values[i]; break;
        case HYPERION_TYPE_I64:
            ((int64_t *)hyperionTensorData(tensor))[i] = (int64_t)values[i];
            break;
        case HYPERION_TYPE_I32:
            ((int32_t *)hyperionTensorData(tensor))[i] = (int32_t)values[i];
            break;
        default: ((uint8_t *)hyperionTensorData(tensor))[i] = values[i] != 0; break;
        }
    return tensor;
}

static inline void read_values(const HyperionTensor *tensor, double *values)
{
    for (size_t i = 0; i < hyperionTensorElementCount(tensor); i++)
        switch (hyperionTensorType(tensor)) {
        case HYPERION_TYPE_F32:
            values[i] = (double)((const float *)hyperionTensorConstData(tensor))[i];
            break;
        case HYPERION_TYPE_I64:
            values[i] = (double)((const int64_t *)hyperionTensorConstData(tensor))[i];
            break;
        case HYPERION_TYPE_I32:
            values[i] = ((const int32_t *)hyperionTensorConstData(tensor))[i];
            break;
        default: values[i] = ((const uint8_t *)hyperionTensorConstData(tensor))[i]; break;
        }
}

// Runs one layer over `inputs` at `level` on two threads; the result in `out`.
static inline void run_layer(HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                             const Operand *inputs, int input_count, int level, Operand *out)
{
    HyperionModel *model = hyperionCreateModel("layer");
    int ids[MOST_INPUTS];
    HyperionTensor *tensors[MOST_INPUTS] = {NULL};
    for (int i = 0; i < input_count; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "in%d", i);
        ids[i] = hyperionAddInput(model, name, inputs[i].type, inputs[i].rank, inputs[i].dims);
        tensors[i] = make_tensor(inputs[i].type, inputs[i].rank, inputs[i].dims, inputs[i].values);
    }
    const int id = hyperionAddLayer(model, "out", op, attributes, ids, input_count);
    if (id < 0)
        fail_msg("%s", hyperionGetLastError());
    assert_true(hyperionAddOutput(model, id));
    hyperionSetSIMDOptimizationLevel(model, level);
    assert_true(hyperionSetThreadCount(model, 2));
    const HyperionTensorInfo info = hyperionModelTensor(model, id);
    HyperionTensor *result = make_tensor(info.type, info.rank, info.dims, NULL);
    if (!hyperionRunModel(model, tensors, &result))
        fail_msg("%s", hyperionGetLastError());
    out->type = info.type;
    out->rank = info.rank;
    memcpy(out->dims, info.dims, sizeof out->dims);
    (void)count_elements(out);
    read_values(result, out->values);
    hyperionFreeTensor(result);
    for (int i = 0; i < input_count; i++)
        hyperionFreeTensor(tensors[i]);
    hyperionFreeModel(model);
}

#endif
