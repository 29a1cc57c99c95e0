// SPDX-License-Identifier: Apache-2.0
// VGG-16 (Simonyan and Zisserman 2015, configuration D): 138,357,544 parameters at image=224.
#include "model/zoo.h"

#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 224, 32, 4096)                                                                 \
    P(WIDTH, width, 64, 1, 1024)                                                                   \
    P(HIDDEN, hidden, 4096, 1, 65536)                                                              \
    P(CLASSES, classes, 1000, 1, 65536)                                                            \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

static int add_stage(HypZooSketch *sketch, int stage, int convolutions, int x, int64_t channels)
{
    HypZooName name;
    const HypZooConv conv = {.channels = channels,
                             .kernel = {3, 3},
                             .padding = {1, 1},
                             .activation = HYPERION_ACTIVATION_RELU,
                             .gain = sqrtf(2.0F)};
    for (int i = 0; i < convolutions; i++)
        x = hyp_zoo_conv(sketch, hyp_zoo_name(&name, "conv%d_%d", stage + 1, i + 1), x, &conv);
    return hyp_zoo_pool(sketch, hyp_zoo_name(&name, "pool%d", stage + 1), HYPERION_LAYER_MAX_POOL,
                        x, 2, 2, 0);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const struct {
        int convolutions;
        int widths;
    } stages[] = {{2, 1}, {2, 2}, {3, 4}, {3, 8}, {3, 8}};
    const HypZooGemm hidden = {
        .columns = values[HIDDEN], .activation = HYPERION_ACTIVATION_RELU, .gain = sqrtf(2.0F)};
    int x = hyperionAddInput(sketch->model, "x", HYPERION_TYPE_F32, 4,
                             (int64_t[]){values[BATCH], 3, values[IMAGE], values[IMAGE]});
    for (int i = 0; i < (int)(sizeof stages / sizeof stages[0]); i++)
        x = add_stage(sketch, i, stages[i].convolutions, x, stages[i].widths * values[WIDTH]);
    x = hyp_zoo_flatten(sketch, "flat", x);
    x = hyp_zoo_gemm(sketch, "fc6", x, &hidden);
    x = hyp_zoo_gemm(sketch, "fc7", x, &hidden);
    x = hyp_zoo_gemm(sketch, "fc8", x, &(HypZooGemm){.columns = values[CLASSES]});
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_vgg16 = {
    .name = "vgg16",
    .help = "13 convolutions in five stages, then a large classifier:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
