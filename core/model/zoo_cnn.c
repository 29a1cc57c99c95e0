// SPDX-License-Identifier: Apache-2.0
#include "model/zoo.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

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
    static const HyperionLayerAttributes relu = {.activation = HYPERION_ACTIVATION_RELU};
    static const HyperionLayerAttributes halve = {.kernel = {2, 2}, .stride = {2, 2}};
    char first_name[32];
    char second_name[32];
    char sum_name[32];
    char relu_name[32];
    char pool_name[32];
    (void)snprintf(first_name, sizeof first_name, "stage%d.conv0", stage);
    (void)snprintf(second_name, sizeof second_name, "stage%d.conv1", stage);
    (void)snprintf(sum_name, sizeof sum_name, "stage%d.sum", stage);
    (void)snprintf(relu_name, sizeof relu_name, "stage%d.relu", stage);
    (void)snprintf(pool_name, sizeof pool_name, "stage%d.pool", stage);
    const int first =
        hyp_zoo_conv(sketch, first_name, x, channels, HYPERION_ACTIVATION_RELU, sqrtf(2.0F));
    const int second =
        hyp_zoo_conv(sketch, second_name, first, channels, HYPERION_ACTIVATION_NONE, 1.0F);
    const int sum = hyp_zoo_add(sketch, sum_name, first, second);
    const int activated = hyp_zoo_layer(sketch, relu_name, HYPERION_LAYER_ACTIVATION, &relu, sum);
    return hyp_zoo_layer(sketch, pool_name, HYPERION_LAYER_MAX_POOL2D, &halve, activated);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const HyperionLayerAttributes flat = {.rank = 2, .dims = {0, -1}};
    if (values[IMAGE] >> values[STAGES] == 0)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "builtin:cnn: an image of %" PRId64 " cannot be halved %" PRId64 " times",
                        values[IMAGE], values[STAGES]);
    int x = hyperionAddInput(sketch->model, "x", HYPERION_TYPE_F32, 4,
                             (int64_t[]){values[BATCH], 3, values[IMAGE], values[IMAGE]});
    for (int stage = 0; stage < (int)values[STAGES]; stage++)
        x = add_stage(sketch, stage, x, values[CHANNELS] << stage);
    x = hyp_zoo_layer(sketch, "flat", HYPERION_LAYER_RESHAPE, &flat, x);
    x = hyp_zoo_gemm(sketch, "head", x, values[CLASSES], HYPERION_ACTIVATION_NONE, 1.0F);
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
