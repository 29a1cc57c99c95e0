// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "model/strided_copy.h"

#include "hyperion/tensor.h"

#include <inttypes.h>

static bool check_axis(HypLayer *layer, const HypShape *in, int axis)
{
    const int64_t start = layer->attributes.starts[axis];
    const int64_t step = layer->attributes.steps[axis];
    const int64_t count = layer->attributes.dims[axis];
    int64_t reach;
    int64_t last;
    if (count < 0 ||
        (count > 0 &&
         (start < 0 || start >= in->dims[axis] || __builtin_mul_overflow(count - 1, step, &reach) ||
          __builtin_add_overflow(start, reach, &last) || last < 0 || last >= in->dims[axis])))
        return hyp_layer_fail(layer,
                              "%" PRId64 " elements from %" PRId64 " in steps of %" PRId64
                              " of axis %d, whose extent is %" PRId64,
                              count, start, step, axis, in->dims[axis]);
    return true;
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    HyperionLayerAttributes *attributes = &layer->attributes;
    if (!hyp_layer_expect_dims(layer, in->rank))
        return false;
    for (int axis = 0; axis < in->rank; axis++) {
        if (attributes->steps[axis] == 0)
            attributes->steps[axis] = 1;
        if (!check_axis(layer, in, axis))
            return false;
    }
    return hyp_shape_create(result, layer->name, in->type, in->rank, attributes->dims);
}

// Whether all is taken, in order.
static bool keeps_memory(const HyperionModel *model, const HypLayer *layer, const HypShape *result)
{
    bool whole = hyp_shape_equal(hyp_layer_input(model, layer, 0), result);
    for (int axis = 0; axis < result->rank; axis++)
        whole = whole && (layer->attributes.steps[axis] > 0 || result->dims[axis] == 1);
    return whole;
}

static void execute(const HypLayerRun *run)
{
    const HyperionLayerAttributes *attributes = &run->layer->attributes;
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    HypStridedCopy copy = {.element_bytes = hyperionTypeBytes(in->type), .rank = out->rank};
    const char *first = hyp_run_required(run, 0);
    if (out->element_count == 0)
        return;
    hyp_strided_dense(in->rank, in->dims, copy.in_strides);
    hyp_strided_dense(out->rank, out->dims, copy.out_strides);
    for (int i = 0; i < out->rank; i++) {
        copy.extents[i] = (size_t)out->dims[i];
        first += attributes->starts[i] * copy.in_strides[i] * (ptrdiff_t)copy.element_bytes;
        // A single element needs no step, which may be as large as an i64.
        copy.in_strides[i] *= out->dims[i] > 1 ? (ptrdiff_t)attributes->steps[i] : 1;
    }
    hyp_strided_copy(&copy, first, hyp_run_output(run), run->parallel);
}

const HypLayerOp hyp_layer_op_slice = {
    .name = "slice",
    .least_inputs = 1,
    .most_inputs = 1,
    .any_type = true,
    .keeps_memory = keeps_memory,
    .infer = infer,
    .execute = execute,
};
