// SPDX-License-Identifier: Apache-2.0
// rewrite_support.h - models of a few layers, and what rewriting makes of them.
#ifndef REWRITE_SUPPORT_H
#define REWRITE_SUPPORT_H

#include "hyperion/hyperion.h"

#include "model/rewrite/rewrite.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Builds a model whose outputs are f32.
typedef void (*Build)(HyperionModel *model);

// A weight of values in middle +- 0.5.
static inline int weigh(HyperionModel *model, int rank, const int64_t *dims, float middle)
{
    float values[4096];
    char name[32];
    const int number = hyperionModelTensorCount(model);
    for (int i = 0; i < 4096; i++)
        values[i] = middle + sinf((float)(i + 7 * number)) / 2;
    (void)snprintf(name, sizeof name, "w%d", number);
    const int id = hyperionAddWeight(model, name, HYPERION_TYPE_F32, rank, dims, values);
    assert_true(id >= 0);
    return id;
}

static inline int add(HyperionModel *model, const char *name, HyperionLayerOp op,
                      const HyperionLayerAttributes *attributes, int a, int b, int c)
{
    const int inputs[] = {a, b, c};
    const int id = hyperionAddLayer(model, name, op, attributes, inputs,
                                    c >= 0   ? 3
                                    : b >= 0 ? 2
                                             : 1);
    if (id < 0)
        fail_msg("%s", hyperionGetLastError());
    return id;
}

static inline int activate(HyperionModel *model, const char *name, HyperionActivation activation,
                           int x)
{
    const HyperionLayerAttributes attributes = {.activation = activation};
    return add(model, name, HYPERION_LAYER_ACTIVATION, &attributes, x, -1, -1);
}

static inline HyperionModel *create(Build build)
{
    HyperionModel *model = hyperionCreateModel("patterns");
    assert_non_null(model);
    build(model);
    return model;
}

// Output 0 for an input of sines; for free().
static inline float *run(HyperionModel *model)
{
    HyperionTensor *inputs[16] = {NULL};
    HyperionTensor *outputs[16] = {NULL};
    for (int i = 0; i < hyperionModelInputCount(model); i++) {
        const HyperionTensorInfo info = hyperionModelInput(model, i);
        inputs[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        float *values = hyperionTensorData(inputs[i]);
        // Integers stay 0.
        for (size_t j = 0; j < hyperionTensorElementCount(inputs[i]); j++)
            if (info.type == HYPERION_TYPE_F32)
                values[j] = 2 * sinf((float)(3 * j + (size_t)i));
    }
    for (int i = 0; i < hyperionModelOutputCount(model); i++) {
        const HyperionTensorInfo info = hyperionModelOutput(model, i);
        outputs[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
    }
    if (!hyperionRunModel(model, inputs, outputs))
        fail_msg("%s", hyperionGetLastError());
    const size_t size_bytes = hyperionTensorBytes(outputs[0]);
    float *values = malloc(size_bytes);
    assert_non_null(values);
    memcpy(values, hyperionTensorData(outputs[0]), size_bytes);
    for (int i = 0; i < 16; i++) {
        hyperionFreeTensor(inputs[i]);
        hyperionFreeTensor(outputs[i]);
    }
    return values;
}

static inline void expect_close(const float *expected, const float *actual, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(actual[i] - expected[i]) <= 1e-4F + 1e-4F * fabsf(expected[i])))
            fail_msg("element %zu: %g, expected %g", i, (double)actual[i], (double)expected[i]);
}

static inline void expect_rules(const HyperionModel *model, const char *rules)
{
    char fired[256] = "";
    for (int i = 0; i < hyperionModelFusionCount(model); i++) {
        const HyperionFusionInfo fusion = hyperionModelFusion(model, i);
        assert_in_range(fusion.layer, 0, hyperionModelLayerCount(model) - 1);
        assert_true(fusion.layer_count > 1);
        (void)snprintf(fired + strlen(fired), sizeof fired - strlen(fired), "%s%s", i ? " " : "",
                       fusion.rule);
    }
    assert_string_equal(fired, rules);
}

// Rewriting applies `rules` in this order, leaves `layers` layers and the outputs as they were.
static inline void expect_rewriting(Build build, const char *rules, int layers)
{
    HyperionModel *plain = create(build);
    HyperionModel *rewritten = create(build);
    if (!hyp_rewrite_model(rewritten))
        fail_msg("%s", hyperionGetLastError());
    expect_rules(rewritten, rules);
    assert_int_equal(hyperionModelLayerCount(rewritten), layers);
    assert_string_equal(hyperionModelOutput(rewritten, 0).name, hyperionModelOutput(plain, 0).name);
    float *expected = run(plain);
    float *actual = run(rewritten);
    expect_close(expected, actual, hyperionModelOutput(plain, 0).size_bytes / sizeof(float));
    free(expected);
    free(actual);
    hyperionFreeModel(plain);
    hyperionFreeModel(rewritten);
}

// As above, of a function of two operands.
static inline int combine(HyperionModel *model, const char *name, HyperionBinary function, int a,
                          int b)
{
    const HyperionLayerAttributes attributes = {.binary = function};
    return add(model, name, HYPERION_LAYER_BINARY, &attributes, a, b, -1);
}

// A constant of one element.
static inline int constant(HyperionModel *model, float value)
{
    char name[32];
    (void)snprintf(name, sizeof name, "c%d", hyperionModelTensorCount(model));
    const int id = hyperionAddWeight(model, name, HYPERION_TYPE_F32, 0, NULL, &value);
    assert_true(id >= 0);
    return id;
}

#endif
