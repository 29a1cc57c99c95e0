// SPDX-License-Identifier: Apache-2.0
#include "model/zoo_images.h"

static const float vector_spread = 0.1F;

int hyp_zoo_image(HypZooSketch *sketch, int64_t batch, int64_t channels, int64_t edge)
{
    return hyperionAddInput(sketch->model, "x", HYPERION_TYPE_F32, 4,
                            (int64_t[]){batch, channels, edge, edge});
}

int64_t hyp_zoo_channels(const HypZooSketch *sketch, int x)
{
    return x < 0 ? 0 : sketch->model->tensors[x].shape.dims[1];
}

int hyp_zoo_batchnorm(HypZooSketch *sketch, const char *name, int x)
{
    if (x < 0)
        return -1;
    const int64_t channels = hyp_zoo_channels(sketch, x);
    const int scale = hyp_zoo_weight(sketch, name, "scale", 1, &channels, 1.0F, vector_spread);
    const int shift =
        scale < 0 ? -1 : hyp_zoo_weight(sketch, name, "shift", 1, &channels, 0.0F, vector_spread);
    return hyp_zoo_join(sketch, name, HYPERION_LAYER_SCALE_SHIFT, NULL, (int[]){x, scale, shift},
                        3);
}

int hyp_zoo_conv_norm(HypZooSketch *sketch, const char *name, int x, const HypZooConv *conv)
{
    HypZooName part;
    HypZooConv plain = *conv;
    plain.unbiased = true;
    plain.activation = HYPERION_ACTIVATION_NONE;
    x = hyp_zoo_conv(sketch, hyp_zoo_name(&part, "%s.conv", name), x, &plain);
    x = hyp_zoo_batchnorm(sketch, hyp_zoo_name(&part, "%s.norm", name), x);
    return conv->activation == HYPERION_ACTIVATION_NONE
               ? x
               : hyp_zoo_activate(sketch, hyp_zoo_name(&part, "%s.relu", name), conv->activation,
                                  x);
}

int hyp_zoo_mean_of_channels(HypZooSketch *sketch, int x)
{
    if (x < 0)
        return -1;
    const int64_t *dims = sketch->model->tensors[x].shape.dims;
    const HyperionLayerAttributes whole = {.kernel = {dims[2], dims[3]}};
    x = hyp_zoo_layer(sketch, "pool", HYPERION_LAYER_AVERAGE_POOL, &whole, x);
    return hyp_zoo_flatten(sketch, "flat", x);
}

int hyp_zoo_concat(HypZooSketch *sketch, const char *name, const int *inputs, int input_count)
{
    static const HyperionLayerAttributes channels = {.axis = 1};
    return hyp_zoo_join(sketch, name, HYPERION_LAYER_CONCAT, &channels, inputs, input_count);
}
