// SPDX-License-Identifier: Apache-2.0
// layer_support.h - a model of one layer with seeded inputs, run on one thread and on three, for
// comparison with plain loops.
#ifndef HYP_TEST_LAYER_SUPPORT_H
#define HYP_TEST_LAYER_SUPPORT_H

#include "hyperion/hyperion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAYER_MOST_INPUTS = 3 };

typedef struct LayerShape {
    int rank;
    int64_t dims[HYPERION_MAX_RANK];
} LayerShape;

// Inputs and result of a layer that ran.
typedef struct LayerTrial {
    LayerShape shapes[LAYER_MOST_INPUTS];
    float *inputs[LAYER_MOST_INPUTS];
    LayerShape result;
    void *values;
    size_t value_count;
} LayerTrial;

// A number from 0 to n - 1 (a linear congruential generator: any even spread will do).
static inline int64_t draw(uint32_t *state, int64_t n)
{
    *state = *state * 1664525U + 1013904223U;
    return (int64_t)(*state >> 8) % n;
}

static inline size_t count_elements(const LayerShape *shape)
{
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

static inline void run_on_threads(HyperionModel *model, int input_count, LayerTrial *trial,
                                  HyperionType type, int threads, void *values)
{
    HyperionTensor *inputs[LAYER_MOST_INPUTS] = {NULL};
    for (int i = 0; i < input_count; i++)
        inputs[i] = hyperionWrapTensor(HYPERION_TYPE_F32, trial->shapes[i].rank,
                                       trial->shapes[i].dims, trial->inputs[i]);
    HyperionTensor *output =
        hyperionWrapTensor(type, trial->result.rank, trial->result.dims, values);
    assert_non_null(output);
    assert_true(hyperionSetThreadCount(model, threads));
    if (!hyperionRunModel(model, inputs, &output))
        fail_msg("%s", hyperionGetLastError());
    for (int i = 0; i < input_count; i++)
        hyperionFreeTensor(inputs[i]);
    hyperionFreeTensor(output);
}

// False: the layer was refused, see hyperionGetLastError. Release with free_trial either way.
static inline bool try_layer(LayerTrial *trial, HyperionLayerOp op,
                             const HyperionLayerAttributes *attributes, int input_count,
                             uint32_t *state)
{
    HyperionModel *model = hyperionCreateModel("trial");
    int inputs[LAYER_MOST_INPUTS];
    for (int i = 0; i < input_count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "in%d", i);
        inputs[i] = hyperionAddInput(model, name, HYPERION_TYPE_F32, trial->shapes[i].rank,
                                     trial->shapes[i].dims);
        const size_t count = count_elements(&trial->shapes[i]);
        trial->inputs[i] = malloc((count + 1) * sizeof(float));
        assert_non_null(trial->inputs[i]);
        for (size_t j = 0; j < count; j++)
            trial->inputs[i][j] = (float)(draw(state, 2001) - 1000) / 1000;
    }
    const int result = hyperionAddLayer(model, "layer", op, attributes, inputs, input_count);
    if (result >= 0) {
        const HyperionTensorInfo info = hyperionModelTensor(model, result);
        trial->result.rank = info.rank;
        memcpy(trial->result.dims, info.dims, sizeof info.dims);
        trial->value_count = count_elements(&trial->result);
        trial->values = malloc(info.size_bytes + 1);
        void *again = malloc(info.size_bytes + 1);
        assert_true(trial->values && again && hyperionAddOutput(model, result));
        run_on_threads(model, input_count, trial, info.type, 1, trial->values);
        run_on_threads(model, input_count, trial, info.type, 3, again);
        assert_memory_equal(trial->values, again, info.size_bytes);
        free(again);
    }
    hyperionFreeModel(model);
    return result >= 0;
}

static inline void free_trial(LayerTrial *trial)
{
    for (int i = 0; i < LAYER_MOST_INPUTS; i++)
        free(trial->inputs[i]);
    free(trial->values);
    *trial = (LayerTrial){.values = NULL};
}

#endif
