// SPDX-License-Identifier: Apache-2.0
// A matrix product or a normalisation, then the sum with a vector: that is its bias.
#include "model/rewrite/rewrite.h"

static bool takes_bias(const HypLayer *layer)
{
    return layer->input_count == 2 && !layer->attributes.rms &&
           layer->attributes.activation == HYPERION_ACTIVATION_NONE;
}

static bool apply(HypRewrite *rewrite, int last)
{
    static const HyperionLayerOp ops[] = {HYPERION_LAYER_GEMM, HYPERION_LAYER_LAYERNORM};
    const HypLayer *sum = hyp_rewrite_layer(rewrite, last);
    if (sum->op != HYPERION_LAYER_BINARY || sum->attributes.binary != HYPERION_BINARY_ADD)
        return false;
    for (int i = 0; i < 4; i++) {
        const int found = hyp_rewrite_find(rewrite, sum->inputs[i % 2], ops[i / 2], 1);
        const int bias = sum->inputs[1 - i % 2];
        if (found < 0 || hyp_rewrite_model_of(rewrite)->tensors[bias].role != HYP_TENSOR_WEIGHT)
            continue;
        const HypLayer *layer = hyp_rewrite_layer(rewrite, found);
        const int inputs[] = {layer->inputs[0], layer->inputs[1], bias};
        const HyperionLayerAttributes attributes = layer->attributes;
        if (takes_bias(layer) &&
            hyp_rewrite_replace(rewrite, last, layer->op, &attributes, inputs, 3, found))
            return true;
    }
    return false;
}

const HypRewriteRule hyp_rule_bias = {.name = "bias", .apply = apply};
