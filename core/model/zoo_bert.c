// SPDX-License-Identifier: Apache-2.0
// BERT base, uncased (Devlin et al. 2019; 109,482,240 parameters), and MiniLM-L6 (Wang et al. 2020,
// as all-MiniLM-L6-v2; 22,713,216), with their poolers. All tokens are of the first sentence.
#include "model/zoo_blocks.h"

#define PARAMETERS(P, WIDE, MANY_HEADS, DEEP, WIDE_INSIDE)                                         \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(SEQ, seq, 128, 1, 65536)                                                                     \
    P(HIDDEN, hidden, WIDE, 1, 16384)                                                              \
    P(HEADS, heads, MANY_HEADS, 1, 1024)                                                           \
    P(LAYERS, layers, DEEP, 1, 1024)                                                               \
    P(INNER, inner, WIDE_INSIDE, 1, 65536)                                                         \
    P(VOCAB, vocab, 30522, 1, 1048576)                                                             \
    P(POSITIONS, positions, 512, 1, 65536)                                                         \
    P(SEED, seed, 1, 0, 4294967295)
#define BERT(P) PARAMETERS(P, 768, 12, 12, 3072)
#define MINILM(P) PARAMETERS(P, 384, 12, 6, 1536)

enum { BERT(HYP_ZOO_INDEX) PARAMETER_COUNT };
static const HypZooParameter bert_parameters[] = {BERT(HYP_ZOO_ROW)};
static const HypZooParameter minilm_parameters[] = {MINILM(HYP_ZOO_ROW)};

static const float epsilon = 1e-12F;

static int add_embeddings(HypZooSketch *sketch, const int64_t *values, int ids)
{
    const int64_t width = values[HIDDEN];
    const int words = hyp_zoo_table(sketch, "words", values[VOCAB], width);
    const int positions =
        words < 0 ? -1 : hyp_zoo_table(sketch, "positions", values[POSITIONS], width);
    const int types = positions < 0 ? -1 : hyp_zoo_table(sketch, "types", 2, width);
    int x = hyp_zoo_gather(sketch, "words.of", words, ids);
    x = hyp_zoo_add(sketch, "embeddings.positions", x,
                    hyp_zoo_slice(sketch, "positions.of", positions, 0, 0, values[SEQ]));
    x = hyp_zoo_add(sketch, "embeddings.types", x,
                    hyp_zoo_slice(sketch, "types.of", types, 0, 0, 1));
    return hyp_zoo_layernorm(sketch, "embeddings.norm", x, epsilon);
}

// norm(x + attention(x)), then norm(x + feed_forward(x)).
static int add_block(HypZooSketch *sketch, int number, int x, const HypZooBlock *block)
{
    HypZooName name;
    int y = hyp_zoo_self_attention(sketch, number, x, block);
    x = hyp_zoo_add(sketch, hyp_zoo_name(&name, "block%d.sum0", number), x, y);
    x = hyp_zoo_layernorm(sketch, hyp_zoo_name(&name, "block%d.norm0", number), x, epsilon);
    y = hyp_zoo_feed_forward(sketch, number, x, block);
    x = hyp_zoo_add(sketch, hyp_zoo_name(&name, "block%d.sum1", number), x, y);
    return hyp_zoo_layernorm(sketch, hyp_zoo_name(&name, "block%d.norm1", number), x, epsilon);
}

// tanh(first token * weight + bias).
static int add_pooler(HypZooSketch *sketch, const int64_t *values, int x)
{
    const HypZooGemm pooler = {.columns = values[HIDDEN], .activation = HYPERION_ACTIVATION_TANH};
    x = hyp_zoo_slice(sketch, "pooler.token", x, 1, 0, 1);
    x = hyp_zoo_flatten(sketch, "pooler.flat", x);
    return hyp_zoo_gemm(sketch, "pooler", x, &pooler);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    if (!hyp_zoo_check_heads(sketch, values[HIDDEN], values[HEADS]) ||
        !hyp_zoo_check_positions(sketch, values[SEQ], values[POSITIONS]))
        return false;
    const HypZooBlock block = {
        .width = values[HIDDEN],
        .heads = values[HEADS],
        .inner = values[INNER],
        .activation = HYPERION_ACTIVATION_GELU,
        .gain = 1.0F,
    };
    const int ids = hyperionAddInput(sketch->model, "input_ids", HYPERION_TYPE_I64, 2,
                                     (int64_t[]){values[BATCH], values[SEQ]});
    int x = add_embeddings(sketch, values, ids);
    for (int i = 0; i < (int)values[LAYERS] && x >= 0; i++)
        x = add_block(sketch, i, x, &block);
    const int pooled = add_pooler(sketch, values, x);
    return pooled >= 0 && hyperionAddOutput(sketch->model, x) &&
           hyperionAddOutput(sketch->model, pooled);
}

const HypZooGenerator hyp_zoo_bert = {
    .name = "bert",
    .help = "BERT, tokens to hidden states and the pooled first:" BERT(HYP_ZOO_HELP),
    .parameters = bert_parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};

const HypZooGenerator hyp_zoo_minilm = {
    .name = "minilm",
    .help = "MiniLM, a small BERT:" MINILM(HYP_ZOO_HELP),
    .parameters = minilm_parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
