// SPDX-License-Identifier: Apache-2.0
// DenseNet-121 (Huang et al. 2017): 7,978,856 parameters.
#include "model/zoo_images.h"

#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 224, 29, 4096)                                                                 \
    P(GROWTH, growth, 32, 1, 512)                                                                  \
    P(CLASSES, classes, 1000, 1, 65536)                                                            \
    P(SEED, seed, 1, 0, 4294967295)

// A bottleneck is 4 growths wide, the stem 2.
enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, BOTTLENECK = 4, STEM = 2 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

static int add_norm_relu(HypZooSketch *sketch, const char *prefix, int x)
{
    HypZooName name;
    x = hyp_zoo_batchnorm(sketch, hyp_zoo_name(&name, "%s.norm", prefix), x);
    return hyp_zoo_activate(sketch, hyp_zoo_name(&name, "%s.relu", prefix),
                            HYPERION_ACTIVATION_RELU, x);
}

// x and `growth` channels more.
static int add_layer(HypZooSketch *sketch, const char *prefix, int x, int64_t growth)
{
    HypZooName name;
    const HypZooConv narrow = {
        .channels = BOTTLENECK * growth, .unbiased = true, .gain = sqrtf(2.0F)};
    const HypZooConv grow = {.channels = growth,
                             .kernel = {3, 3},
                             .padding = {1, 1},
                             .unbiased = true,
                             .gain = sqrtf(2.0F)};
    int y = add_norm_relu(sketch, hyp_zoo_name(&name, "%s.0", prefix), x);
    y = hyp_zoo_conv(sketch, hyp_zoo_name(&name, "%s.0.conv", prefix), y, &narrow);
    y = add_norm_relu(sketch, hyp_zoo_name(&name, "%s.1", prefix), y);
    y = hyp_zoo_conv(sketch, hyp_zoo_name(&name, "%s.1.conv", prefix), y, &grow);
    return hyp_zoo_concat(sketch, hyp_zoo_name(&name, "%s.concat", prefix), (int[]){x, y}, 2);
}

// Half the channels, height and width.
static int add_transition(HypZooSketch *sketch, const char *prefix, int x)
{
    HypZooName name;
    const HypZooConv halve = {
        .channels = hyp_zoo_channels(sketch, x) / 2, .unbiased = true, .gain = sqrtf(2.0F)};
    x = add_norm_relu(sketch, prefix, x);
    x = hyp_zoo_conv(sketch, hyp_zoo_name(&name, "%s.conv", prefix), x, &halve);
    return hyp_zoo_pool(sketch, hyp_zoo_name(&name, "%s.pool", prefix), HYPERION_LAYER_AVERAGE_POOL,
                        x, 2, 2, 0);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const int layers[] = {6, 12, 24, 16};
    enum { BLOCKS = sizeof layers / sizeof layers[0] };
    HypZooName name;
    const HypZooConv stem = {.channels = STEM * values[GROWTH],
                             .kernel = {7, 7},
                             .padding = {3, 3},
                             .stride = 2,
                             .activation = HYPERION_ACTIVATION_RELU,
                             .gain = sqrtf(2.0F)};
    int x = hyp_zoo_image(sketch, values[BATCH], 3, values[IMAGE]);
    x = hyp_zoo_conv_norm(sketch, "stem", x, &stem);
    x = hyp_zoo_pool(sketch, "stem.pool", HYPERION_LAYER_MAX_POOL, x, 3, 2, 1);
    for (int block = 0; block < BLOCKS; block++) {
        for (int i = 0; i < layers[block] && x >= 0; i++)
            x = add_layer(sketch, hyp_zoo_name(&name, "block%d.layer%d", block, i), x,
                          values[GROWTH]);
        if (block + 1 < BLOCKS)
            x = add_transition(sketch, hyp_zoo_name(&name, "transition%d", block), x);
    }
    x = add_norm_relu(sketch, "last", x);
    x = hyp_zoo_mean_of_channels(sketch, x);
    x = hyp_zoo_gemm(sketch, "fc", x, &(HypZooGemm){.columns = values[CLASSES]});
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_densenet121 = {
    .name = "densenet121",
    .help = "layers that read the results of all before them:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
