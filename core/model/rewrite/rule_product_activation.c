// SPDX-License-Identifier: Apache-2.0
// A matrix product or convolution, then an activation: the product's kernel applies it to each
// tile.
#include "model/rewrite/rewrite.h"

static bool apply(HypRewrite *rewrite, int last)
{
    static const HyperionLayerOp products[] = {HYPERION_LAYER_GEMM, HYPERION_LAYER_CONV2D};
    const HypLayer *activation = hyp_rewrite_layer(rewrite, last);
    if (activation->op != HYPERION_LAYER_ACTIVATION)
        return false;
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        const int found = hyp_rewrite_find(rewrite, activation->inputs[0], products[i], 1);
        if (found < 0)
            continue;
        const HypLayer *product = hyp_rewrite_layer(rewrite, found);
        HyperionLayerAttributes attributes = product->attributes;
        if (attributes.activation != HYPERION_ACTIVATION_NONE)
            return false;
        attributes.activation = activation->attributes.activation;
        attributes.alpha = activation->attributes.alpha;
        attributes.beta = activation->attributes.beta;
        return hyp_rewrite_replace(rewrite, last, products[i], &attributes, product->inputs,
                                   product->input_count, found);
    }
    return false;
}

const HypRewriteRule hyp_rule_product_activation = {.name = "product_activation", .apply = apply};
