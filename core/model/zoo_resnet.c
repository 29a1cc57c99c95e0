// SPDX-License-Identifier: Apache-2.0
// ResNet-18 and -50 (He et al. 2016; the stride of a bottleneck in its 3 x 3 convolution, as
// torchvision has it): 11,689,512 and 25,557,032 parameters.
#include "model/zoo_images.h"

#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 224, 1, 4096)                                                                  \
    P(WIDTH, width, 64, 1, 1024)                                                                   \
    P(CLASSES, classes, 1000, 1, 65536)                                                            \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, STAGES = 4 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

// Of what a block adds to its input, so that the sum stays of the same order.
static const float added_gain = 0.5F;

// relu(shortcut(x) + convolutions(x)).
static int add_block(HypZooSketch *sketch, const char *prefix, int x, int64_t width, int64_t stride,
                     int64_t expansion)
{
    HypZooName name;
    const HyperionActivation relu = HYPERION_ACTIVATION_RELU;
    const HypZooConv narrow = {.channels = width, .activation = relu, .gain = sqrtf(2.0F)};
    const HypZooConv spatial = {.channels = width,
                                .kernel = {3, 3},
                                .padding = {1, 1},
                                .stride = stride,
                                .activation = relu,
                                .gain = sqrtf(2.0F)};
    const HypZooConv second = {
        .channels = width, .kernel = {3, 3}, .padding = {1, 1}, .gain = added_gain};
    const HypZooConv widen = {.channels = width * expansion, .gain = added_gain};
    const HypZooConv project = {.channels = width * expansion, .stride = stride};
    const bool projects = stride != 1 || hyp_zoo_channels(sketch, x) != width * expansion;
    int y = x;
    if (expansion > 1)
        y = hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.0", prefix), y, &narrow);
    y = hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.1", prefix), y, &spatial);
    y = hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.2", prefix), y,
                          expansion > 1 ? &widen : &second);
    if (projects)
        x = hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.shortcut", prefix), y < 0 ? -1 : x,
                              &project);
    x = hyp_zoo_add(sketch, hyp_zoo_name(&name, "%s.sum", prefix), y, x);
    return hyp_zoo_activate(sketch, hyp_zoo_name(&name, "%s.relu", prefix), relu, x);
}

static bool build(HypZooSketch *sketch, const int64_t *values, const int blocks[STAGES],
                  int64_t expansion)
{
    const HypZooConv stem = {.channels = values[WIDTH],
                             .kernel = {7, 7},
                             .padding = {3, 3},
                             .stride = 2,
                             .activation = HYPERION_ACTIVATION_RELU,
                             .gain = sqrtf(2.0F)};
    int x = hyp_zoo_image(sketch, values[BATCH], 3, values[IMAGE]);
    x = hyp_zoo_conv_norm(sketch, "stem", x, &stem);
    x = hyp_zoo_pool(sketch, "stem.pool", HYPERION_LAYER_MAX_POOL, x, 3, 2, 1);
    for (int stage = 0; stage < STAGES; stage++)
        for (int i = 0; i < blocks[stage] && x >= 0; i++) {
            HypZooName name;
            x = add_block(sketch, hyp_zoo_name(&name, "stage%d.block%d", stage, i), x,
                          values[WIDTH] << stage, i == 0 && stage > 0 ? 2 : 1, expansion);
        }
    x = hyp_zoo_mean_of_channels(sketch, x);
    x = hyp_zoo_gemm(sketch, "fc", x, &(HypZooGemm){.columns = values[CLASSES]});
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

static bool build_18(HypZooSketch *sketch, const int64_t *values)
{
    return build(sketch, values, (int[STAGES]){2, 2, 2, 2}, 1);
}

static bool build_50(HypZooSketch *sketch, const int64_t *values)
{
    return build(sketch, values, (int[STAGES]){3, 4, 6, 3}, 4);
}

const HypZooGenerator hyp_zoo_resnet18 = {
    .name = "resnet18",
    .help = "residual pairs of 3x3 convolutions:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build_18,
};

const HypZooGenerator hyp_zoo_resnet50 = {
    .name = "resnet50",
    .help = "residual bottlenecks of 1x1, 3x3 and 1x1 convolutions:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build_50,
};
