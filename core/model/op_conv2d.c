// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "model/window.h"

#include "kernel_table.h"

#include <inttypes.h>

static bool check_channels(const HyperionModel *model, HypLayer *layer)
{
    const HypShape *image = hyp_layer_input(model, layer, 0);
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    HyperionLayerAttributes *attributes = &layer->attributes;
    if (!attributes->groups)
        attributes->groups = 1;
    const int64_t groups = attributes->groups;
    if (groups < 1 || image->dims[1] % groups || filter->dims[0] % groups)
        return hyp_layer_fail(
            layer, "%" PRId64 " groups do not divide %" PRId64 " channels and %" PRId64 " filters",
            groups, image->dims[1], filter->dims[0]);
    if (image->dims[1] / groups != filter->dims[1])
        return hyp_layer_fail(
            layer,
            "filter '%s' has %" PRId64 " channels, expected %" PRId64 " (image channels / groups)",
            model->tensors[layer->inputs[1]].name, filter->dims[1], image->dims[1] / groups);
    return true;
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    if ((unsigned)layer->attributes.activation >= HYPERION_ACTIVATION_COUNT)
        return hyp_layer_fail(layer, "unknown activation %d", (int)layer->attributes.activation);
    if (!hyp_layer_expect_rank(model, layer, 0, 4) || !hyp_layer_expect_rank(model, layer, 1, 4) ||
        !check_channels(model, layer))
        return false;
    const HypShape *image = hyp_layer_input(model, layer, 0);
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    int64_t windows[2];
    if ((layer->input_count > 2 && !hyp_layer_expect_vector(model, layer, 2, filter->dims[0])) ||
        !hyp_window_infer(layer, image, &filter->dims[2], windows))
        return false;
    const int64_t dims[] = {image->dims[0], filter->dims[0], windows[0], windows[1]};
    return hyp_layer_result(layer, result, 4, dims);
}

// Filters [out channels x channels*kernel] times the image's windows [channels*kernel x windows],
// once for each image and group.
static void describe_product(const HyperionModel *model, const HypLayer *layer,
                             HypLayerProduct *product)
{
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    const HypShape *out = hyp_layer_output(model, layer);
    const size_t groups = (size_t)layer->attributes.groups;
    *product = (HypLayerProduct){
        .shape = {.m = (size_t)filter->dims[0] / groups,
                  .n = hyp_shape_product(out, 2, 4),
                  .k = hyp_shape_product(filter, 1, 4)},
        .repeats = (size_t)out->dims[0] * groups,
    };
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    HypLayerProduct product;
    describe_product(model, layer, &product);
    return 2.0 * (double)product.shape.m * (double)product.shape.n * (double)product.shape.k *
           (double)product.repeats;
}

static HypConv2dArgs fill_args(const HypLayerRun *run)
{
    const HypLayer *layer = run->layer;
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const HypShape *image = hyp_layer_input(run->model, layer, 0);
    const HypShape *filter = hyp_layer_input(run->model, layer, 1);
    const HypShape *out = hyp_layer_output(run->model, layer);
    return (HypConv2dArgs){
        .batch = (size_t)image->dims[0],
        .channels = (size_t)image->dims[1],
        .height = (size_t)image->dims[2],
        .width = (size_t)image->dims[3],
        .out_channels = (size_t)out->dims[1],
        .out_height = (size_t)out->dims[2],
        .out_width = (size_t)out->dims[3],
        .kernel_h = (size_t)filter->dims[2],
        .kernel_w = (size_t)filter->dims[3],
        .stride_h = (size_t)attributes->stride[0],
        .stride_w = (size_t)attributes->stride[1],
        .dilation_h = (size_t)attributes->dilation[0],
        .dilation_w = (size_t)attributes->dilation[1],
        .pad_top = (size_t)attributes->padding[0],
        .pad_left = (size_t)attributes->padding[1],
        .groups = (size_t)attributes->groups,
        .image = hyp_run_input(run, 0),
        .filter = hyp_run_input(run, 1),
        .packed_filter = run->packed,
        .bias = hyp_run_input(run, 2),
        .activation = attributes->activation,
        .out = hyp_run_output(run),
        .blocking = run->blocking,
        .workspace = run->workspace,
        .parallel = run->parallel,
    };
}

static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const HypConv2dArgs args = fill_args(run);
    return hyp_conv2d_workspace_bytes(&args);
}

static size_t count_packed_bytes(const HypLayerRun *run)
{
    const HypConv2dArgs args = fill_args(run);
    return hyp_conv2d_packed_filter_bytes(&args);
}

static void pack(const HypLayerRun *run, float *packed)
{
    const HypConv2dArgs args = fill_args(run);
    hyp_conv2d_pack_filter(&args, packed);
}

static void execute(const HypLayerRun *run)
{
    const HypConv2dArgs args = fill_args(run);
    run->model->settings.dispatch.best[HYP_OP_CONV2D]->fn.conv2d(&args);
}

const HypLayerOp hyp_layer_op_conv2d = {
    .name = "conv2d",
    .least_inputs = 2,
    .most_inputs = 3,
    .infer = infer,
    .flops = count_flops,
    .product = describe_product,
    .product_kernel = HYP_OP_CONV2D,
    .packed_input = 1,
    .packed_bytes = count_packed_bytes,
    .pack = pack,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute,
};
