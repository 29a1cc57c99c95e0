// SPDX-License-Identifier: Apache-2.0
// Greatest value and mean over windows. Both can be taken over height and width first, then over
// depth: the greatest of the greatest; and, as the elements of a window on the image (or on its
// padding) are a box, the mean of the means.
#include "model/band.h"

#include "common/size_math.h"
#include "model/plane_waves.h"
#include "model/window.h"

#include "kernel_table.h"

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const int rank = hyp_window_rank(model, layer, 0);
    const HyperionLayerAttributes *attributes = &layer->attributes;
    if (!rank)
        return false;
    const HypShape *image = hyp_layer_input(model, layer, 0);
    int64_t dims[HYPERION_MAX_RANK] = {image->dims[0], image->dims[1]};
    if (!hyp_window_infer(layer, image, attributes->kernel, dims + 2))
        return false;
    // A window wholly in the padding would have no greatest value and no mean.
    for (int side = 0; side < 2 * rank; side++)
        if (attributes->padding[side] >= attributes->kernel[side % rank])
            return hyp_layer_fail(layer, "padding must be smaller than the kernel");
    return hyp_layer_result(layer, result, image->rank, dims);
}

// Nominally one operation for each element of each window.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    double flops = (double)hyp_layer_output(model, layer)->element_count;
    for (int axis = 0; axis < hyp_layer_input(model, layer, 0)->rank - 2; axis++)
        flops *= (double)layer->attributes.kernel[axis];
    return flops;
}

static void find_axes(const HypLayerRun *run, HypWindowAxis axes[HYP_MOST_WINDOW_AXES])
{
    hyp_window_axes(run->layer, hyp_layer_input(run->model, run->layer, 0),
                    hyp_layer_output(run->model, run->layer), run->layer->attributes.kernel, axes);
}

// Whether the second pass, over depth, has anything to do.
static bool has_depth(const HypWindowAxis *depth)
{
    return depth->kernel > 1 || depth->stride > 1 || depth->windows != depth->size;
}

static HypPool2dArgs fill_args(const HypLayerRun *run, size_t planes, const HypWindowAxis *rows,
                               const HypWindowAxis *columns)
{
    return (HypPool2dArgs){
        .batch = 1,
        .channels = planes,
        .height = rows->size,
        .width = columns->size,
        .out_height = rows->windows,
        .out_width = columns->windows,
        .kernel_h = rows->kernel,
        .kernel_w = columns->kernel,
        .stride_h = rows->stride,
        .stride_w = columns->stride,
        .dilation_h = rows->dilation,
        .dilation_w = columns->dilation,
        .pad_top = rows->before,
        .pad_left = columns->before,
        .count_padding = run->layer->attributes.count_padding,
        .pad_bottom = rows->after,
        .pad_right = columns->after,
        .parallel = run->parallel,
    };
}

// Plane by plane, if no plane of the result is larger than one of the image.
static bool may_replace(const HyperionModel *model, const HypLayer *layer,
                        const HyperionGemmBlocking *blocking)
{
    const HypShape *image = hyp_layer_input(model, layer, 0);
    (void)blocking;
    return image->rank <= 4 &&
           hyp_layer_output(model, layer)->element_count <= image->element_count;
}

static void compute_planes(const HypLayerRun *run, size_t first, size_t count, void *workspace,
                           float *out)
{
    const HypKernelVariant *const *best = run->model->settings.dispatch.best;
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    find_axes(run, axes);
    HypPool2dArgs args = fill_args(run, count, &axes[1], &axes[2]);
    (void)workspace;
    args.image = hyp_run_input(run, 0) + first * axes[1].size * axes[2].size;
    args.out = out;
    args.parallel = NULL;
    if (run->layer->op == HYPERION_LAYER_MAX_POOL)
        best[HYP_OP_MAX_POOL2D]->fn.max_pool2d(&args);
    else
        best[HYP_OP_AVERAGE_POOL2D]->fn.average_pool2d(&args);
}

static HypPlaneWaves describe_waves(const HypLayerRun *run)
{
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    const size_t planes = hyp_shape_product(out, 0, 2);
    return (HypPlaneWaves){
        .planes = planes,
        .plane_bytes = planes ? out->size_bytes / planes : 0,
        .plane_flops = planes ? count_flops(run->model, run->layer) / (double)planes : 0,
        .compute = compute_planes,
    };
}

// Results of the first pass, over height and width of each plane.
static size_t count_workspace_bytes(const HypLayerRun *run)
{
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    if (run->replaces) {
        const HypPlaneWaves waves = describe_waves(run);
        return hyp_plane_waves_workspace_bytes(run, &waves);
    }
    find_axes(run, axes);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    if (!has_depth(&axes[0]))
        return 0;
    // As many planes as the image has, of the size of the result's.
    size_t bytes;
    return hyp_size_multiply(out->size_bytes / axes[0].windows, axes[0].size, &bytes) ? bytes
                                                                                      : SIZE_MAX;
}

static void run_pool(const HypLayerRun *run, void (*pool)(const HypPool2dArgs *args))
{
    if (run->replaces) {
        const HypPlaneWaves waves = describe_waves(run);
        hyp_plane_waves_run(run, &waves);
        return;
    }
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    find_axes(run, axes);
    const HypShape *image = hyp_layer_input(run->model, run->layer, 0);
    const size_t images = hyp_shape_product(image, 0, 2);
    const bool second = has_depth(&axes[0]);
    HypPool2dArgs args = fill_args(run, images * axes[0].size, &axes[1], &axes[2]);
    args.image = hyp_run_input(run, 0);
    args.out = second ? run->workspace : hyp_run_output(run);
    pool(&args);
    if (!second)
        return;
    const size_t plane = axes[1].windows * axes[2].windows;
    const HypWindowAxis one = {
        .size = plane, .windows = plane, .kernel = 1, .stride = 1, .dilation = 1};
    args = fill_args(run, images, &axes[0], &one);
    args.image = run->workspace;
    args.out = hyp_run_output(run);
    pool(&args);
}

static void execute_max(const HypLayerRun *run)
{
    run_pool(run, run->model->settings.dispatch.best[HYP_OP_MAX_POOL2D]->fn.max_pool2d);
}

static void execute_average(const HypLayerRun *run)
{
    run_pool(run, run->model->settings.dispatch.best[HYP_OP_AVERAGE_POOL2D]->fn.average_pool2d);
}

static bool find_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                      HypBandInput *input)
{
    (void)index;
    return hyp_band_windows(model, layer, layer->attributes.kernel[0], made, input);
}

const HypLayerOp hyp_layer_op_max_pool = {
    .name = "max_pool",
    .least_inputs = 1,
    .most_inputs = 1,
    .replaces = may_replace,
    .band = find_band,
    .infer = infer,
    .flops = count_flops,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute_max,
};

const HypLayerOp hyp_layer_op_average_pool = {
    .name = "average_pool",
    .least_inputs = 1,
    .most_inputs = 1,
    .replaces = may_replace,
    .band = find_band,
    .infer = infer,
    .flops = count_flops,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute_average,
};
