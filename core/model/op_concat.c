// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

#include "model/strided_copy.h"

#include "hyperion/tensor.h"

#include <limits.h>

// Whether input `index` differs from the first in nothing but the extent of `axis`.
static bool check_input(const HyperionModel *model, const HypLayer *layer, int index, int axis)
{
    const HypShape *first = hyp_layer_input(model, layer, 0);
    HypShape like_first = *hyp_layer_input(model, layer, index);
    char first_text[HYP_SHAPE_TEXT_BYTES];
    char text[HYP_SHAPE_TEXT_BYTES];
    (void)hyp_shape_text(&like_first, text);
    like_first.dims[axis] = first->dims[axis];
    return hyp_shape_equal(first, &like_first) ||
           hyp_layer_fail(layer, "'%s', %s, does not go behind '%s', %s, on axis %d",
                          model->tensors[layer->inputs[index]].name, text,
                          model->tensors[layer->inputs[0]].name, hyp_shape_text(first, first_text),
                          axis);
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *first = hyp_layer_input(model, layer, 0);
    const int axis = hyp_layer_axis(layer, layer->attributes.axis, first->rank);
    if (axis < 0)
        return false;
    layer->attributes.axis = axis;
    int64_t dims[HYPERION_MAX_RANK] = {0};
    for (int i = 0; i < first->rank; i++)
        dims[i] = first->dims[i];
    for (int i = 1; i < layer->input_count; i++) {
        if (!check_input(model, layer, i, axis))
            return false;
        if (__builtin_add_overflow(dims[axis], hyp_layer_input(model, layer, i)->dims[axis],
                                   &dims[axis]))
            return hyp_layer_fail(layer, "the sum of the extents overflows");
    }
    return hyp_shape_create(result, layer->name, first->type, first->rank, dims);
}

static bool keeps_memory(const HyperionModel *model, const HypLayer *layer, const HypShape *result)
{
    (void)model;
    (void)result;
    return layer->input_count == 1;
}

static void execute(const HypLayerRun *run)
{
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    const int axis = (int)run->layer->attributes.axis;
    const size_t element_bytes = hyperionTypeBytes(out->type);
    const size_t outer = hyp_shape_product(out, 0, axis);
    const size_t out_run = hyp_shape_product(out, axis, out->rank);
    char *place = (char *)hyp_run_output(run);
    for (int i = 0; i < run->layer->input_count; i++) {
        const HypShape *in = hyp_layer_input(run->model, run->layer, i);
        const size_t in_run = hyp_shape_product(in, axis, in->rank);
        const HypStridedCopy copy = {
            .element_bytes = element_bytes,
            .rank = 2,
            .extents = {outer, in_run},
            .in_strides = {(ptrdiff_t)in_run, 1},
            .out_strides = {(ptrdiff_t)out_run, 1},
        };
        // A plan may have had the input written to its place at once.
        if (hyp_run_required(run, i) != place)
            hyp_strided_copy(&copy, hyp_run_required(run, i), place, run->parallel);
        place += in_run * element_bytes;
    }
}

static bool find_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                      HypBandInput *input)
{
    const int rank = hyp_layer_output(model, layer)->rank;
    return layer->attributes.axis != rank - 2 && hyp_band_alike(model, layer, index, made, input);
}

const HypLayerOp hyp_layer_op_concat = {
    .name = "concat",
    .least_inputs = 1,
    .most_inputs = INT_MAX,
    .any_type = true,
    .keeps_memory = keeps_memory,
    .band = find_band,
    .infer = infer,
    .execute = execute,
};
