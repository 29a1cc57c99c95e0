// SPDX-License-Identifier: Apache-2.0
// skip_model.h - a network with long skip connections: results of the way down wait for their sums
// on the way up, beside the widest result in the middle.
#ifndef SKIP_MODEL_H
#define SKIP_MODEL_H

#include "hyperion/hyperion.h"

#include <stdio.h>

enum { SKIP_MODEL_WIDTH = 8 }; // of the middle, in results of the others

// -1 for an x of -1, the last error being as it was.
static inline int skip_model_layer(HyperionModel *model, const char *name, HyperionLayerOp op,
                                   const HyperionLayerAttributes *attributes, int x)
{
    return x < 0 ? -1 : hyperionAddLayer(model, name, op, attributes, &x, 1);
}

static inline int skip_model_gelu(HyperionModel *model, const char *name, int x)
{
    const HyperionLayerAttributes gelu = {.activation = HYPERION_ACTIVATION_GELU};
    return skip_model_layer(model, name, HYPERION_LAYER_ACTIVATION, &gelu, x);
}

// `levels` results of `elements` each wait. NULL, last error set, on failure. Layers: down0 ...,
// wide, middle, narrow, up<levels - 1> ... up0, out.
static inline HyperionModel *skip_model_create(int levels, int64_t elements)
{
    enum { MOST_LEVELS = 16 };
    const HyperionLayerAttributes widen = {.rank = 2, .dims = {SKIP_MODEL_WIDTH, elements}};
    const HyperionLayerAttributes sum = {
        .reduce = HYPERION_REDUCE_MEAN, .axis_count = 1, .axes = {0}, .keep_dims = true};
    const HyperionLayerAttributes add = {.binary = HYPERION_BINARY_ADD};
    HyperionModel *model = levels <= MOST_LEVELS ? hyperionCreateModel("skips") : NULL;
    int down[MOST_LEVELS] = {0};
    char name[16];
    int x =
        model ? hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){1, elements}) : -1;
    for (int i = 0; i < levels && x >= 0; i++) {
        (void)snprintf(name, sizeof name, "down%d", i);
        x = down[i] = skip_model_gelu(model, name, x);
    }
    x = skip_model_layer(model, "wide", HYPERION_LAYER_EXPAND, &widen, x);
    x = skip_model_gelu(model, "middle", x);
    x = skip_model_layer(model, "narrow", HYPERION_LAYER_REDUCE, &sum, x);
    for (int i = levels; i-- > 0 && x >= 0;) {
        (void)snprintf(name, sizeof name, "up%d", i);
        x = hyperionAddLayer(model, name, HYPERION_LAYER_BINARY, &add, (int[]){x, down[i]}, 2);
    }
    x = skip_model_gelu(model, "out", x);
    if (x >= 0 && hyperionAddOutput(model, x))
        return model;
    hyperionFreeModel(model);
    return NULL;
}

#endif
