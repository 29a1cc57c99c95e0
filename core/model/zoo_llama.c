// SPDX-License-Identifier: Apache-2.0
// The architecture of Llama (Touvron et al. 2023): RMS normalisation, rotary positions, grouped
// queries, SwiGLU; by default in the sizes of SmolLM-135M (134,515,008 parameters), whose head is
// the table of the words. With cache=1 keys and values of `past` tokens before are inputs, and
// those of past and new tokens together outputs: one step of decoding is seq=1, past=N, cache=1.
#include "model/zoo_blocks.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 4096)                                                                    \
    P(SEQ, seq, 64, 1, 65536)                                                                      \
    P(PAST, past, 0, 0, 1048576)                                                                   \
    P(CACHE, cache, 0, 0, 1)                                                                       \
    P(HIDDEN, hidden, 576, 2, 16384)                                                               \
    P(HEADS, heads, 9, 1, 1024)                                                                    \
    P(KV_HEADS, kv_heads, 3, 1, 1024)                                                              \
    P(LAYERS, layers, 30, 1, 1024)                                                                 \
    P(INNER, inner, 1536, 1, 65536)                                                                \
    P(VOCAB, vocab, 49152, 1, 1048576)                                                             \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT, MOST_LAYERS = 1024 };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

// A model under way.
typedef struct Llama {
    HypZooSketch *sketch;
    const int64_t *values;
    HypZooGemm out;                // into the stream of hidden states
    int presents[2 * MOST_LAYERS]; // outputs of the cache
    int present_count;
} Llama;

static int add_rms_norm(HypZooSketch *sketch, const char *name, int x)
{
    static const HyperionLayerAttributes rms = {.rms = true, .epsilon = 1e-5F};
    if (x < 0)
        return -1;
    const HypShape *in = &sketch->model->tensors[x].shape;
    const int64_t width = in->dims[in->rank - 1];
    const int scale = hyp_zoo_weight(sketch, name, "scale", 1, &width, 1.0F, 0.1F);
    return hyp_zoo_join(sketch, name, HYPERION_LAYER_LAYERNORM, &rms, (int[]){x, scale}, 2);
}

// Heads of queries, keys or values: x * weight.
static int add_heads(const Llama *llama, int number, const char *part, int x, int64_t heads)
{
    HypZooName name;
    const HypZooGemm gemm = {.columns = llama->values[HIDDEN] / llama->values[HEADS] * heads,
                             .unbiased = true};
    return hyp_zoo_gemm(llama->sketch, hyp_zoo_name(&name, "block%d.%s", number, part), x, &gemm);
}

static int add_rotation(const Llama *llama, int number, const char *part, int x, int64_t heads)
{
    HypZooName name;
    const HyperionLayerAttributes rotary = {
        .heads = heads, .rotary_base = 10000.0F, .first_position = llama->values[PAST]};
    return hyp_zoo_layer(llama->sketch, hyp_zoo_name(&name, "block%d.%s", number, part),
                         HYPERION_LAYER_ROPE, &rotary, x);
}

// What was kept of the tokens before, if any, then `x`; `x` itself without a cache.
static int add_cache(Llama *llama, int number, const char *part, int x)
{
    static const HyperionLayerAttributes append = {.axis = 1};
    HyperionModel *model = llama->sketch->model;
    HypZooName name;
    if (x < 0 || !llama->values[CACHE])
        return x;
    int parts[2] = {x, x};
    int part_count = 1;
    if (llama->values[PAST]) {
        const int64_t *dims = model->tensors[x].shape.dims;
        parts[0] = hyperionAddInput(model, hyp_zoo_name(&name, "past_%s.%d", part, number),
                                    HYPERION_TYPE_F32, 3,
                                    (int64_t[]){dims[0], llama->values[PAST], dims[2]});
        part_count = 2;
    }
    x = hyp_zoo_join(llama->sketch, hyp_zoo_name(&name, "present_%s.%d", part, number),
                     HYPERION_LAYER_CONCAT, &append, parts, part_count);
    llama->presents[llama->present_count++] = x;
    return x;
}

// project(attention(rope(query(x)), rope(key(x)), value(x))).
static int add_attention(Llama *llama, int number, int x)
{
    HypZooName name;
    const int64_t heads = llama->values[HEADS];
    const int64_t kv_heads = llama->values[KV_HEADS];
    const HyperionLayerAttributes attributes = {
        .heads = heads, .kv_heads = kv_heads, .causal = true};
    int q = add_heads(llama, number, "query", x, heads);
    q = add_rotation(llama, number, "query.turned", q, heads);
    int k = add_heads(llama, number, "key", q < 0 ? -1 : x, kv_heads);
    k = add_rotation(llama, number, "key.turned", k, kv_heads);
    k = add_cache(llama, number, "key", k);
    int v = add_heads(llama, number, "value", k < 0 ? -1 : x, kv_heads);
    v = add_cache(llama, number, "value", v);
    x = hyp_zoo_join(llama->sketch, hyp_zoo_name(&name, "block%d.attention", number),
                     HYPERION_LAYER_ATTENTION, &attributes, (int[]){q, k, v}, 3);
    return hyp_zoo_gemm(llama->sketch, hyp_zoo_name(&name, "block%d.project", number), x,
                        &llama->out);
}

// down(silu(gate(x)) * up(x)).
static int add_swiglu(const Llama *llama, int number, int x)
{
    static const HyperionLayerAttributes product = {.binary = HYPERION_BINARY_MUL};
    HypZooName name;
    HypZooGemm gemm = {.columns = llama->values[INNER],
                       .unbiased = true,
                       .activation = HYPERION_ACTIVATION_SILU,
                       .gain = sqrtf(2.0F)};
    const int gate =
        hyp_zoo_gemm(llama->sketch, hyp_zoo_name(&name, "block%d.gate", number), x, &gemm);
    gemm.activation = HYPERION_ACTIVATION_NONE;
    const int up = hyp_zoo_gemm(llama->sketch, hyp_zoo_name(&name, "block%d.up", number),
                                gate < 0 ? -1 : x, &gemm);
    x = hyp_zoo_join(llama->sketch, hyp_zoo_name(&name, "block%d.gated", number),
                     HYPERION_LAYER_BINARY, &product, (int[]){gate, up}, 2);
    return hyp_zoo_gemm(llama->sketch, hyp_zoo_name(&name, "block%d.down", number), x, &llama->out);
}

static int add_block(Llama *llama, int number, int x)
{
    HypZooName name;
    HypZooSketch *sketch = llama->sketch;
    int y = add_rms_norm(sketch, hyp_zoo_name(&name, "block%d.norm0", number), x);
    y = add_attention(llama, number, y);
    x = hyp_zoo_add(sketch, hyp_zoo_name(&name, "block%d.sum0", number), x, y);
    y = add_rms_norm(sketch, hyp_zoo_name(&name, "block%d.norm1", number), x);
    y = add_swiglu(llama, number, y);
    return hyp_zoo_add(sketch, hyp_zoo_name(&name, "block%d.sum1", number), x, y);
}

static bool check_values(const HypZooSketch *sketch, const int64_t *values)
{
    if (!hyp_zoo_check_heads(sketch, values[HIDDEN], values[HEADS]))
        return false;
    if (values[HIDDEN] / values[HEADS] % 2)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: a head has an odd width, %" PRId64,
                        sketch->model->name, values[HIDDEN] / values[HEADS]);
    if (values[HEADS] % values[KV_HEADS])
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "%s: kv_heads=%" PRId64 " do not divide heads=%" PRId64,
                        sketch->model->name, values[KV_HEADS], values[HEADS]);
    return values[CACHE] || !values[PAST] ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: past=%" PRId64 " needs cache=1",
                    sketch->model->name, values[PAST]);
}

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    static const HyperionLayerAttributes head = {.transpose_b = true};
    if (!check_values(sketch, values))
        return false;
    Llama llama = {
        .sketch = sketch,
        .values = values,
        .out = {.columns = values[HIDDEN],
                .unbiased = true,
                .gain = 1.0F / sqrtf(2.0F * (float)values[LAYERS])},
    };
    const int ids = hyperionAddInput(sketch->model, "input_ids", HYPERION_TYPE_I64, 2,
                                     (int64_t[]){values[BATCH], values[SEQ]});
    const int words = hyp_zoo_table(sketch, "words", values[VOCAB], values[HIDDEN]);
    int x = hyp_zoo_gather(sketch, "words.of", words, ids);
    for (int i = 0; i < (int)values[LAYERS] && x >= 0; i++)
        x = add_block(&llama, i, x);
    x = add_rms_norm(sketch, "norm", x);
    x = hyp_zoo_join(sketch, "logits", HYPERION_LAYER_GEMM, &head, (int[]){x, words}, 2);
    bool done = x >= 0 && hyperionAddOutput(sketch->model, x);
    for (int i = 0; done && i < llama.present_count; i++)
        done = hyperionAddOutput(sketch->model, llama.presents[i]);
    return done;
}

const HypZooGenerator hyp_zoo_llama = {
    .name = "llama",
    .help =
        "Llama, tokens to logits of the next, past keys and values given:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
