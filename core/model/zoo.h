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

enum { HYP_ZOO_MOST_PARAMETERS = 12, HYP_ZOO_NAME_BYTES = 64 };

// A model in the making.
typedef struct HypZooSketch {
    HyperionModel *model;
    uint64_t random; // seed of the next weight
    size_t weight_bytes;
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
extern const HypZooGenerator hyp_zoo_bert;
extern const HypZooGenerator hyp_zoo_minilm;
extern const HypZooGenerator hyp_zoo_gpt2;
extern const HypZooGenerator hyp_zoo_llama;
extern const HypZooGenerator hyp_zoo_resnet18;
extern const HypZooGenerator hyp_zoo_resnet50;
extern const HypZooGenerator hyp_zoo_mobilenetv2;
extern const HypZooGenerator hyp_zoo_densenet121;
extern const HypZooGenerator hyp_zoo_inceptionv3;
extern const HypZooGenerator hyp_zoo_squeezenet;
extern const HypZooGenerator hyp_zoo_shufflenet;
extern const HypZooGenerator hyp_zoo_vgg16;
extern const HypZooGenerator hyp_zoo_unet;

// "builtin:NAME" or "builtin:NAME:key=value,..."; the model is named so. No weight has bytes yet.
// NULL on failure.
HyperionModel *hyp_zoo_create(const char *specification);

// Text of a name in the caller's buffer, which is returned.
typedef struct HypZooName {
    char text[HYP_ZOO_NAME_BYTES];
} HypZooName;
__attribute__((format(printf, 2, 3))) const char *hyp_zoo_name(HypZooName *name, const char *format,
                                                               ...);

// The steps below give the number of a tensor, -1 on failure, and -1 at once where an input is -1,
// so that they nest and the first reason stays the last error. Weights are uniform; those of
// products and convolutions with variance gain^2 / fan-in: gain 1 keeps the size of activations,
// sqrt(2) does before relu (He et al. 2015).

// A layer over one input, or over several.
int hyp_zoo_layer(HypZooSketch *sketch, const char *name, HyperionLayerOp op,
                  const HyperionLayerAttributes *attributes, int a);
int hyp_zoo_join(HypZooSketch *sketch, const char *name, HyperionLayerOp op,
                 const HyperionLayerAttributes *attributes, const int *inputs, int input_count);
int hyp_zoo_add(HypZooSketch *sketch, const char *name, int a, int b);
int hyp_zoo_activate(HypZooSketch *sketch, const char *name, HyperionActivation activation, int a);

// A weight "<layer>.<part>" of values in middle +- spread.
int hyp_zoo_weight(HypZooSketch *sketch, const char *layer, const char *part, int rank,
                   const int64_t *dims, float middle, float spread);

// Half-width of a uniform distribution with variance gain^2 / fan_in; gain 0 = 1.
float hyp_zoo_spread(float gain, int64_t fan_in);

// x * weight, without and with a bias, then the activation.
typedef struct HypZooGemm {
    int64_t columns;
    bool unbiased;
    HyperionActivation activation;
    float gain; // 0 = 1
} HypZooGemm;
int hyp_zoo_gemm(HypZooSketch *sketch, const char *name, int x, const HypZooGemm *gemm);

typedef struct HypZooConv {
    int64_t channels;   // of the result
    int64_t kernel[2];  // height, width; 0 = 1
    int64_t padding[2]; // above and below, left and right
    int64_t stride;     // 0 = 1
    int64_t groups;     // 0 = 1
    bool unbiased;
    HyperionActivation activation;
    float gain; // 0 = 1
} HypZooConv;
int hyp_zoo_conv(HypZooSketch *sketch, const char *name, int x, const HypZooConv *conv);

// Square windows.
int hyp_zoo_pool(HypZooSketch *sketch, const char *name, HyperionLayerOp op, int x, int64_t kernel,
                 int64_t stride, int64_t padding);

// All but the first dimension as one.
int hyp_zoo_flatten(HypZooSketch *sketch, const char *name, int x);

// Normalisation over the last axis; epsilon 0 = 1e-5.
int hyp_zoo_layernorm(HypZooSketch *sketch, const char *name, int x, float epsilon);

// `count` places of an axis from `first` on.
int hyp_zoo_slice(HypZooSketch *sketch, const char *name, int x, int axis, int64_t first,
                  int64_t count);

#endif
