// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "model/window.h"

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    if (!hyp_layer_expect_rank(model, layer, 0, 4))
        return false;
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const HypShape *image = hyp_layer_input(model, layer, 0);
    int64_t windows[2];
    if (!hyp_window_infer(layer, image, attributes->kernel, windows))
        return false;
    // A window wholly in the padding would have no greatest value.
    for (int side = 0; side < 4; side++)
        if (attributes->padding[side] >= attributes->kernel[side % 2])
            return hyp_layer_fail(layer, "padding must be smaller than the kernel");
    const int64_t dims[] = {image->dims[0], image->dims[1], windows[0], windows[1]};
    return hyp_layer_result(layer, result, 4, dims);
}

// Nominally one comparison for each element of each window.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    const int64_t *kernel = layer->attributes.kernel;
    return (double)hyp_layer_output(model, layer)->element_count * (double)kernel[0] *
           (double)kernel[1];
}

static void execute(const HypLayerRun *run)
{
    const HyperionLayerAttributes *attributes = &run->layer->attributes;
    const HypShape *image = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    const HypMaxPool2dArgs args = {
        .batch = (size_t)image->dims[0],
        .channels = (size_t)image->dims[1],
        .height = (size_t)image->dims[2],
        .width = (size_t)image->dims[3],
        .out_height = (size_t)out->dims[2],
        .out_width = (size_t)out->dims[3],
        .kernel_h = (size_t)attributes->kernel[0],
        .kernel_w = (size_t)attributes->kernel[1],
        .stride_h = (size_t)attributes->stride[0],
        .stride_w = (size_t)attributes->stride[1],
        .dilation_h = (size_t)attributes->dilation[0],
        .dilation_w = (size_t)attributes->dilation[1],
        .pad_top = (size_t)attributes->padding[0],
        .pad_left = (size_t)attributes->padding[1],
        .image = hyp_run_input(run, 0),
        .out = hyp_run_output(run),
        .parallel = run->parallel,
    };
    run->model->settings.dispatch.best[HYP_OP_MAX_POOL2D]->fn.max_pool2d(&args);
}

const HypLayerOp hyp_layer_op_max_pool2d = {
    .name = "max_pool2d",
    .least_inputs = 1,
    .most_inputs = 1,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
