// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HyperionActivation function = layer->attributes.activation;
    if ((unsigned)function >= HYPERION_ACTIVATION_COUNT || function == HYPERION_ACTIVATION_NONE)
        return hyp_layer_fail(layer, "no activation function %d", (int)function);
    *result = *hyp_layer_input(model, layer, 0);
    return true;
}

// Nominally one operation an element, whatever the function.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return (double)hyp_layer_output(model, layer)->element_count;
}

static void execute(const HypLayerRun *run)
{
    const HypActivationArgs args = {
        .function = run->layer->attributes.activation,
        .alpha = run->layer->attributes.alpha,
        .beta = run->layer->attributes.beta,
        .in = hyp_run_input(run, 0),
        .out = hyp_run_output(run),
        .parallel = run->parallel,
        .count = hyp_layer_output(run->model, run->layer)->element_count,
    };
    run->model->settings.dispatch.best[HYP_OP_ACTIVATION]->fn.activation(&args);
}

const HypLayerOp hyp_layer_op_activation = {
    .name = "activation",
    .least_inputs = 1,
    .most_inputs = 1,
    .overwrites = 1,
    .band = hyp_band_alike,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
