// SPDX-License-Identifier: Apache-2.0
// x times a gate made of x: SiLU, x sigmoid(x), and hard swish, x clip(x + 3, 0, 6) / 6, whose gate
// exporters also write as a hard sigmoid.
#include "model/rewrite/match.h"

static bool is_sigmoid(HypRewrite *rewrite, int gate, float scale, int x)
{
    return hyp_match_close(scale, 1.0F) &&
           hyp_match_activation(rewrite, gate, HYPERION_ACTIVATION_SIGMOID) == x;
}

static bool is_hard_sigmoid(HypRewrite *rewrite, int gate, float scale, int x)
{
    const int found = hyp_rewrite_find(rewrite, gate, HYPERION_LAYER_ACTIVATION, 1);
    if (found < 0)
        return false;
    const HypLayer *layer = hyp_rewrite_layer(rewrite, found);
    const HyperionLayerAttributes *attributes = &layer->attributes;
    if (attributes->activation == HYPERION_ACTIVATION_HARD_SIGMOID)
        return layer->inputs[0] == x && hyp_match_close(scale, 1.0F) &&
               hyp_match_close(attributes->alpha, 1.0F / 6.0F) &&
               hyp_match_close(attributes->beta, 0.5F);
    return attributes->activation == HYPERION_ACTIVATION_CLIP && attributes->alpha == 0.0F &&
           hyp_match_close(attributes->beta, 6.0F) && hyp_match_close(scale, 1.0F / 6.0F) &&
           hyp_match_sum(rewrite, layer->inputs[0], 3.0F) == x;
}

static bool replace(HypRewrite *rewrite, int last,
                    bool (*is_gate)(HypRewrite *rewrite, int gate, float scale, int x),
                    HyperionActivation activation)
{
    const HypLayer *layer = hyp_rewrite_layer(rewrite, last);
    HypMatchProduct product;
    if (layer->op != HYPERION_LAYER_BINARY || layer->attributes.binary > HYPERION_BINARY_DIV ||
        !hyp_match_product(rewrite, layer->outputs[0], &product) || product.factor_count != 2 ||
        product.factors[0].exponent != 1.0F || product.factors[1].exponent != 1.0F)
        return false;
    for (int i = 0; i < 2; i++) {
        const int x = product.factors[i].tensor;
        const HyperionLayerAttributes attributes = {.activation = activation};
        if (is_gate(rewrite, product.factors[1 - i].tensor, product.scale, x))
            return hyp_rewrite_replace(rewrite, last, HYPERION_LAYER_ACTIVATION, &attributes, &x, 1,
                                       last);
    }
    return false;
}

static bool apply_silu(HypRewrite *rewrite, int last)
{
    return replace(rewrite, last, is_sigmoid, HYPERION_ACTIVATION_SILU);
}

static bool apply_hard_swish(HypRewrite *rewrite, int last)
{
    return replace(rewrite, last, is_hard_sigmoid, HYPERION_ACTIVATION_HARD_SWISH);
}

const HypRewriteRule hyp_rule_silu = {.name = "silu", .apply = apply_silu};
const HypRewriteRule hyp_rule_hard_swish = {.name = "hard_swish", .apply = apply_hard_swish};
