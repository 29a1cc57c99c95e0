// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    if (in->rank < 1)
        return hyp_layer_fail(layer, "input '%s' is a scalar",
                              model->tensors[layer->inputs[0]].name);
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
    const HypSoftmaxArgs args = {
        .rows = hyp_shape_product(shape, 0, shape->rank - 1),
        .columns = (size_t)shape->dims[shape->rank - 1],
        .in = hyp_run_input(run, 0),
        .out = hyp_run_output(run),
        .parallel = run->parallel,
    };
    run->model->settings.dispatch.best[HYP_OP_SOFTMAX]->fn.softmax(&args);
}

const HypLayerOp hyp_layer_op_softmax = {
    .name = "softmax",
    .least_inputs = 1,
    .most_inputs = 1,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
