// SPDX-License-Identifier: Apache-2.0
// zoo.h - built-in models: generators with size parameters and seeded weights. A generator is a
// struct in its own file zoo_<name>.c and one row of the table in zoo.c.
#ifndef HYP_ZOO_H
#define HYP_ZOO_H

#include "model/graph.h"

// A parameter of a generator, a whole number from least to most.
typedef struct HypZooParameter {
    const char *key;
    int64_t fallback;
    int64_t least;
    int64_t most;
} HypZooParameter;

enum { HYP_ZOO_MOST_PARAMETERS = 8 };

// A model in the making.
typedef struct HypZooSketch {
    HyperionModel *model;
    uint64_t random; // state of the generator of weights
    size_t weight_bytes;
    bool rehearsal; // weights have no bytes: only to see whether all sizes are good
} HypZooSketch;

typedef struct HypZooGenerator {
    const char *name;
    const char *help; // the keys with defaults and ranges
    const HypZooParameter *parameters;
    int parameter_count;
    // `values` follow `parameters`. False, last error set, on failure.
    bool (*build)(HypZooSketch *sketch, const int64_t *values);
} HypZooGenerator;

// One line per parameter, P(INDEX, key, fallback, least, most), makes all there is to say of it.
#define HYP_ZOO_INDEX(INDEX, key, fallback, least, most) INDEX,
#define HYP_ZOO_ROW(INDEX, key, fallback, least, most) {#key, fallback, least, most},
#define HYP_ZOO_HELP(INDEX, key, fallback, least, most)                                            \
    " " #key "=" #fallback " (" #least ".." #most ")"

extern const HypZooGenerator hyp_zoo_mlp;
extern const HypZooGenerator hyp_zoo_cnn;
extern const HypZooGenerator hyp_zoo_transformer;

// "builtin:NAME" or "builtin:NAME:key=value,..."; the model is named so. NULL on failure.
HyperionModel *hyp_zoo_create(const char *specification);

// The steps below give the number of a tensor, -1 on failure, and -1 at once where an input is -1,
// so that they nest and the first reason stays the last error.

// Layers without weights: over one input, and the sum of two.
int hyp_zoo_layer(HypZooSketch *sketch, const char *name, HyperionLayerOp op,
                  const HyperionLayerAttributes *attributes, int a);
int hyp_zoo_add(HypZooSketch *sketch, const char *name, int a, int b);

// x * weight + bias, then the activation. Weights are uniform with variance gain^2 / fan-in: gain 1
// keeps the size of activations, sqrt(2) does before relu (He et al. 2015).
int hyp_zoo_gemm(HypZooSketch *sketch, const char *name, int x, int64_t columns,
                 HyperionActivation activation, float gain);

// 3 x 3 convolution that keeps height and width; weights as above.
int hyp_zoo_conv(HypZooSketch *sketch, const char *name, int x, int64_t channels,
                 HyperionActivation activation, float gain);

// Normalisation over the last axis.
int hyp_zoo_layernorm(HypZooSketch *sketch, const char *name, int x);

#endif
