// SPDX-License-Identifier: Apache-2.0
// A product whose second operand was transposed before: it reads that as it was.
#include "model/rewrite/rewrite.h"

#include "model/layer_op.h"

// Whether the layer swaps the last two axes, of several, and no others.
static bool swaps_last_two(const HypRewrite *rewrite, const HypLayer *layer)
{
    const int rank = hyp_layer_output(hyp_rewrite_model_of(rewrite), layer)->rank;
    const HyperionLayerAttributes *attributes = &layer->attributes;
    for (int i = 0; i < rank; i++) {
        const int wanted = i < rank - 2 ? i : 2 * rank - 3 - i;
        if ((attributes->rank ? attributes->axes[i] : rank - 1 - i) != wanted)
            return false;
    }
    return rank >= 2;
}

static bool apply(HypRewrite *rewrite, int last)
{
    const HypLayer *product = hyp_rewrite_layer(rewrite, last);
    if (product->op != HYPERION_LAYER_MATMUL || product->attributes.transpose_b)
        return false;
    const int found = hyp_rewrite_find(rewrite, product->inputs[1], HYPERION_LAYER_TRANSPOSE, 1);
    if (found < 0)
        return false;
    const HypLayer *transposition = hyp_rewrite_layer(rewrite, found);
    const int inputs[] = {product->inputs[0], transposition->inputs[0]};
    const HyperionLayerAttributes attributes = {.transpose_b = true};
    // Transposed twice are the keys of attention, whose rule comes to them later.
    return swaps_last_two(rewrite, transposition) &&
           hyp_rewrite_find(rewrite, inputs[1], HYPERION_LAYER_TRANSPOSE, 1) < 0 &&
           hyp_rewrite_replace(rewrite, last, HYPERION_LAYER_MATMUL, &attributes, inputs, 2, last);
}

const HypRewriteRule hyp_rule_transposed_product = {.name = "transposed_product", .apply = apply};
