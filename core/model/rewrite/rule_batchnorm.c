// SPDX-License-Identifier: Apache-2.0
// A convolution, then a scale and shift by channel, which batch normalisation is: the filters are
// scaled when they are read, the shift becomes the bias.
#include "model/rewrite/rewrite.h"

#include "model/weight_bytes.h"

// Whether the rows of `tensor` may change: a weight that no one else reads, not changed yet.
static bool is_own_weight(const HypRewrite *rewrite, int tensor)
{
    const HypGraphTensor *weight = &hyp_rewrite_model_of(rewrite)->tensors[tensor];
    return weight->role == HYP_TENSOR_WEIGHT && weight->view_of < 0 && !weight->rows.scaled &&
           hyp_rewrite_uses(rewrite, tensor) == 1;
}

static bool is_plain_weight(const HypRewrite *rewrite, int tensor)
{
    const HypGraphTensor *weight = &hyp_rewrite_model_of(rewrite)->tensors[tensor];
    return weight->role == HYP_TENSOR_WEIGHT && weight->view_of < 0 && !weight->rows.scaled;
}

static bool apply(HypRewrite *rewrite, int last)
{
    const HypLayer *norm = hyp_rewrite_layer(rewrite, last);
    if (norm->op != HYPERION_LAYER_SCALE_SHIFT)
        return false;
    const int found = hyp_rewrite_find(rewrite, norm->inputs[0], HYPERION_LAYER_CONV2D, 1);
    if (found < 0 || !is_plain_weight(rewrite, norm->inputs[1]) ||
        !is_plain_weight(rewrite, norm->inputs[2]))
        return false;
    const HypLayer *conv = hyp_rewrite_layer(rewrite, found);
    const int filter = conv->inputs[1];
    const bool biased = conv->input_count > 2;
    if (conv->attributes.activation != HYPERION_ACTIVATION_NONE ||
        !is_own_weight(rewrite, filter) || (biased && !is_own_weight(rewrite, conv->inputs[2])))
        return false;
    HyperionModel *model = hyp_rewrite_model_of(rewrite);
    const HypRowFold scale = {.scaled = true, .scale = norm->inputs[1]};
    const HypRowFold both = {
        .scaled = true, .shifted = true, .scale = norm->inputs[1], .shift = norm->inputs[2]};
    const int inputs[] = {conv->inputs[0], filter, biased ? conv->inputs[2] : norm->inputs[2]};
    const HyperionLayerAttributes attributes = conv->attributes;
    if (!hyp_rewrite_replace(rewrite, last, HYPERION_LAYER_CONV2D, &attributes, inputs, 3, found))
        return false;
    if (!hyp_weights_fold_rows(model, filter, &scale) ||
        (biased && !hyp_weights_fold_rows(model, inputs[2], &both)))
        hyp_rewrite_fail(rewrite);
    return true;
}

const HypRewriteRule hyp_rule_batchnorm = {.name = "conv_batchnorm", .apply = apply};
