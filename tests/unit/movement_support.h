// SPDX-License-Identifier: Apache-2.0
// movement_support.h - one-layer models for tests of operations that move elements.
#ifndef HYP_TEST_MOVEMENT_SUPPORT_H
#define HYP_TEST_MOVEMENT_SUPPORT_H

#include "hyperion/hyperion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// Dims of a tensor, by count.
#define SHAPE(...)                                                                                 \
    ((int)(sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))), (const int64_t[])                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

enum { MOST_BYTES = 1 << 20 };

// 0, 1, 2, .. of a type; bool: 0, 1, 1, 0, ..
static inline void count_up(HyperionType type, void *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (type == HYPERION_TYPE_F32)
            ((float *)values)[i] = (float)i;
        else if (type == HYPERION_TYPE_I64)
            ((int64_t *)values)[i] = (int64_t)i << 32 | 5;
        else if (type == HYPERION_TYPE_I32)
            ((int32_t *)values)[i] = (int32_t)i;
        else
            ((unsigned char *)values)[i] = (unsigned char)((i * 7 >> 2) & 1);
    }
}

// Runs `model`, whose only result is `result`, on the values of its one or two inputs; returns
// whether it ran and frees the model. `values` holds the result.
static inline bool run_once(HyperionModel *model, int result, void *first, void *second,
                            void *values)
{
    void *const inputs[2] = {first, second};
    HyperionTensor *tensors[3] = {NULL};
    const int input_count = hyperionModelInputCount(model);
    assert_true(hyperionAddOutput(model, result));
    for (int i = 0; i < input_count && i < 2; i++) {
        const HyperionTensorInfo info = hyperionModelInput(model, i);
        tensors[i] = hyperionWrapTensor(info.type, info.rank, info.dims, inputs[i]);
        assert_non_null(tensors[i]);
    }
    const HyperionTensorInfo info = hyperionModelOutput(model, 0);
    assert_true(info.size_bytes <= MOST_BYTES);
    tensors[2] = hyperionWrapTensor(info.type, info.rank, info.dims, values);
    assert_non_null(tensors[2]);
    const bool ran = hyperionRunModel(model, tensors, &tensors[2]);
    for (int i = 0; i < 3; i++)
        hyperionFreeTensor(tensors[i]);
    hyperionFreeModel(model);
    return ran;
}

// A model named "test" with an input "x".
static inline HyperionModel *start_model(HyperionType type, int rank, const int64_t *dims)
{
    HyperionModel *model = hyperionCreateModel("test");
    assert_non_null(model);
    assert_int_equal(hyperionAddInput(model, "x", type, rank, dims), 0);
    return model;
}

// The layer's result has these dims.
static inline void assert_dims(const HyperionModel *model, int tensor, int rank,
                               const int64_t *dims)
{
    const HyperionTensorInfo info = hyperionModelTensor(model, tensor);
    assert_int_equal(info.rank, rank);
    for (int i = 0; i < rank; i++)
        assert_int_equal(info.dims[i], dims[i]);
}

// Adding the layer fails with a message that contains `reason`.
static inline void assert_refused(HyperionModel *model, HyperionLayerOp op,
                                  const HyperionLayerAttributes *attributes, const int *inputs,
                                  int input_count, const char *reason)
{
    const int tensors = hyperionModelTensorCount(model);
    assert_int_equal(hyperionAddLayer(model, "y", op, attributes, inputs, input_count), -1);
    if (!strstr(hyperionGetLastError(), reason))
        fail_msg("\"%s\" does not say \"%s\"", hyperionGetLastError(), reason);
    assert_int_equal(hyperionModelTensorCount(model), tensors);
}

#endif
