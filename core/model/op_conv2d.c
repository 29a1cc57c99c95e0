// SPDX-License-Identifier: Apache-2.0
// Convolution over one to three axes. Over two it is a kernel; a line is an image of height 1; over
// three each slice of the result is a convolution over two of the planes that its windows reach,
// which count as channels.
#include "model/band.h"

#include "common/size_math.h"
#include "model/plane_waves.h"
#include "model/window.h"

#include "kernel_table.h"

#include <inttypes.h>
#include <string.h>

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
    const int rank = hyp_window_rank(model, layer, 0);
    if (!rank || !hyp_layer_expect_rank(model, layer, 1, 2 + rank) || !check_channels(model, layer))
        return false;
    const HypShape *image = hyp_layer_input(model, layer, 0);
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    int64_t dims[HYPERION_MAX_RANK] = {image->dims[0], filter->dims[0]};
    if ((layer->input_count > 2 && !hyp_layer_expect_vector(model, layer, 2, filter->dims[0])) ||
        !hyp_window_infer(layer, image, &filter->dims[2], dims + 2))
        return false;
    return hyp_layer_result(layer, result, 2 + rank, dims);
}

static void find_axes(const HyperionModel *model, const HypLayer *layer,
                      HypWindowAxis axes[HYP_MOST_WINDOW_AXES])
{
    hyp_window_axes(layer, hyp_layer_input(model, layer, 0), hyp_layer_output(model, layer),
                    &hyp_layer_input(model, layer, 1)->dims[2], axes);
}

// Whether every filter has one channel: then there is nothing to be multiplied as a matrix.
static bool is_depthwise(const HyperionModel *model, const HypLayer *layer)
{
    // More would need more workspace than they are worth.
    enum { MOST_TAPS = 1024 };
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    return filter->rank <= 4 && filter->dims[1] == 1 && layer->attributes.groups > 1 &&
           hyp_shape_product(filter, 2, filter->rank) <= MOST_TAPS;
}

// Filters [out channels x channels*kernel] times the image's windows [channels*kernel x windows],
// once for each image, slice and group.
static bool describe_product(const HyperionModel *model, const HypLayer *layer,
                             HypLayerProduct *product)
{
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    const HypShape *out = hyp_layer_output(model, layer);
    const size_t groups = (size_t)layer->attributes.groups;
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    find_axes(model, layer, axes);
    *product = (HypLayerProduct){
        .shape = {.m = (size_t)filter->dims[0] / groups,
                  .n = axes[1].windows * axes[2].windows,
                  .k = hyp_shape_product(filter, 1, filter->rank)},
        .repeats = (size_t)out->dims[0] * groups * axes[0].windows,
        .of_one_a = (size_t)out->dims[0] * axes[0].windows,
    };
    return !is_depthwise(model, layer);
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    return 2.0 * (double)hyp_layer_output(model, layer)->element_count *
           (double)hyp_shape_product(filter, 1, filter->rank);
}

// Of the whole layer where the image has no depth, else of one slice of one image.
static HypConv2dArgs fill_args(const HypLayerRun *run)
{
    const HypLayer *layer = run->layer;
    const HypShape *image = hyp_layer_input(run->model, layer, 0);
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    find_axes(run->model, layer, axes);
    const bool sliced = image->rank > 4;
    return (HypConv2dArgs){
        .batch = sliced ? 1 : (size_t)image->dims[0],
        .channels = (size_t)image->dims[1] * axes[0].kernel,
        .height = axes[1].size,
        .width = axes[2].size,
        .out_channels = (size_t)hyp_layer_output(run->model, layer)->dims[1],
        .out_height = axes[1].windows,
        .out_width = axes[2].windows,
        .kernel_h = axes[1].kernel,
        .kernel_w = axes[2].kernel,
        .stride_h = axes[1].stride,
        .stride_w = axes[2].stride,
        .dilation_h = axes[1].dilation,
        .dilation_w = axes[2].dilation,
        .pad_top = axes[1].before,
        .pad_left = axes[2].before,
        .groups = (size_t)layer->attributes.groups,
        .image = hyp_run_input(run, 0),
        .filter = hyp_run_input(run, 1),
        .packed_filter = run->packed,
        .bias = hyp_run_input(run, 2),
        .activation = layer->attributes.activation,
        .alpha = layer->attributes.alpha,
        .beta = layer->attributes.beta,
        .out = hyp_run_output(run),
        .blocking = run->blocking,
        .workspace = run->workspace,
        .parallel = run->parallel,
    };
}

// Where the planes that a slice is made of, and the slice, lie in the workspace of an image with
// depth: behind that of the kernel. Floats.
typedef struct SlicePlaces {
    size_t planes, slice;
    size_t end; // SIZE_MAX: larger than the address space
} SlicePlaces;

static SlicePlaces place_slices(const HypConv2dArgs *args)
{
    enum { LINE_FLOATS = 16 };
    SlicePlaces places;
    size_t planes = 0;
    size_t slice = 0;
    if (!hyp_size_round_up(hyp_conv2d_workspace_bytes(args) / sizeof(float), LINE_FLOATS,
                           &places.planes) ||
        !hyp_size_multiply(args->channels, args->height * args->width, &planes) ||
        !hyp_size_round_up(planes, LINE_FLOATS, &planes) ||
        !hyp_size_multiply(args->out_channels, args->out_height * args->out_width, &slice) ||
        !hyp_size_add(places.planes, planes, &places.slice) ||
        !hyp_size_add(places.slice, slice, &places.end) || places.end > SIZE_MAX / sizeof(float))
        places.end = SIZE_MAX;
    return places;
}

// Whether a depthwise convolution makes each plane of one plane that is at least as large.
static bool is_plane_by_plane(const HyperionModel *model, const HypLayer *layer)
{
    const HypShape *image = hyp_layer_input(model, layer, 0);
    const HypShape *out = hyp_layer_output(model, layer);
    return is_depthwise(model, layer) && image->dims[0] == 1 && out->dims[1] == image->dims[1] &&
           out->element_count <= image->element_count;
}

// Whether the windows are the image's pixels, so that the product's columns are those of the image.
static bool is_pointwise(const HyperionModel *model, const HypLayer *layer)
{
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    bool each = layer->attributes.groups == 1;
    find_axes(model, layer, axes);
    for (int i = 0; i < HYP_MOST_WINDOW_AXES; i++)
        each = each && axes[i].kernel == 1 && axes[i].stride == 1 && axes[i].before == 0 &&
               axes[i].windows == axes[i].size;
    return each;
}

// The columns of a block are all packed before any of them is written, if there is one block of k.
static bool may_replace(const HyperionModel *model, const HypLayer *layer,
                        const HyperionGemmBlocking *blocking)
{
    const HypShape *image = hyp_layer_input(model, layer, 0);
    if (is_plane_by_plane(model, layer))
        return true;
    return image->rank <= 4 && image->dims[0] == 1 && is_pointwise(model, layer) &&
           (size_t)image->dims[1] <= blocking->kc;
}

// Of `count` planes, for one thread.
static HypConv2dArgs fill_plane_args(const HypLayerRun *run, size_t first, size_t count)
{
    HypConv2dArgs args = fill_args(run);
    args.image = args.image ? args.image + first * args.height * args.width : NULL;
    args.filter = args.filter ? args.filter + first * args.kernel_h * args.kernel_w : NULL;
    args.bias = args.bias ? args.bias + first : NULL;
    args.channels = args.out_channels = args.groups = count;
    args.parallel = NULL;
    return args;
}

static void compute_planes(const HypLayerRun *run, size_t first, size_t count, void *workspace,
                           float *out)
{
    HypConv2dArgs args = fill_plane_args(run, first, count);
    args.workspace = workspace;
    args.out = out;
    run->model->settings.dispatch.best[HYP_OP_DEPTHWISE2D]->fn.depthwise2d(&args);
}

static HypPlaneWaves describe_waves(const HypLayerRun *run)
{
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    const size_t planes = (size_t)out->dims[1];
    HypPlaneWaves waves = {
        .planes = planes,
        .plane_bytes = planes ? out->size_bytes / planes : 0,
        .plane_flops = planes ? count_flops(run->model, run->layer) / (double)planes : 0,
        .compute = compute_planes,
    };
    const HypConv2dArgs args = fill_plane_args(run, 0, hyp_plane_waves_length(&waves));
    if (!hyp_size_round_up(hyp_depthwise2d_workspace_bytes(&args), 64, &waves.kernel_bytes))
        waves.kernel_bytes = SIZE_MAX;
    return waves;
}

static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const HypConv2dArgs args = fill_args(run);
    if (run->replaces && is_depthwise(run->model, run->layer)) {
        const HypPlaneWaves waves = describe_waves(run);
        return hyp_plane_waves_workspace_bytes(run, &waves);
    }
    if (is_depthwise(run->model, run->layer))
        return hyp_depthwise2d_workspace_bytes(&args);
    if (hyp_layer_input(run->model, run->layer, 0)->rank <= 4)
        return hyp_conv2d_workspace_bytes(&args);
    const SlicePlaces places = place_slices(&args);
    return places.end == SIZE_MAX ? SIZE_MAX : places.end * sizeof(float);
}

// The planes of one image that windows at `window` along the depth reach, channel by channel.
static void gather_planes(const float *image, size_t channels, const HypWindowAxis *depth,
                          size_t window, size_t plane_floats, float *planes)
{
    for (size_t channel = 0; channel < channels; channel++)
        for (size_t k = 0; k < depth->kernel; k++, planes += plane_floats) {
            // Before the image it wraps to past its end.
            const size_t z = window * depth->stride + k * depth->dilation - depth->before;
            if (z < depth->size)
                memcpy(planes, image + (channel * depth->size + z) * plane_floats,
                       plane_floats * sizeof *planes);
            else
                memset(planes, 0, plane_floats * sizeof *planes);
        }
}

static void execute_slices(const HypLayerRun *run, HypConv2dArgs args)
{
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    find_axes(run->model, run->layer, axes);
    const HypWindowAxis *depth = &axes[0];
    const HypShape *image = hyp_layer_input(run->model, run->layer, 0);
    const SlicePlaces places = place_slices(&args);
    const size_t plane_floats = args.height * args.width;
    const size_t out_plane = args.out_height * args.out_width;
    const size_t channels = (size_t)image->dims[1];
    const float *images = args.image;
    float *out = args.out;
    float *planes = (float *)run->workspace + places.planes;
    args.image = planes;
    args.out = (float *)run->workspace + places.slice;
    for (size_t i = 0; i < (size_t)image->dims[0] * depth->windows; i++) {
        const size_t item = i / depth->windows;
        const size_t z = i % depth->windows;
        gather_planes(images + item * channels * depth->size * plane_floats, channels, depth, z,
                      plane_floats, planes);
        run->model->settings.dispatch.best[HYP_OP_CONV2D]->fn.conv2d(&args);
        for (size_t o = 0; o < args.out_channels; o++)
            memcpy(out + ((item * args.out_channels + o) * depth->windows + z) * out_plane,
                   args.out + o * out_plane, out_plane * sizeof *out);
    }
}

static size_t count_packed_bytes(const HypLayerRun *run)
{
    const HypConv2dArgs args = fill_args(run);
    return is_depthwise(run->model, run->layer) ? 0 : hyp_conv2d_packed_filter_bytes(&args);
}

static void pack(const HypLayerRun *run, float *packed)
{
    const HypConv2dArgs args = fill_args(run);
    hyp_conv2d_pack_filter(&args, packed);
}

static void execute(const HypLayerRun *run)
{
    const HypConv2dArgs args = fill_args(run);
    if (run->replaces && is_depthwise(run->model, run->layer)) {
        const HypPlaneWaves waves = describe_waves(run);
        hyp_plane_waves_run(run, &waves);
        return;
    }
    if (is_depthwise(run->model, run->layer))
        run->model->settings.dispatch.best[HYP_OP_DEPTHWISE2D]->fn.depthwise2d(&args);
    else if (hyp_layer_input(run->model, run->layer, 0)->rank > 4)
        execute_slices(run, args);
    else
        run->model->settings.dispatch.best[HYP_OP_CONV2D]->fn.conv2d(&args);
}

static bool find_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                      HypBandInput *input)
{
    const int64_t kernel = hyp_layer_input(model, layer, 1)->dims[2];
    *input = (HypBandInput){.rows = {0}};
    return index > 0 || hyp_band_windows(model, layer, kernel, made, input);
}

const HypLayerOp hyp_layer_op_conv2d = {
    .name = "conv2d",
    .least_inputs = 2,
    .most_inputs = 3,
    .replaces = may_replace,
    .band = find_band,
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
