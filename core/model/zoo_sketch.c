// SPDX-License-Identifier: Apache-2.0
#include "model/zoo.h"

#include "common/fail.h"
#include "model/builder.h"

#include <math.h>
#include <stdio.h>

// More is a mistake in the parameters sooner than a wish, and would exhaust small machines.
static const size_t most_weight_bytes = (size_t)8 << 30;

enum { NAME_BYTES = 64 };

// SplitMix64 (Steele, Lea and Flood 2014).
static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31;
}

// Values uniform in middle +- spread; NULL when out of memory.
static float *create_values(HypZooSketch *sketch, const HypShape *shape, float middle, float spread)
{
    float *values = hyp_platform_allocate(shape->size_bytes, 64);
    const float step = spread / (float)(1 << 23); // 24 random bits, centred
    for (size_t i = 0; values && i < shape->element_count; i++) {
        const int32_t bits = (int32_t)(next_random(&sketch->random) >> 40) - (1 << 23);
        values[i] = middle + (float)bits * step;
    }
    return values;
}

// A weight "<layer>.<part>" of values uniform in middle +- spread.
static int add_weight(HypZooSketch *sketch, const char *layer, const char *part, int rank,
                      const int64_t *dims, float middle, float spread)
{
    char name[NAME_BYTES];
    HypShape shape;
    (void)snprintf(name, sizeof name, "%s.%s", layer, part);
    if (!hyp_shape_create(&shape, name, HYPERION_TYPE_F32, rank, dims))
        return -1;
    if (shape.size_bytes > most_weight_bytes - sketch->weight_bytes) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT,
                       "%s: more than %zu bytes of weights, at '%s' of %zu",
                       hyperionModelName(sketch->model), most_weight_bytes, name, shape.size_bytes);
        return -1;
    }
    float *values = NULL;
    if (!sketch->rehearsal) {
        values = create_values(sketch, &shape, middle, spread);
        if (!values)
            return -1;
    }
    const int id = hyp_model_adopt_weight(sketch->model, name, &shape, values);
    if (id < 0)
        hyp_platform_release(values);
    else
        sketch->weight_bytes += shape.size_bytes;
    return id;
}

// Half-width of a uniform distribution with variance gain^2 / fan_in.
static float find_spread(float gain, int64_t fan_in)
{
    return gain * sqrtf(3.0F / (float)fan_in);
}

static const float bias_spread = 0.1F;

int hyp_zoo_layer(HypZooSketch *sketch, const char *name, HyperionLayerOp op,
                  const HyperionLayerAttributes *attributes, int a)
{
    return a < 0 ? -1 : hyperionAddLayer(sketch->model, name, op, attributes, &a, 1);
}

int hyp_zoo_add(HypZooSketch *sketch, const char *name, int a, int b)
{
    const int inputs[] = {a, b};
    return a < 0 || b < 0
               ? -1
               : hyperionAddLayer(sketch->model, name, HYPERION_LAYER_ADD, NULL, inputs, 2);
}

// A layer of x, a weight and a bias, unless one of them is missing.
static int add_weighted(HypZooSketch *sketch, const char *name, HyperionLayerOp op,
                        const HyperionLayerAttributes *attributes, const int inputs[3])
{
    return inputs[1] < 0 || inputs[2] < 0
               ? -1
               : hyperionAddLayer(sketch->model, name, op, attributes, inputs, 3);
}

int hyp_zoo_gemm(HypZooSketch *sketch, const char *name, int x, int64_t columns,
                 HyperionActivation activation, float gain)
{
    if (x < 0)
        return -1;
    const HypShape *in = &sketch->model->tensors[x].shape;
    const int64_t depth = in->dims[in->rank - 1];
    const int64_t dims[] = {depth, columns};
    const int weight = add_weight(sketch, name, "weight", 2, dims, 0.0F, find_spread(gain, depth));
    const int bias =
        weight < 0 ? -1 : add_weight(sketch, name, "bias", 1, &columns, 0.0F, bias_spread);
    const HyperionLayerAttributes attributes = {.activation = activation};
    return add_weighted(sketch, name, HYPERION_LAYER_GEMM, &attributes, (int[]){x, weight, bias});
}

int hyp_zoo_conv(HypZooSketch *sketch, const char *name, int x, int64_t channels,
                 HyperionActivation activation, float gain)
{
    if (x < 0)
        return -1;
    const int64_t in_channels = sketch->model->tensors[x].shape.dims[1];
    const int64_t dims[] = {channels, in_channels, 3, 3};
    const int weight =
        add_weight(sketch, name, "weight", 4, dims, 0.0F, find_spread(gain, 9 * in_channels));
    const int bias =
        weight < 0 ? -1 : add_weight(sketch, name, "bias", 1, &channels, 0.0F, bias_spread);
    const HyperionLayerAttributes attributes = {.activation = activation, .padding = {1, 1, 1, 1}};
    return add_weighted(sketch, name, HYPERION_LAYER_CONV2D, &attributes, (int[]){x, weight, bias});
}

int hyp_zoo_layernorm(HypZooSketch *sketch, const char *name, int x)
{
    if (x < 0)
        return -1;
    const HypShape *in = &sketch->model->tensors[x].shape;
    const int64_t width = in->dims[in->rank - 1];
    const int scale = add_weight(sketch, name, "scale", 1, &width, 1.0F, bias_spread);
    const int bias =
        scale < 0 ? -1 : add_weight(sketch, name, "bias", 1, &width, 0.0F, bias_spread);
    return add_weighted(sketch, name, HYPERION_LAYER_LAYERNORM, NULL, (int[]){x, scale, bias});
}
