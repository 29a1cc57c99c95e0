// SPDX-License-Identifier: Apache-2.0
// ShuffleNetV2 (Ma et al. 2018): 2,278,604 parameters at width=116, which is its "1.0x".
#include "model/zoo_images.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 224, 1, 4096)                                                                  \
    P(WIDTH, width, 116, 2, 1024)                                                                  \
    P(LAST, last, 1024, 1, 16384)                                                                  \
    P(CLASSES, classes, 1000, 1, 65536)                                                            \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, STEM = 24 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

static int add_points(HypZooSketch *sketch, const char *prefix, const char *part, int x,
                      int64_t channels)
{
    HypZooName name;
    const HypZooConv conv = {
        .channels = channels, .activation = HYPERION_ACTIVATION_RELU, .gain = sqrtf(2.0F)};
    return hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.%s", prefix, part), x, &conv);
}

static int add_depthwise(HypZooSketch *sketch, const char *prefix, const char *part, int x,
                         int64_t stride)
{
    HypZooName name;
    const int64_t channels = hyp_zoo_channels(sketch, x);
    const HypZooConv conv = {.channels = channels,
                             .kernel = {3, 3},
                             .padding = {1, 1},
                             .stride = stride,
                             .groups = channels};
    return hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.%s", prefix, part), x, &conv);
}

// Channels of the two halves in turn.
static int shuffle(HypZooSketch *sketch, const char *prefix, int x)
{
    if (x < 0)
        return -1;
    HypZooName name;
    const int64_t *dims = sketch->model->tensors[x].shape.dims;
    const HyperionLayerAttributes halves = {.rank = 5,
                                            .dims = {dims[0], 2, dims[1] / 2, dims[2], dims[3]}};
    const HyperionLayerAttributes swap = {.rank = 5, .axes = {0, 2, 1, 3, 4}};
    const HyperionLayerAttributes whole = {.rank = 4, .dims = {dims[0], dims[1], dims[2], dims[3]}};
    x = hyp_zoo_layer(sketch, hyp_zoo_name(&name, "%s.halves", prefix), HYPERION_LAYER_RESHAPE,
                      &halves, x);
    x = hyp_zoo_layer(sketch, hyp_zoo_name(&name, "%s.swap", prefix), HYPERION_LAYER_TRANSPOSE,
                      &swap, x);
    return hyp_zoo_layer(sketch, hyp_zoo_name(&name, "%s.shuffled", prefix), HYPERION_LAYER_RESHAPE,
                         &whole, x);
}

// Half of the channels convolved, the other half as it is; at stride 2 both convolved from all.
static int add_block(HypZooSketch *sketch, const char *prefix, int x, int64_t channels,
                     int64_t stride)
{
    HypZooName name;
    const int64_t half = channels / 2;
    int left;
    int right = x;
    if (stride == 1) {
        left = hyp_zoo_slice(sketch, hyp_zoo_name(&name, "%s.left", prefix), x, 1, 0, half);
        right = left < 0 ? -1
                         : hyp_zoo_slice(sketch, hyp_zoo_name(&name, "%s.right", prefix), x, 1,
                                         half, half);
    } else {
        left = add_depthwise(sketch, prefix, "left.depthwise", x, stride);
        left = add_points(sketch, prefix, "left.points", left, half);
    }
    right = add_points(sketch, prefix, "right.points0", left < 0 ? -1 : right, half);
    right = add_depthwise(sketch, prefix, "right.depthwise", right, stride);
    right = add_points(sketch, prefix, "right.points1", right, half);
    x = hyp_zoo_concat(sketch, hyp_zoo_name(&name, "%s.concat", prefix), (int[]){left, right}, 2);
    return shuffle(sketch, prefix, x);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const int blocks[] = {4, 8, 4};
    if (values[WIDTH] % 2)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: width is even, given %" PRId64,
                        sketch->model->name, values[WIDTH]);
    const HypZooConv stem = {.channels = STEM,
                             .kernel = {3, 3},
                             .padding = {1, 1},
                             .stride = 2,
                             .activation = HYPERION_ACTIVATION_RELU,
                             .gain = sqrtf(2.0F)};
    int x = hyp_zoo_image(sketch, values[BATCH], 3, values[IMAGE]);
    x = hyp_zoo_conv_norm(sketch, "stem", x, &stem);
    x = hyp_zoo_pool(sketch, "stem.pool", HYPERION_LAYER_MAX_POOL, x, 3, 2, 1);
    for (int stage = 0; stage < (int)(sizeof blocks / sizeof blocks[0]); stage++)
        for (int i = 0; i < blocks[stage]; i++) {
            HypZooName name;
            x = add_block(sketch, hyp_zoo_name(&name, "stage%d.block%d", stage, i), x,
                          values[WIDTH] << stage, i == 0 ? 2 : 1);
        }
    x = add_points(sketch, "last", "points", x, values[LAST]);
    x = hyp_zoo_mean_of_channels(sketch, x);
    x = hyp_zoo_gemm(sketch, "fc", x, &(HypZooGemm){.columns = values[CLASSES]});
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_shufflenet = {
    .name = "shufflenet",
    .help = "halves of the channels convolved and shuffled:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
