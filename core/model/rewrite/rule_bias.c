// SPDX-License-Identifier: Apache-2.0
// A matrix product, convolution or normalisation, then the sum with one value a column or channel:
// that is its bias.
#include "model/rewrite/rewrite.h"

static const struct {
    HyperionLayerOp op;
    bool by_channel; // axis 1 has the bias, not the last axis
} products[] = {
    {HYPERION_LAYER_GEMM, false},
    {HYPERION_LAYER_LAYERNORM, false},
    {HYPERION_LAYER_CONV2D, true},
};

static bool takes_bias(const HypLayer *layer)
{
    return layer->input_count == 2 && !layer->attributes.rms &&
           layer->attributes.activation == HYPERION_ACTIVATION_NONE;
}

// Whether `tensor` is a weight of one value for each place on axis `from_end` (1 = the last), that
// is a vector or may become one.
static bool is_bias(const HypRewrite *rewrite, int tensor, int from_end)
{
    const HypGraphTensor *weight = &hyp_rewrite_model_of(rewrite)->tensors[tensor];
    const HypShape *shape = &weight->shape;
    if (weight->role != HYP_TENSOR_WEIGHT || shape->rank < from_end ||
        (size_t)shape->dims[shape->rank - from_end] != shape->element_count)
        return false;
    return shape->rank == 1 || (weight->view_of < 0 && hyp_rewrite_uses(rewrite, tensor) == 1);
}

// Makes a bias a vector, which its one reader takes it for.
static void flatten(HypShape *shape)
{
    const HypShape vector = {.type = shape->type,
                             .rank = 1,
                             .dims = {(int64_t)shape->element_count},
                             .element_count = shape->element_count,
                             .size_bytes = shape->size_bytes};
    *shape = vector;
}

static bool replace(HypRewrite *rewrite, int last, int found, int bias)
{
    const HypLayer *layer = hyp_rewrite_layer(rewrite, found);
    const HyperionLayerAttributes attributes = layer->attributes;
    const int inputs[] = {layer->inputs[0], layer->inputs[1], bias};
    HypShape *shape = &hyp_rewrite_model_of(rewrite)->tensors[bias].shape;
    const HypShape before = *shape;
    flatten(shape);
    if (hyp_rewrite_replace(rewrite, last, layer->op, &attributes, inputs, 3, found))
        return true;
    *shape = before;
    return false;
}

static bool apply(HypRewrite *rewrite, int last)
{
    const HypLayer *sum = hyp_rewrite_layer(rewrite, last);
    if (sum->op != HYPERION_LAYER_BINARY || sum->attributes.binary != HYPERION_BINARY_ADD)
        return false;
    const int rank = hyp_rewrite_model_of(rewrite)->tensors[sum->outputs[0]].shape.rank;
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++)
        for (int side = 0; side < 2; side++) {
            const int found = hyp_rewrite_find(rewrite, sum->inputs[side], products[i].op, 1);
            const int bias = sum->inputs[1 - side];
            if (found >= 0 && takes_bias(hyp_rewrite_layer(rewrite, found)) &&
                is_bias(rewrite, bias, products[i].by_channel ? rank - 1 : 1))
                return replace(rewrite, last, found, bias);
        }
    return false;
}

const HypRewriteRule hyp_rule_bias = {.name = "bias", .apply = apply};
