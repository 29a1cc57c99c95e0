// SPDX-License-Identifier: Apache-2.0
// GPT-2 (Radford et al. 2019), small by default: 124,439,808 parameters, the head being the table
// of the words.
#include "model/zoo_blocks.h"

#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(SEQ, seq, 64, 1, 65536)                                                                      \
    P(HIDDEN, hidden, 768, 1, 16384)                                                               \
    P(HEADS, heads, 12, 1, 1024)                                                                   \
    P(LAYERS, layers, 12, 1, 1024)                                                                 \
    P(VOCAB, vocab, 50257, 1, 1048576)                                                             \
    P(POSITIONS, positions, 1024, 1, 65536)                                                        \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, INNER_WIDTHS = 4 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const HyperionLayerAttributes head = {.transpose_b = true};
    if (!hyp_zoo_check_heads(sketch, values[HIDDEN], values[HEADS]) ||
        !hyp_zoo_check_positions(sketch, values[SEQ], values[POSITIONS]))
        return false;
    const HypZooBlock block = {
        .width = values[HIDDEN],
        .heads = values[HEADS],
        .inner = INNER_WIDTHS * values[HIDDEN],
        .causal = true,
        .activation = HYPERION_ACTIVATION_GELU_TANH,
        .gain = 1.0F / sqrtf(2.0F * (float)values[LAYERS]), // as GPT-2 does
    };
    const int ids = hyperionAddInput(sketch->model, "input_ids", HYPERION_TYPE_I64, 2,
                                     (int64_t[]){values[BATCH], values[SEQ]});
    const int words = hyp_zoo_table(sketch, "words", values[VOCAB], values[HIDDEN]);
    const int positions =
        words < 0 ? -1 : hyp_zoo_table(sketch, "positions", values[POSITIONS], values[HIDDEN]);
    int x = hyp_zoo_gather(sketch, "words.of", words, ids);
    x = hyp_zoo_add(sketch, "embeddings", x,
                    hyp_zoo_slice(sketch, "positions.of", positions, 0, 0, values[SEQ]));
    for (int i = 0; i < (int)values[LAYERS] && x >= 0; i++)
        x = hyp_zoo_normed_block(sketch, i, x, &block);
    x = hyp_zoo_layernorm(sketch, "norm", x, 0.0F);
    x = hyp_zoo_join(sketch, "logits", HYPERION_LAYER_GEMM, &head, (int[]){x, words}, 2);
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_gpt2 = {
    .name = "gpt2",
    .help = "GPT-2, tokens to logits of the next:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
