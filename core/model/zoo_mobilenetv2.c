// SPDX-License-Identifier: Apache-2.0
// MobileNetV2 (Sandler et al. 2018): 3,504,872 parameters at width=100 (percent).
#include "model/zoo_images.h"

#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 224, 1, 4096)                                                                  \
    P(WIDTH, width, 100, 10, 1000)                                                                 \
    P(CLASSES, classes, 1000, 1, 65536)                                                            \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, STEM = 32, LAST = 1280 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

// `percent` of `channels` to the nearest multiple of 8, but never less than 90 % of what was asked.
static int64_t scale_channels(int64_t channels, int64_t percent)
{
    const int64_t hundredths = channels * percent;
    int64_t rounded = (hundredths + 400) / 800 * 8;
    if (rounded < 8)
        rounded = 8;
    return rounded * 1000 < hundredths * 9 ? rounded + 8 : rounded;
}

// x + narrow(depthwise(widen(x))), the sum where it can be.
static int add_block(HypZooSketch *sketch, const char *prefix, int x, int64_t channels,
                     int64_t stride, int64_t expansion)
{
    HypZooName name;
    const HyperionActivation relu6 = HYPERION_ACTIVATION_CLIP;
    const int64_t in_channels = hyp_zoo_channels(sketch, x);
    const int64_t inner = in_channels * expansion;
    const HypZooConv widen = {.channels = inner, .activation = relu6, .gain = sqrtf(2.0F)};
    const HypZooConv depthwise = {.channels = inner,
                                  .kernel = {3, 3},
                                  .padding = {1, 1},
                                  .stride = stride,
                                  .groups = inner,
                                  .activation = relu6,
                                  .gain = sqrtf(2.0F)};
    int y = x;
    if (expansion > 1)
        y = hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.widen", prefix), y, &widen);
    y = hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.depthwise", prefix), y, &depthwise);
    y = hyp_zoo_conv_norm(sketch, hyp_zoo_name(&name, "%s.narrow", prefix), y,
                          &(HypZooConv){.channels = channels});
    return stride == 1 && in_channels == channels
               ? hyp_zoo_add(sketch, hyp_zoo_name(&name, "%s.sum", prefix), x, y)
               : y;
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const struct {
        int expansion, channels, blocks, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    const int64_t percent = values[WIDTH];
    const HypZooConv stem = {.channels = scale_channels(STEM, percent),
                             .kernel = {3, 3},
                             .padding = {1, 1},
                             .stride = 2,
                             .activation = HYPERION_ACTIVATION_CLIP,
                             .gain = sqrtf(2.0F)};
    const HypZooConv last = {.channels = scale_channels(LAST, percent > 100 ? percent : 100),
                             .activation = HYPERION_ACTIVATION_CLIP,
                             .gain = sqrtf(2.0F)};
    int x = hyp_zoo_image(sketch, values[BATCH], 3, values[IMAGE]);
    x = hyp_zoo_conv_norm(sketch, "stem", x, &stem);
    for (int stage = 0; stage < (int)(sizeof stages / sizeof stages[0]); stage++)
        for (int i = 0; i < stages[stage].blocks && x >= 0; i++) {
            HypZooName name;
            x = add_block(sketch, hyp_zoo_name(&name, "stage%d.block%d", stage, i), x,
                          scale_channels(stages[stage].channels, percent),
                          i == 0 ? stages[stage].stride : 1, stages[stage].expansion);
        }
    x = hyp_zoo_conv_norm(sketch, "last", x, &last);
    x = hyp_zoo_mean_of_channels(sketch, x);
    x = hyp_zoo_gemm(sketch, "fc", x, &(HypZooGemm){.columns = values[CLASSES]});
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_mobilenetv2 = {
    .name = "mobilenetv2",
    .help = "inverted residuals around depthwise convolutions:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
