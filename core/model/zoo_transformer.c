// SPDX-License-Identifier: Apache-2.0
// Pre-normalised blocks (Xiong et al. 2020) on embeddings that the caller gives.
#include "model/zoo.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(SEQ, seq, 64, 1, 65536)                                                                      \
    P(HIDDEN, hidden, 128, 1, 16384)                                                               \
    P(HEADS, heads, 4, 1, 1024)                                                                    \
    P(LAYERS, layers, 2, 1, 1024)                                                                  \
    P(CAUSAL, causal, 1, 0, 1)                                                                     \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

// Inner width of the feed-forward part, in widths of the model.
enum { INNER_WIDTHS = 4, NAME_BYTES = 48 };

typedef struct BlockName {
    char text[NAME_BYTES];
} BlockName;

static const char *name_part(BlockName *name, int block, const char *part)
{
    (void)snprintf(name->text, sizeof name->text, "block%d.%s", block, part);
    return name->text;
}

// x + attention(normalised x). `gain` is that of what is added.
static int add_attention(HypZooSketch *sketch, const int64_t *values, int block, int x, float gain)
{
    BlockName name;
    const int64_t width = values[HIDDEN];
    const HyperionActivation none = HYPERION_ACTIVATION_NONE;
    const HyperionLayerAttributes attributes = {.heads = values[HEADS],
                                                .causal = values[CAUSAL] != 0};
    const int in = hyp_zoo_layernorm(sketch, name_part(&name, block, "norm0"), x);
    const int q = hyp_zoo_gemm(sketch, name_part(&name, block, "query"), in, width, none, 1.0F);
    const int k =
        q < 0 ? -1 : hyp_zoo_gemm(sketch, name_part(&name, block, "key"), in, width, none, 1.0F);
    const int v =
        k < 0 ? -1 : hyp_zoo_gemm(sketch, name_part(&name, block, "value"), in, width, none, 1.0F);
    if (v < 0)
        return -1;
    const int inputs[] = {q, k, v};
    int y = hyperionAddLayer(sketch->model, name_part(&name, block, "attention"),
                             HYPERION_LAYER_ATTENTION, &attributes, inputs, 3);
    y = hyp_zoo_gemm(sketch, name_part(&name, block, "project"), y, width, none, gain);
    return hyp_zoo_add(sketch, name_part(&name, block, "sum0"), x, y);
}

// x + down(gelu(up(normalised x))).
static int add_feed_forward(HypZooSketch *sketch, const int64_t *values, int block, int x,
                            float gain)
{
    BlockName name;
    const int64_t width = values[HIDDEN];
    int y = hyp_zoo_layernorm(sketch, name_part(&name, block, "norm1"), x);
    y = hyp_zoo_gemm(sketch, name_part(&name, block, "up"), y, INNER_WIDTHS * width,
                     HYPERION_ACTIVATION_GELU, sqrtf(2.0F));
    y = hyp_zoo_gemm(sketch, name_part(&name, block, "down"), y, width, HYPERION_ACTIVATION_NONE,
                     gain);
    return hyp_zoo_add(sketch, name_part(&name, block, "sum1"), x, y);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    if (values[HIDDEN] % values[HEADS])
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "builtin:transformer: %" PRId64 " heads do not divide hidden=%" PRId64,
                        values[HEADS], values[HIDDEN]);
    int x = hyperionAddInput(sketch->model, "x", HYPERION_TYPE_F32, 3,
                             (int64_t[]){values[BATCH], values[SEQ], values[HIDDEN]});
    // The sum of all that is added along the way stays as large as x.
    const float gain = 1.0F / sqrtf(2.0F * (float)values[LAYERS]);
    for (int block = 0; block < (int)values[LAYERS] && x >= 0; block++) {
        x = add_attention(sketch, values, block, x, gain);
        x = add_feed_forward(sketch, values, block, x, gain);
    }
    x = hyp_zoo_layernorm(sketch, "norm", x);
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_transformer = {
    .name = "transformer",
    .help = "blocks of attention and feed-forward on embeddings:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
