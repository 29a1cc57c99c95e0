// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    const int axis = layer->attributes.axis_from_end;
    if (in->rank < 1)
        return hyp_layer_fail(layer, "input '%s' is a scalar",
                              model->tensors[layer->inputs[0]].name);
    if (axis < 0 || axis >= in->rank)
        return hyp_layer_fail(layer, "input '%s' has %d dimensions, none is %d from its last",
                              model->tensors[layer->inputs[0]].name, in->rank, axis);
    *result = *in;
    return true;
}

// Nominally five operations an element: compare, subtract, exp, sum, divide.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return 5.0 * (double)hyp_layer_output(model, layer)->element_count;
}

static void execute(const HypLayerRun *run)
{
    const HypShape *shape = hyp_layer_output(run->model, run->layer);
    const int axis = shape->rank - 1 - run->layer->attributes.axis_from_end;
    const HypSoftmaxArgs args = {
        .rows = hyp_shape_product(shape, 0, axis),
        .columns = (size_t)shape->dims[axis],
        .inner = hyp_shape_product(shape, axis + 1, shape->rank),
        .in = hyp_run_input(run, 0),
        .out = hyp_run_output(run),
        .parallel = run->parallel,
    };
    run->model->settings.dispatch.best[HYP_OP_SOFTMAX]->fn.softmax(&args);
}

static bool find_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                      HypBandInput *input)
{
    return layer->attributes.axis_from_end != 1 && hyp_band_alike(model, layer, index, made, input);
}

const HypLayerOp hyp_layer_op_softmax = {
    .name = "softmax",
    .least_inputs = 1,
    .most_inputs = 1,
    .overwrites = 1,
    .band = find_band,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
