// SPDX-License-Identifier: Apache-2.0
// U-Net (Ronneberger et al. 2015, figure 1: convolutions without padding, 572 x 572 to 388 x 388):
// 31,030,658 parameters, counted from that figure with a bias to each convolution.
#include "model/zoo_images.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 572, 12, 4096)                                                                 \
    P(CHANNELS, channels, 1, 1, 1024)                                                              \
    P(WIDTH, width, 64, 1, 1024)                                                                   \
    P(DEPTH, depth, 4, 1, 6)                                                                       \
    P(CLASSES, classes, 2, 1, 65536)                                                               \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, MOST_DEPTH = 6 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

// Two convolutions of 3 x 3 take 4 off the edge.
static int add_pair(HypZooSketch *sketch, const char *prefix, int x, int64_t channels)
{
    HypZooName name;
    const HypZooConv conv = {.channels = channels,
                             .kernel = {3, 3},
                             .activation = HYPERION_ACTIVATION_RELU,
                             .gain = sqrtf(2.0F)};
    x = hyp_zoo_conv(sketch, hyp_zoo_name(&name, "%s.0", prefix), x, &conv);
    return hyp_zoo_conv(sketch, hyp_zoo_name(&name, "%s.1", prefix), x, &conv);
}

// Twice the height and width.
static int add_upsampling(HypZooSketch *sketch, const char *name, int x, int64_t channels)
{
    static const HyperionLayerAttributes twice = {.stride = {2, 2}};
    const int64_t in_channels = hyp_zoo_channels(sketch, x);
    if (x < 0)
        return -1;
    const int weight =
        hyp_zoo_weight(sketch, name, "weight", 4, (int64_t[]){in_channels, channels, 2, 2}, 0.0F,
                       hyp_zoo_spread(1.0F, in_channels));
    const int bias =
        weight < 0 ? -1 : hyp_zoo_weight(sketch, name, "bias", 1, &channels, 0.0F, 0.1F);
    return hyp_zoo_join(sketch, name, HYPERION_LAYER_CONV_TRANSPOSE, &twice,
                        (int[]){x, weight, bias}, 3);
}

// The middle of `x`, as high and wide as `like`.
static int crop(HypZooSketch *sketch, const char *name, int x, int like)
{
    if (x < 0 || like < 0)
        return -1;
    const int64_t *from = sketch->model->tensors[x].shape.dims;
    const int64_t *to = sketch->model->tensors[like].shape.dims;
    const HyperionLayerAttributes middle = {
        .rank = 4,
        .dims = {from[0], from[1], to[2], to[3]},
        .starts = {0, 0, (from[2] - to[2]) / 2, (from[3] - to[3]) / 2},
    };
    return hyp_zoo_layer(sketch, name, HYPERION_LAYER_SLICE, &middle, x);
}

// Every pooling must find an even edge, and something must be left at the end.
static bool check_edge(const HypZooSketch *sketch, int64_t image, int64_t depth)
{
    int64_t edge = image;
    bool fits = true;
    for (int64_t i = 0; i < depth; i++) {
        edge -= 4;
        fits = fits && edge % 2 == 0;
        edge /= 2;
    }
    edge -= 4;
    for (int64_t i = 0; i < depth; i++)
        edge = edge * 2 - 4;
    return (fits && edge > 0) || hyp_fail(HYPERION_ERROR_ARGUMENT,
                                          "%s: an image of %" PRId64 " cannot be halved %" PRId64
                                          " times between convolutions that take 4 off its edge",
                                          sketch->model->name, image, depth);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    const int depth = (int)values[DEPTH];
    HypZooName name;
    int skipped[MOST_DEPTH];
    if (!check_edge(sketch, values[IMAGE], depth))
        return false;
    int x = hyp_zoo_image(sketch, values[BATCH], values[CHANNELS], values[IMAGE]);
    for (int i = 0; i < depth; i++) {
        x = add_pair(sketch, hyp_zoo_name(&name, "down%d", i), x, values[WIDTH] << i);
        skipped[i] = x;
        x = hyp_zoo_pool(sketch, hyp_zoo_name(&name, "down%d.pool", i), HYPERION_LAYER_MAX_POOL, x,
                         2, 2, 0);
    }
    x = add_pair(sketch, "bottom", x, values[WIDTH] << depth);
    for (int i = depth - 1; i >= 0; i--) {
        x = add_upsampling(sketch, hyp_zoo_name(&name, "up%d.twice", i), x, values[WIDTH] << i);
        const int side = crop(sketch, hyp_zoo_name(&name, "up%d.crop", i), skipped[i], x);
        x = hyp_zoo_concat(sketch, hyp_zoo_name(&name, "up%d.concat", i), (int[]){side, x}, 2);
        x = add_pair(sketch, hyp_zoo_name(&name, "up%d", i), x, values[WIDTH] << i);
    }
    x = hyp_zoo_conv(sketch, "classes", x, &(HypZooConv){.channels = values[CLASSES]});
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_unet = {
    .name = "unet",
    .help = "down and up again, each level read from both sides:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
