// SPDX-License-Identifier: Apache-2.0
#include "model/zoo_blocks.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>

bool hyp_zoo_check_heads(const HypZooSketch *sketch, int64_t hidden, int64_t heads)
{
    return hidden % heads == 0 ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: %" PRId64 " heads do not divide hidden=%" PRId64,
                    sketch->model->name, heads, hidden);
}

bool hyp_zoo_check_positions(const HypZooSketch *sketch, int64_t seq, int64_t positions)
{
    return seq <= positions ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: seq=%" PRId64 " is more than positions=%" PRId64,
                    sketch->model->name, seq, positions);
}

int hyp_zoo_table(HypZooSketch *sketch, const char *name, int64_t rows, int64_t width)
{
    return hyp_zoo_weight(sketch, name, "weight", 2, (int64_t[]){rows, width}, 0.0F,
                          hyp_zoo_spread(1.0F, width));
}

int hyp_zoo_gather(HypZooSketch *sketch, const char *name, int table, int ids)
{
    return hyp_zoo_join(sketch, name, HYPERION_LAYER_GATHER, NULL, (int[]){table, ids}, 2);
}

int hyp_zoo_self_attention(HypZooSketch *sketch, int number, int x, const HypZooBlock *block)
{
    static const char *const parts[] = {"query", "key", "value"};
    HypZooName name;
    const HypZooGemm in = {.columns = block->width};
    const HypZooGemm out = {.columns = block->width, .gain = block->gain};
    const HyperionLayerAttributes attributes = {.heads = block->heads, .causal = block->causal};
    int inputs[3];
    for (int i = 0; i < 3; i++) {
        const int from = i && inputs[i - 1] < 0 ? -1 : x;
        inputs[i] =
            hyp_zoo_gemm(sketch, hyp_zoo_name(&name, "block%d.%s", number, parts[i]), from, &in);
    }
    x = hyp_zoo_join(sketch, hyp_zoo_name(&name, "block%d.attention", number),
                     HYPERION_LAYER_ATTENTION, &attributes, inputs, 3);
    return hyp_zoo_gemm(sketch, hyp_zoo_name(&name, "block%d.project", number), x, &out);
}

int hyp_zoo_feed_forward(HypZooSketch *sketch, int number, int x, const HypZooBlock *block)
{
    HypZooName name;
    const HypZooGemm up = {
        .columns = block->inner, .activation = block->activation, .gain = sqrtf(2.0F)};
    const HypZooGemm down = {.columns = block->width, .gain = block->gain};
    x = hyp_zoo_gemm(sketch, hyp_zoo_name(&name, "block%d.up", number), x, &up);
    return hyp_zoo_gemm(sketch, hyp_zoo_name(&name, "block%d.down", number), x, &down);
}

int hyp_zoo_normed_block(HypZooSketch *sketch, int number, int x, const HypZooBlock *block)
{
    HypZooName name;
    int y = hyp_zoo_layernorm(sketch, hyp_zoo_name(&name, "block%d.norm0", number), x, 0.0F);
    y = hyp_zoo_self_attention(sketch, number, y, block);
    x = hyp_zoo_add(sketch, hyp_zoo_name(&name, "block%d.sum0", number), x, y);
    y = hyp_zoo_layernorm(sketch, hyp_zoo_name(&name, "block%d.norm1", number), x, 0.0F);
    y = hyp_zoo_feed_forward(sketch, number, y, block);
    return hyp_zoo_add(sketch, hyp_zoo_name(&name, "block%d.sum1", number), x, y);
}
