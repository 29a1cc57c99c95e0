// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "common/size_math.h"

#include <inttypes.h>

// The dims asked for, 0 replaced by the input's and -1 still in place; *inferred is its axis or -1.
static bool read_dims(const HypLayer *layer, const HypShape *in, int64_t *dims, int *inferred)
{
    const HyperionLayerAttributes *attributes = &layer->attributes;
    if (attributes->rank < 0 || attributes->rank > HYPERION_MAX_RANK)
        return hyp_layer_fail(layer, "rank %d, expected 0 to %d", attributes->rank,
                              HYPERION_MAX_RANK);
    *inferred = -1;
    for (int i = 0; i < attributes->rank; i++) {
        dims[i] = attributes->dims[i];
        if (dims[i] < -1 || (dims[i] == -1 && *inferred >= 0))
            return hyp_layer_fail(layer, "dimension %d is %" PRId64 ": one may be -1, none less", i,
                                  dims[i]);
        if (dims[i] == 0 && attributes->zero_dims)
            continue;
        if (dims[i] == 0 && i >= in->rank)
            return hyp_layer_fail(layer, "dimension %d keeps the input's, which has only %d", i,
                                  in->rank);
        if (dims[i] == 0)
            dims[i] = in->dims[i];
        if (dims[i] == -1)
            *inferred = i;
    }
    return true;
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    int64_t dims[HYPERION_MAX_RANK] = {0};
    int inferred = -1;
    if (!read_dims(layer, in, dims, &inferred))
        return false;
    size_t known = 1;
    bool fits = true;
    for (int i = 0; i < layer->attributes.rank; i++)
        fits = fits && (i == inferred || hyp_size_multiply(known, (size_t)dims[i], &known));
    if (fits && inferred >= 0 && known > 0 && in->element_count % known == 0)
        dims[inferred] = (int64_t)(in->element_count / known);
    else
        fits = fits && inferred < 0 && known == in->element_count;
    char text[HYP_SHAPE_TEXT_BYTES];
    if (!fits)
        return hyp_layer_fail(layer, "the dims do not hold the %zu elements of '%s', %s",
                              in->element_count, model->tensors[layer->inputs[0]].name,
                              hyp_shape_text(in, text));
    return hyp_shape_create(result, layer->name, in->type, layer->attributes.rank, dims);
}

const HypLayerOp hyp_layer_op_reshape = {
    .name = "reshape",
    .least_inputs = 1,
    .most_inputs = 1,
    .any_type = true,
    .is_view = true,
    .infer = infer,
};
