// SPDX-License-Identifier: Apache-2.0
// pass_support.h - tensors for whole models, seeded, and what passes over them gave.
#ifndef PASS_SUPPORT_H
#define PASS_SUPPORT_H

#include "hyperion/hyperion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PASS_MOST_TENSORS = 32 };

typedef struct PassTensors {
    HyperionTensor *of[PASS_MOST_TENSORS];
    int count;
} PassTensors;

static inline PassTensors pass_make_tensors(const HyperionModel *model, int count,
                                            HyperionTensorInfo (*find)(const HyperionModel *, int))
{
    PassTensors tensors = {.count = count};
    assert_true(count <= PASS_MOST_TENSORS);
    for (int i = 0; i < count; i++) {
        const HyperionTensorInfo info = find(model, i);
        tensors.of[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        assert_non_null(tensors.of[i]);
        float *values = hyperionTensorData(tensors.of[i]);
        for (size_t j = 0; info.type == HYPERION_TYPE_F32 && j < info.size_bytes / 4; j++)
            values[j] = (float)(((j + 7 * (size_t)i) * 2654435761U >> 8) % 1000) / 500 - 1;
    }
    return tensors;
}

static inline PassTensors pass_make_inputs(const HyperionModel *model)
{
    return pass_make_tensors(model, hyperionModelInputCount(model), hyperionModelInput);
}

static inline PassTensors pass_make_outputs(const HyperionModel *model)
{
    return pass_make_tensors(model, hyperionModelOutputCount(model), hyperionModelOutput);
}

static inline void pass_free_tensors(PassTensors *tensors)
{
    for (int i = 0; i < tensors->count; i++)
        hyperionFreeTensor(tensors->of[i]);
    tensors->count = 0;
}

static inline void pass_clear(const PassTensors *tensors)
{
    for (int i = 0; i < tensors->count; i++)
        memset(hyperionTensorData(tensors->of[i]), 0x5A, hyperionTensorBytes(tensors->of[i]));
}

static inline bool pass_equal(const PassTensors *a, const PassTensors *b)
{
    bool equal = a->count == b->count;
    for (int i = 0; equal && i < a->count; i++)
        equal = memcmp(hyperionTensorData(a->of[i]), hyperionTensorData(b->of[i]),
                       hyperionTensorBytes(a->of[i])) == 0;
    return equal;
}

static inline uint64_t pass_hash(const HyperionTensor *tensor)
{
    const unsigned char *bytes = hyperionTensorConstData(tensor);
    uint64_t hash = 14695981039346656037U; // FNV-1a
    for (size_t i = 0; i < hyperionTensorBytes(tensor); i++)
        hash = (hash ^ bytes[i]) * 1099511628211U;
    return hash;
}

// What the visits of a replay saw.
typedef struct PassVisits {
    uint64_t *seen; // by layer: of its result and what it read; 0: not visited
    int layer_count;
    int count;
    int last_layer;
    int stop_after; // visits that succeed; 0: all
} PassVisits;

static inline bool pass_visit(void *user_data, const HyperionLayerVisit *visit)
{
    PassVisits *visits = user_data;
    assert_in_range(visit->layer, 0, visits->layer_count - 1);
    assert_true(visits->seen[visit->layer] == 0);
    uint64_t hash = pass_hash(visit->output) | 1;
    for (int i = 0; i < visit->input_count; i++)
        if (visit->inputs[i])
            hash = hash * 31 + pass_hash(visit->inputs[i]);
    visits->seen[visit->layer] = hash | 1;
    visits->count++;
    visits->last_layer = visit->layer;
    return visits->stop_after == 0 || visits->count < visits->stop_after;
}

static inline PassVisits pass_make_visits(const HyperionModel *model)
{
    const int count = hyperionModelLayerCount(model);
    PassVisits visits = {.layer_count = count};
    visits.seen = calloc((size_t)count + 1, sizeof *visits.seen);
    assert_non_null(visits.seen);
    return visits;
}

static inline void pass_clear_visits(PassVisits *visits)
{
    memset(visits->seen, 0, (size_t)visits->layer_count * sizeof *visits->seen);
    visits->count = 0;
}

// A cap of so many steps of `steps` from the least to all.
static inline size_t pass_cap(const HyperionScheduleLimits *limits, int step, int steps)
{
    const size_t range = limits->store_all_bytes - limits->least_bytes;
    return limits->least_bytes + (size_t)((double)range * step / steps);
}

#endif
