// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "model/strided_copy.h"

#include "hyperion/tensor.h"

#include <inttypes.h>

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    const HyperionLayerAttributes *attributes = &layer->attributes;
    if (attributes->rank < 0 || attributes->rank > HYPERION_MAX_RANK)
        return hyp_layer_fail(layer, "rank %d, expected 0 to %d", attributes->rank,
                              HYPERION_MAX_RANK);
    const int rank = in->rank > attributes->rank ? in->rank : attributes->rank;
    int64_t dims[HYPERION_MAX_RANK] = {0};
    for (int axis = 0; axis < rank; axis++) {
        const int of_in = axis - (rank - in->rank);
        const int of_dims = axis - (rank - attributes->rank);
        const int64_t own = of_in < 0 ? 1 : in->dims[of_in];
        const int64_t wanted = of_dims < 0 ? 1 : attributes->dims[of_dims];
        char text[HYP_SHAPE_TEXT_BYTES];
        if (own != wanted && own != 1 && wanted != 1)
            return hyp_layer_fail(layer, "'%s', %s, does not broadcast with dimension %d, %" PRId64,
                                  model->tensors[layer->inputs[0]].name, hyp_shape_text(in, text),
                                  of_dims, wanted);
        dims[axis] = own == 1 ? wanted : own;
    }
    return hyp_shape_create(result, layer->name, in->type, rank, dims);
}

static bool keeps_memory(const HyperionModel *model, const HypLayer *layer, const HypShape *result)
{
    return hyp_layer_input(model, layer, 0)->element_count == result->element_count;
}

static void execute(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    HypStridedCopy copy = {.element_bytes = hyperionTypeBytes(in->type), .rank = out->rank};
    ptrdiff_t in_strides[HYPERION_MAX_RANK];
    hyp_strided_dense(in->rank, in->dims, in_strides);
    hyp_strided_dense(out->rank, out->dims, copy.out_strides);
    for (int axis = 0; axis < out->rank; axis++) {
        const int of_in = axis - (out->rank - in->rank);
        copy.extents[axis] = (size_t)out->dims[axis];
        copy.in_strides[axis] = of_in >= 0 && in->dims[of_in] != 1 ? in_strides[of_in] : 0;
    }
    hyp_strided_copy(&copy, hyp_run_required(run, 0), hyp_run_output(run), run->parallel);
}

const HypLayerOp hyp_layer_op_expand = {
    .name = "expand",
    .least_inputs = 1,
    .most_inputs = 1,
    .any_type = true,
    .keeps_memory = keeps_memory,
    .infer = infer,
    .execute = execute,
};
