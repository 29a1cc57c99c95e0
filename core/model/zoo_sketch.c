// SPDX-License-Identifier: Apache-2.0
#include "model/zoo.h"

#include "common/fail.h"
#include "model/builder.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

// More is a mistake in the parameters sooner than a wish, and would exhaust small machines.
static const size_t most_weight_bytes = (size_t)8 << 30;

static const float vector_spread = 0.1F;

const char *hyp_zoo_name(HypZooName *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(name->text, sizeof name->text, format, args);
    va_end(args);
    return name->text;
}

int hyp_zoo_weight(HypZooSketch *sketch, const char *layer, const char *part, int rank,
                   const int64_t *dims, float middle, float spread)
{
    HypZooName name;
    HypShape shape;
    if (!hyp_shape_create(&shape, hyp_zoo_name(&name, "%s.%s", layer, part), HYPERION_TYPE_F32,
                          rank, dims))
        return -1;
    if (shape.size_bytes > most_weight_bytes - sketch->weight_bytes) {
        (void)hyp_fail(
            HYPERION_ERROR_ARGUMENT, "%s: more than %zu bytes of weights, at '%s' of %zu",
            hyperionModelName(sketch->model), most_weight_bytes, name.text, shape.size_bytes);
        return -1;
    }
    const HypSeededValues values = {.seed = sketch->random, .middle = middle, .spread = spread};
    const int id = hyp_model_add_seeded_weight(sketch->model, name.text, &shape, &values);
    if (id >= 0) {
        sketch->weight_bytes += shape.size_bytes;
        sketch->random = hyp_seeded_values_skip(sketch->random, shape.element_count);
    }
    return id;
}

int hyp_zoo_join(HypZooSketch *sketch, const char *name, HyperionLayerOp op,
                 const HyperionLayerAttributes *attributes, const int *inputs, int input_count)
{
    for (int i = 0; i < input_count; i++)
        if (inputs[i] < 0)
            return -1;
    return hyperionAddLayer(sketch->model, name, op, attributes, inputs, input_count);
}

int hyp_zoo_layer(HypZooSketch *sketch, const char *name, HyperionLayerOp op,
                  const HyperionLayerAttributes *attributes, int a)
{
    return hyp_zoo_join(sketch, name, op, attributes, &a, 1);
}

int hyp_zoo_add(HypZooSketch *sketch, const char *name, int a, int b)
{
    return hyp_zoo_join(sketch, name, HYPERION_LAYER_BINARY, NULL, (int[]){a, b}, 2);
}

int hyp_zoo_activate(HypZooSketch *sketch, const char *name, HyperionActivation activation, int a)
{
    // The only clipping in the models is to 0 .. 6.
    const bool clips = activation == HYPERION_ACTIVATION_CLIP;
    const HyperionLayerAttributes attributes = {.activation = activation,
                                                .beta = clips ? 6.0F : 0.0F};
    return hyp_zoo_layer(sketch, name, HYPERION_LAYER_ACTIVATION, &attributes, a);
}

int hyp_zoo_pool(HypZooSketch *sketch, const char *name, HyperionLayerOp op, int x, int64_t kernel,
                 int64_t stride, int64_t padding)
{
    const HyperionLayerAttributes attributes = {
        .kernel = {kernel, kernel},
        .stride = {stride, stride},
        .padding = {padding, padding, padding, padding},
    };
    return hyp_zoo_layer(sketch, name, op, &attributes, x);
}

int hyp_zoo_flatten(HypZooSketch *sketch, const char *name, int x)
{
    static const HyperionLayerAttributes flat = {.rank = 2, .dims = {0, -1}};
    return hyp_zoo_layer(sketch, name, HYPERION_LAYER_RESHAPE, &flat, x);
}

float hyp_zoo_spread(float gain, int64_t fan_in)
{
    return (gain == 0.0F ? 1.0F : gain) * sqrtf(3.0F / (float)fan_in);
}

// A layer of x, a weight of `rank` whose variance follows from gain and fan-in, and a bias.
static int add_weighted(HypZooSketch *sketch, const char *name, HyperionLayerOp op,
                        const HyperionLayerAttributes *attributes, int x, int rank,
                        const int64_t *dims, float spread, int64_t bias_length)
{
    const int weight = hyp_zoo_weight(sketch, name, "weight", rank, dims, 0.0F, spread);
    if (bias_length == 0)
        return hyp_zoo_join(sketch, name, op, attributes, (int[]){x, weight}, 2);
    const int bias =
        weight < 0 ? -1
                   : hyp_zoo_weight(sketch, name, "bias", 1, &bias_length, 0.0F, vector_spread);
    return hyp_zoo_join(sketch, name, op, attributes, (int[]){x, weight, bias}, 3);
}

int hyp_zoo_gemm(HypZooSketch *sketch, const char *name, int x, const HypZooGemm *gemm)
{
    if (x < 0)
        return -1;
    const HypShape *in = &sketch->model->tensors[x].shape;
    const int64_t depth = in->dims[in->rank - 1];
    const HyperionLayerAttributes attributes = {.activation = gemm->activation};
    return add_weighted(sketch, name, HYPERION_LAYER_GEMM, &attributes, x, 2,
                        (int64_t[]){depth, gemm->columns}, hyp_zoo_spread(gemm->gain, depth),
                        gemm->unbiased ? 0 : gemm->columns);
}

static int64_t at_least_1(int64_t value)
{
    return value ? value : 1;
}

int hyp_zoo_conv(HypZooSketch *sketch, const char *name, int x, const HypZooConv *conv)
{
    if (x < 0)
        return -1;
    const int64_t groups = at_least_1(conv->groups);
    const int64_t dims[] = {conv->channels, sketch->model->tensors[x].shape.dims[1] / groups,
                            at_least_1(conv->kernel[0]), at_least_1(conv->kernel[1])};
    const HyperionLayerAttributes attributes = {
        .activation = conv->activation,
        .groups = groups,
        .stride = {conv->stride, conv->stride},
        .padding = {conv->padding[0], conv->padding[1], conv->padding[0], conv->padding[1]},
    };
    return add_weighted(sketch, name, HYPERION_LAYER_CONV2D, &attributes, x, 4, dims,
                        hyp_zoo_spread(conv->gain, dims[1] * dims[2] * dims[3]),
                        conv->unbiased ? 0 : conv->channels);
}

int hyp_zoo_layernorm(HypZooSketch *sketch, const char *name, int x, float epsilon)
{
    if (x < 0)
        return -1;
    const HyperionLayerAttributes attributes = {.epsilon = epsilon};
    const HypShape *in = &sketch->model->tensors[x].shape;
    const int64_t width = in->dims[in->rank - 1];
    const int scale = hyp_zoo_weight(sketch, name, "scale", 1, &width, 1.0F, vector_spread);
    const int bias =
        scale < 0 ? -1 : hyp_zoo_weight(sketch, name, "bias", 1, &width, 0.0F, vector_spread);
    return hyp_zoo_join(sketch, name, HYPERION_LAYER_LAYERNORM, &attributes,
                        (int[]){x, scale, bias}, 3);
}

int hyp_zoo_slice(HypZooSketch *sketch, const char *name, int x, int axis, int64_t first,
                  int64_t count)
{
    if (x < 0)
        return -1;
    const HypShape *in = &sketch->model->tensors[x].shape;
    HyperionLayerAttributes attributes = {.rank = in->rank};
    for (int i = 0; i < in->rank; i++)
        attributes.dims[i] = i == axis ? count : in->dims[i];
    attributes.starts[axis] = first;
    return hyp_zoo_layer(sketch, name, HYPERION_LAYER_SLICE, &attributes, x);
}
