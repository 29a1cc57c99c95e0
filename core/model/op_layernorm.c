// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

#include <math.h>

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    if (in->rank < 1)
        return hyp_layer_fail(layer, "input '%s' is a scalar",
                              model->tensors[layer->inputs[0]].name);
    HyperionLayerAttributes *attributes = &layer->attributes;
    if (attributes->epsilon == 0.0F)
        attributes->epsilon = 1e-5F;
    if (!isfinite(attributes->epsilon) || attributes->epsilon < 0.0F)
        return hyp_layer_fail(layer, "epsilon is %g, expected a positive number",
                              (double)attributes->epsilon);
    if (attributes->rms && layer->input_count > 2)
        return hyp_layer_fail(layer, "a bias is given with rms, which has none");
    for (int i = 1; i < layer->input_count; i++)
        if (!hyp_layer_expect_vector(model, layer, i, in->dims[in->rank - 1]))
            return false;
    *result = *in;
    return true;
}

// Nominally eight operations an element: two for the mean and spread each, four to apply them.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return 8.0 * (double)hyp_layer_output(model, layer)->element_count;
}

static void execute(const HypLayerRun *run)
{
    const HypShape *shape = hyp_layer_output(run->model, run->layer);
    const HypLayernormArgs args = {
        .rows = hyp_shape_product(shape, 0, shape->rank - 1),
        .columns = (size_t)shape->dims[shape->rank - 1],
        .in = hyp_run_input(run, 0),
        .scale = hyp_run_input(run, 1),
        .bias = hyp_run_input(run, 2),
        .epsilon = run->layer->attributes.epsilon,
        .rms = run->layer->attributes.rms,
        .out = hyp_run_output(run),
        .parallel = run->parallel,
    };
    run->model->settings.dispatch.best[HYP_OP_LAYERNORM]->fn.layernorm(&args);
}

const HypLayerOp hyp_layer_op_layernorm = {
    .name = "layernorm",
    .least_inputs = 2,
    .most_inputs = 3,
    .overwrites = 1,
    .band = hyp_band_alike,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
