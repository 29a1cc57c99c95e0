// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "model/strided_copy.h"

#include "hyperion/tensor.h"

#include <inttypes.h>

// Fills in the axes: reversed where none are given.
static bool resolve_axes(HypLayer *layer, int rank)
{
    HyperionLayerAttributes *attributes = &layer->attributes;
    unsigned seen = 0;
    if (attributes->rank == 0)
        for (int i = 0; i < rank; i++)
            attributes->axes[i] = rank - 1 - i;
    else if (!hyp_layer_expect_dims(layer, rank))
        return false;
    attributes->rank = rank;
    for (int i = 0; i < rank; i++) {
        const int axis = hyp_layer_axis(layer, attributes->axes[i], rank);
        if (axis < 0)
            return false;
        if (seen & 1U << axis)
            return hyp_layer_fail(layer, "axis %d comes twice", axis);
        seen |= 1U << axis;
        attributes->axes[i] = axis;
    }
    return true;
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    int64_t dims[HYPERION_MAX_RANK] = {0};
    if (!resolve_axes(layer, in->rank))
        return false;
    for (int i = 0; i < in->rank; i++)
        dims[i] = in->dims[layer->attributes.axes[i]];
    return hyp_shape_create(result, layer->name, in->type, in->rank, dims);
}

// Whether the axes longer than 1 stay in their order.
static bool keeps_memory(const HyperionModel *model, const HypLayer *layer, const HypShape *result)
{
    int64_t last = -1;
    (void)model;
    for (int i = 0; i < result->rank; i++) {
        const int64_t axis = layer->attributes.axes[i];
        if (result->dims[i] == 1)
            continue;
        if (axis < last)
            return false;
        last = axis;
    }
    return true;
}

static void execute(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    HypStridedCopy copy = {.element_bytes = hyperionTypeBytes(in->type), .rank = out->rank};
    ptrdiff_t in_strides[HYPERION_MAX_RANK];
    hyp_strided_dense(in->rank, in->dims, in_strides);
    hyp_strided_dense(out->rank, out->dims, copy.out_strides);
    for (int i = 0; i < out->rank; i++) {
        copy.extents[i] = (size_t)out->dims[i];
        copy.in_strides[i] = in_strides[run->layer->attributes.axes[i]];
    }
    hyp_strided_copy(&copy, hyp_run_required(run, 0), hyp_run_output(run), run->parallel);
}

const HypLayerOp hyp_layer_op_transpose = {
    .name = "transpose",
    .least_inputs = 1,
    .most_inputs = 1,
    .any_type = true,
    .keeps_memory = keeps_memory,
    .infer = infer,
    .execute = execute,
};
