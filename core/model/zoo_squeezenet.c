// SPDX-License-Identifier: Apache-2.0
// SqueezeNet (Iandola et al. 2016): version=10 is 1.0 with 1,248,424 parameters, 11 is 1.1 with
// 1,235,496.
#include "model/zoo_images.h"

#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(VERSION, version, 11, 10, 11)                                                                \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 224, 21, 4096)                                                                 \
    P(CLASSES, classes, 1000, 1, 65536)                                                            \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, FIRES = 8 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

static int add_pool(HypZooSketch *sketch, const char *name, int x)
{
    static const HyperionLayerAttributes pool = {
        .kernel = {3, 3}, .stride = {2, 2}, .ceil_mode = true};
    return hyp_zoo_layer(sketch, name, HYPERION_LAYER_MAX_POOL, &pool, x);
}

// Few channels, then 1x1 and 3x3 convolutions of them side by side.
static int add_fire(HypZooSketch *sketch, int number, int x, int64_t squeezed, int64_t expanded)
{
    HypZooName name;
    HypZooConv conv = {
        .channels = squeezed, .activation = HYPERION_ACTIVATION_RELU, .gain = sqrtf(2.0F)};
    x = hyp_zoo_conv(sketch, hyp_zoo_name(&name, "fire%d.squeeze", number), x, &conv);
    conv.channels = expanded;
    const int points =
        hyp_zoo_conv(sketch, hyp_zoo_name(&name, "fire%d.expand1", number), x, &conv);
    conv.kernel[0] = conv.kernel[1] = 3;
    conv.padding[0] = conv.padding[1] = 1;
    const int squares =
        points < 0 ? -1
                   : hyp_zoo_conv(sketch, hyp_zoo_name(&name, "fire%d.expand3", number), x, &conv);
    return hyp_zoo_concat(sketch, hyp_zoo_name(&name, "fire%d", number), (int[]){points, squares},
                          2);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const struct {
        int channels, kernel;
        bool pools_before[FIRES];
    } versions[] = {{96, 7, {[0] = true, [3] = true, [7] = true}},
                    {64, 3, {[0] = true, [2] = true, [4] = true}}};
    static const int squeezed[FIRES] = {16, 16, 32, 32, 48, 48, 64, 64};
    const int version = (int)values[VERSION] - 10;
    HypZooConv conv = {.channels = versions[version].channels,
                       .kernel = {versions[version].kernel, versions[version].kernel},
                       .stride = 2,
                       .activation = HYPERION_ACTIVATION_RELU,
                       .gain = sqrtf(2.0F)};
    int x = hyp_zoo_image(sketch, values[BATCH], 3, values[IMAGE]);
    x = hyp_zoo_conv(sketch, "stem", x, &conv);
    for (int i = 0; i < FIRES; i++) {
        HypZooName name;
        if (versions[version].pools_before[i])
            x = add_pool(sketch, hyp_zoo_name(&name, "pool%d", i), x);
        x = add_fire(sketch, i, x, squeezed[i], (int64_t)4 * squeezed[i]);
    }
    conv = (HypZooConv){.channels = values[CLASSES], .activation = HYPERION_ACTIVATION_RELU};
    x = hyp_zoo_conv(sketch, "classes", x, &conv);
    x = hyp_zoo_mean_of_channels(sketch, x);
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_squeezenet = {
    .name = "squeezenet",
    .help = "convolutions that squeeze and expand:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
