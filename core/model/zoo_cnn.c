// SPDX-License-Identifier: Apache-2.0
#include "model/zoo.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 32, 1, 4096)                                                                   \
    P(CHANNELS, channels, 16, 1, 4096)                                                             \
    P(STAGES, stages, 3, 1, 8)                                                                     \
    P(CLASSES, classes, 10, 1, 65536)                                                              \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

// A residual pair of convolutions, then half the height and width.
static int add_stage(HypZooSketch *sketch, int stage, int x, int64_t channels)
{
    HypZooName name;
    HypZooConv conv = {.channels = channels,
                       .kernel = {3, 3},
                       .padding = {1, 1},
                       .activation = HYPERION_ACTIVATION_RELU,
                       .gain = sqrtf(2.0F)};
    const int first = hyp_zoo_conv(sketch, hyp_zoo_name(&name, "stage%d.conv0", stage), x, &conv);
    conv.activation = HYPERION_ACTIVATION_NONE;
    conv.gain = 1.0F;
    x = hyp_zoo_conv(sketch, hyp_zoo_name(&name, "stage%d.conv1", stage), first, &conv);
    x = hyp_zoo_add(sketch, hyp_zoo_name(&name, "stage%d.sum", stage), first, x);
    x = hyp_zoo_activate(sketch, hyp_zoo_name(&name, "stage%d.relu", stage),
                         HYPERION_ACTIVATION_RELU, x);
    return hyp_zoo_pool(sketch, hyp_zoo_name(&name, "stage%d.pool", stage), HYPERION_LAYER_MAX_POOL,
                        x, 2, 2, 0);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    if (values[IMAGE] >> values[STAGES] == 0)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "builtin:cnn: an image of %" PRId64 " cannot be halved %" PRId64 " times",
                        values[IMAGE], values[STAGES]);
    int x = hyperionAddInput(sketch->model, "x", HYPERION_TYPE_F32, 4,
                             (int64_t[]){values[BATCH], 3, values[IMAGE], values[IMAGE]});
    for (int stage = 0; stage < (int)values[STAGES]; stage++)
        x = add_stage(sketch, stage, x, values[CHANNELS] << stage);
    x = hyp_zoo_flatten(sketch, "flat", x);
    x = hyp_zoo_gemm(sketch, "head", x, &(HypZooGemm){.columns = values[CLASSES]});
    x = hyp_zoo_layer(sketch, "probabilities", HYPERION_LAYER_SOFTMAX, NULL, x);
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_cnn = {
    .name = "cnn",
    .help = "stages of two residual 3x3 convolutions and a pooling, channels doubling with each, "
            "then a classifier:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
