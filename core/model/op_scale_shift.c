// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    if (in->rank < 2)
        return hyp_layer_fail(layer, "input '%s' has %d dimensions, expected at least 2",
                              model->tensors[layer->inputs[0]].name, in->rank);
    if (!hyp_layer_expect_vector(model, layer, 1, in->dims[1]) ||
        !hyp_layer_expect_vector(model, layer, 2, in->dims[1]))
        return false;
    *result = *in;
    return true;
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return 2.0 * (double)hyp_layer_output(model, layer)->element_count;
}

static void execute(const HypLayerRun *run)
{
    const HypShape *shape = hyp_layer_output(run->model, run->layer);
    const HypScaleShiftArgs args = {
        .batch = (size_t)shape->dims[0],
        .channels = (size_t)shape->dims[1],
        .inner = hyp_shape_product(shape, 2, shape->rank),
        .in = hyp_run_input(run, 0),
        .scale = hyp_run_input(run, 1),
        .shift = hyp_run_input(run, 2),
        .out = hyp_run_output(run),
        .parallel = run->parallel,
    };
    run->model->settings.dispatch.best[HYP_OP_SCALE_SHIFT]->fn.scale_shift(&args);
}

// Where the channels, axis 1, are the rows, each would have its own scale.
static bool find_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                      HypBandInput *input)
{
    return hyp_layer_output(model, layer)->rank != 3 &&
           hyp_band_alike(model, layer, index, made, input);
}

const HypLayerOp hyp_layer_op_scale_shift = {
    .name = "scale_shift",
    .least_inputs = 3,
    .most_inputs = 3,
    .overwrites = 1,
    .band = find_band,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
