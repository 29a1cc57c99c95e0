// SPDX-License-Identifier: Apache-2.0
// Pre-normalised blocks (Xiong et al. 2020) on embeddings that the caller gives.
#include "model/zoo_blocks.h"

#include <math.h>

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
enum { INNER_WIDTHS = 4 };

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    if (!hyp_zoo_check_heads(sketch, values[HIDDEN], values[HEADS]))
        return false;
    int x = hyperionAddInput(sketch->model, "x", HYPERION_TYPE_F32, 3,
                             (int64_t[]){values[BATCH], values[SEQ], values[HIDDEN]});
    const HypZooBlock block = {
        .width = values[HIDDEN],
        .heads = values[HEADS],
        .inner = INNER_WIDTHS * values[HIDDEN],
        .causal = values[CAUSAL] != 0,
        .activation = HYPERION_ACTIVATION_GELU,
        // The sum of all that is added along the way stays as large as x.
        .gain = 1.0F / sqrtf(2.0F * (float)values[LAYERS]),
    };
    for (int i = 0; i < (int)values[LAYERS] && x >= 0; i++)
        x = hyp_zoo_normed_block(sketch, i, x, &block);
    x = hyp_zoo_layernorm(sketch, "norm", x, 0.0F);
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_transformer = {
    .name = "transformer",
    .help = "blocks of attention and feed-forward on embeddings:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
