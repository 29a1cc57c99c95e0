// SPDX-License-Identifier: Apache-2.0
// Inception-V3 (Szegedy et al. 2016) without the auxiliary classifier, which only training needs:
// 23,834,568 parameters at width=100 (percent).
#include "model/zoo_images.h"

#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(IMAGE, image, 299, 75, 4096)                                                                 \
    P(WIDTH, width, 100, 1, 1000)                                                                  \
    P(CLASSES, classes, 1000, 1, 65536)                                                            \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, MOST_BRANCHES = 8, LONGEST_BRANCH = 5 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

// A convolution; at stride 1 padded to keep height and width.
typedef struct Step {
    int channels, height, width, stride;
} Step;

typedef enum Source { FROM_INPUT, FROM_AVERAGE, FROM_MAXIMUM, FROM_STEM } Source;

// Convolutions one after another; 0 channels end the list.
typedef struct Branch {
    Source source;
    bool is_stem; // no part of the result: what the branches behind it begin with
    Step steps[LONGEST_BRANCH];
} Branch;

// Branches side by side; one without source and steps ends the list.
typedef struct Module {
    Branch branches[MOST_BRANCHES];
} Module;

#define CONV(channels, height, width)                                                              \
    {                                                                                              \
        channels, height, width, 1                                                                 \
    }
#define HALVE(channels)                                                                            \
    {                                                                                              \
        channels, 3, 3, 2                                                                          \
    }
#define MODULE_A(pooled)                                                                           \
    {                                                                                              \
        {                                                                                          \
            {.steps = {CONV(64, 1, 1)}}, {.steps = {CONV(48, 1, 1), CONV(64, 5, 5)}},              \
                {.steps = {CONV(64, 1, 1), CONV(96, 3, 3), CONV(96, 3, 3)}},                       \
                {.source = FROM_AVERAGE, .steps = {CONV(pooled, 1, 1)}},                           \
        }                                                                                          \
    }
#define MODULE_C(inner)                                                                            \
    {                                                                                              \
        {                                                                                          \
            {.steps = {CONV(192, 1, 1)}},                                                          \
                {.steps = {CONV(inner, 1, 1), CONV(inner, 1, 7), CONV(192, 7, 1)}},                \
                {.steps = {CONV(inner, 1, 1), CONV(inner, 7, 1), CONV(inner, 1, 7),                \
                           CONV(inner, 7, 1), CONV(192, 1, 7)}},                                   \
                {.source = FROM_AVERAGE, .steps = {CONV(192, 1, 1)}},                              \
        }                                                                                          \
    }
#define MODULE_E                                                                                   \
    {                                                                                              \
        {                                                                                          \
            {.steps = {CONV(320, 1, 1)}}, {.is_stem = true, .steps = {CONV(384, 1, 1)}},           \
                {.source = FROM_STEM, .steps = {CONV(384, 1, 3)}},                                 \
                {.source = FROM_STEM, .steps = {CONV(384, 3, 1)}},                                 \
                {.is_stem = true, .steps = {CONV(448, 1, 1), CONV(384, 3, 3)}},                    \
                {.source = FROM_STEM, .steps = {CONV(384, 1, 3)}},                                 \
                {.source = FROM_STEM, .steps = {CONV(384, 3, 1)}},                                 \
                {.source = FROM_AVERAGE, .steps = {CONV(192, 1, 1)}},                              \
        }                                                                                          \
    }

static const Module modules[] = {
    MODULE_A(32),
    MODULE_A(64),
    MODULE_A(64),
    {{
        {.steps = {HALVE(384)}},
        {.steps = {CONV(64, 1, 1), CONV(96, 3, 3), HALVE(96)}},
        {.source = FROM_MAXIMUM},
    }},
    MODULE_C(128),
    MODULE_C(160),
    MODULE_C(160),
    MODULE_C(192),
    {{
        {.steps = {CONV(192, 1, 1), HALVE(320)}},
        {.steps = {CONV(192, 1, 1), CONV(192, 1, 7), CONV(192, 7, 1), HALVE(192)}},
        {.source = FROM_MAXIMUM},
    }},
    MODULE_E,
    MODULE_E,
};

static int add_convolution(HypZooSketch *sketch, const char *name, int x, const Step *step,
                           int64_t percent, bool padded)
{
    const int64_t channels = step->channels * percent / 100;
    const HypZooConv conv = {
        .channels = channels ? channels : 1,
        .kernel = {step->height, step->width},
        .padding = {padded ? step->height / 2 : 0, padded ? step->width / 2 : 0},
        .stride = step->stride,
        .activation = HYPERION_ACTIVATION_RELU,
        .gain = sqrtf(2.0F),
    };
    return hyp_zoo_conv_norm(sketch, name, x, &conv);
}

// Where a branch begins.
static int find_source(HypZooSketch *sketch, const char *prefix, Source source, int x, int stem)
{
    HypZooName name;
    switch (source) {
    case FROM_AVERAGE: {
        static const HyperionLayerAttributes average = {
            .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1, 1, 1}, .count_padding = true};
        return hyp_zoo_layer(sketch, hyp_zoo_name(&name, "%s.average", prefix),
                             HYPERION_LAYER_AVERAGE_POOL, &average, x);
    }
    case FROM_MAXIMUM:
        return hyp_zoo_pool(sketch, hyp_zoo_name(&name, "%s.maximum", prefix),
                            HYPERION_LAYER_MAX_POOL, x, 3, 2, 0);
    case FROM_STEM: return stem;
    default: return x;
    }
}

static int add_module(HypZooSketch *sketch, int number, int x, const Module *module,
                      int64_t percent)
{
    HypZooName name;
    HypZooName prefix;
    int results[MOST_BRANCHES];
    int result_count = 0;
    int stem = -1;
    int y = x;
    for (int i = 0; i < MOST_BRANCHES && y >= 0; i++) {
        const Branch *branch = &module->branches[i];
        if (branch->source == FROM_INPUT && !branch->steps[0].channels)
            break;
        (void)hyp_zoo_name(&prefix, "module%d.branch%d", number, i);
        y = find_source(sketch, prefix.text, branch->source, x, stem);
        for (int j = 0; j < LONGEST_BRANCH && branch->steps[j].channels; j++)
            y = add_convolution(sketch, hyp_zoo_name(&name, "%s.%d", prefix.text, j), y,
                                &branch->steps[j], percent, branch->steps[j].stride == 1);
        if (branch->is_stem)
            stem = y;
        else
            results[result_count++] = y;
    }
    return y < 0 ? -1
                 : hyp_zoo_concat(sketch, hyp_zoo_name(&name, "module%d", number), results,
                                  result_count);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const struct {
        Step step;
        bool padded, pools;
    } stem[] = {{HALVE(32), false, false},
                {CONV(32, 3, 3), false, false},
                {CONV(64, 3, 3), true, true},
                {CONV(80, 1, 1), false, false},
                {CONV(192, 3, 3), false, true}};
    HypZooName name;
    int x = hyp_zoo_image(sketch, values[BATCH], 3, values[IMAGE]);
    for (int i = 0; i < (int)(sizeof stem / sizeof stem[0]); i++) {
        x = add_convolution(sketch, hyp_zoo_name(&name, "stem%d", i), x, &stem[i].step,
                            values[WIDTH], stem[i].padded);
        if (stem[i].pools)
            x = hyp_zoo_pool(sketch, hyp_zoo_name(&name, "stem%d.pool", i), HYPERION_LAYER_MAX_POOL,
                             x, 3, 2, 0);
    }
    for (int i = 0; i < (int)(sizeof modules / sizeof modules[0]) && x >= 0; i++)
        x = add_module(sketch, i, x, &modules[i], values[WIDTH]);
    x = hyp_zoo_mean_of_channels(sketch, x);
    x = hyp_zoo_gemm(sketch, "fc", x, &(HypZooGemm){.columns = values[CLASSES]});
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_inceptionv3 = {
    .name = "inceptionv3",
    .help = "modules of convolutions side by side:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
