// SPDX-License-Identifier: Apache-2.0
// Transposed convolution: for each image and group, the transposed filter [window and out channels
// x channels] times the image [channels x places] gives what each place adds to the window of the
// result that it spreads to; then these are summed (Dumoulin and Visin 2016, section 4).
#include "model/layer_op.h"

#include "common/size_math.h"
#include "model/window.h"

#include "kernel_table.h"
#include "parallel_for.h"

#include <inttypes.h>
#include <string.h>

static bool check_channels(const HyperionModel *model, HypLayer *layer)
{
    const HypShape *image = hyp_layer_input(model, layer, 0);
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    HyperionLayerAttributes *attributes = &layer->attributes;
    if (!attributes->groups)
        attributes->groups = 1;
    if (image->dims[1] != filter->dims[0])
        return hyp_layer_fail(layer, "filter '%s' has %" PRId64 " channels, the image %" PRId64,
                              model->tensors[layer->inputs[1]].name, filter->dims[0],
                              image->dims[1]);
    if (attributes->groups < 1 || image->dims[1] % attributes->groups ||
        (filter->dims[1] && attributes->groups > INT32_MAX / filter->dims[1]))
        return hyp_layer_fail(layer,
                              "%" PRId64 " groups do not suit %" PRId64 " channels and %" PRId64
                              " filters a group",
                              attributes->groups, image->dims[1], filter->dims[1]);
    return true;
}

static bool infer_extents(HypLayer *layer, const HypShape *image, const HypShape *filter,
                          int64_t *dims)
{
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const int rank = image->rank - 2;
    for (int axis = 0; axis < rank; axis++) {
        const int64_t places = image->dims[2 + axis];
        const int64_t extra = attributes->output_padding[axis];
        const int64_t covered = (filter->dims[2 + axis] - 1) * attributes->dilation[axis] + 1;
        const int64_t padding = attributes->padding[axis] + attributes->padding[rank + axis];
        dims[axis] =
            places < 1 ? 0 : (places - 1) * attributes->stride[axis] + covered + extra - padding;
        if (extra < 0 || extra > INT32_MAX || dims[axis] < 0)
            return hyp_layer_fail(layer,
                                  "output padding %" PRId64 " and padding %" PRId64
                                  " leave an extent of %" PRId64,
                                  extra, padding, dims[axis]);
    }
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
    const int64_t filters = filter->dims[1] * layer->attributes.groups;
    int64_t dims[HYPERION_MAX_RANK] = {image->dims[0], filters};
    if ((layer->input_count > 2 && !hyp_layer_expect_vector(model, layer, 2, filters)) ||
        !hyp_window_check(layer, image, &filter->dims[2]) ||
        !infer_extents(layer, image, filter, dims + 2))
        return false;
    return hyp_layer_result(layer, result, 2 + rank, dims);
}

// The roles of image and result are swapped against a convolution: axes[].size is the result's,
// axes[].windows the image's.
static void find_axes(const HyperionModel *model, const HypLayer *layer,
                      HypWindowAxis axes[HYP_MOST_WINDOW_AXES])
{
    hyp_window_axes(layer, hyp_layer_output(model, layer), hyp_layer_input(model, layer, 0),
                    &hyp_layer_input(model, layer, 1)->dims[2], axes);
}

static bool describe_product(const HyperionModel *model, const HypLayer *layer,
                             HypLayerProduct *product)
{
    const HypShape *image = hyp_layer_input(model, layer, 0);
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    const size_t groups = (size_t)layer->attributes.groups;
    *product = (HypLayerProduct){
        .shape = {.m = hyp_shape_product(filter, 1, filter->rank),
                  .n = hyp_shape_product(image, 2, image->rank),
                  .k = (size_t)image->dims[1] / groups},
        .repeats = (size_t)image->dims[0] * groups,
        .of_one_a = (size_t)image->dims[0],
    };
    return true;
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    const HypShape *filter = hyp_layer_input(model, layer, 1);
    return 2.0 * (double)hyp_layer_input(model, layer, 0)->element_count *
           (double)hyp_shape_product(filter, 1, filter->rank);
}

static HypGemmArgs fill_args(const HypLayerRun *run)
{
    HypLayerProduct product;
    (void)describe_product(run->model, run->layer, &product);
    return (HypGemmArgs){
        .m = product.shape.m,
        .n = product.shape.n,
        .k = product.shape.k,
        .lda = product.shape.k,
        .ldb = product.shape.n,
        .ldc = product.shape.n,
        .blocking = run->blocking,
        .parallel = run->parallel,
    };
}

// Where the transposed filter of a group and the product lie in the workspace, behind that of the
// kernel. Floats.
typedef struct Places {
    size_t filter, product;
    size_t end; // SIZE_MAX: larger than the address space
} Places;

static Places place_operands(const HypGemmArgs *args)
{
    enum { LINE_FLOATS = 16 };
    Places places;
    size_t filter = 0;
    size_t product = 0;
    if (!hyp_size_round_up(hyp_gemm_workspace_bytes(args) / sizeof(float), LINE_FLOATS,
                           &places.filter) ||
        !hyp_size_multiply(args->m, args->k, &filter) ||
        !hyp_size_round_up(filter, LINE_FLOATS, &filter) ||
        !hyp_size_add(places.filter, filter, &places.product) ||
        !hyp_size_multiply(args->m, args->n, &product) ||
        !hyp_size_add(places.product, product, &places.end) ||
        places.end > SIZE_MAX / sizeof(float))
        places.end = SIZE_MAX;
    return places;
}

static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const HypGemmArgs args = fill_args(run);
    const Places places = place_operands(&args);
    return places.end == SIZE_MAX ? SIZE_MAX : places.end * sizeof(float);
}

// to[columns x rows] = from[rows x columns], in squares whose lines stay in the first level.
static void transpose(const float *from, size_t rows, size_t columns, float *to)
{
    enum { EDGE = 16 };
    for (size_t r = 0; r < rows; r += EDGE)
        for (size_t c = 0; c < columns; c += EDGE)
            for (size_t j = c; j < columns && j < c + EDGE; j++)
                for (size_t i = r; i < rows && i < r + EDGE; i++)
                    to[j * rows + i] = from[i * columns + j];
}

// The sums of one image and group, shared among threads by channel of the result.
typedef struct Spread {
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    const float *product; // [channels x window x places]
    const float *bias;    // of the group's channels, or NULL
    float *out;           // of the group
    size_t channels, threads;
} Spread;

// Places first .. end - 1 of the image spread tap `tap` to the result, from its place `to` on, one
// stride apart.
typedef struct Line {
    size_t first, end, to;
} Line;

static Line find_line(const HypWindowAxis *axis, size_t tap)
{
    const size_t reach = tap * axis->dilation;
    const size_t lacking = axis->before > reach ? axis->before - reach : 0;
    const size_t end = axis->size + axis->before; // of what is kept, from where place 0, tap 0 is
    Line line = {.first = (lacking + axis->stride - 1) / axis->stride,
                 .end = reach < end ? (end - reach + axis->stride - 1) / axis->stride : 0};
    if (line.end > axis->windows)
        line.end = axis->windows;
    if (line.first > line.end)
        line.first = line.end;
    line.to = line.first * axis->stride + reach - axis->before;
    return line;
}

// What one tap of the window adds to a channel of the result.
static void add_tap(const HypWindowAxis *axes, const float *values, const Line lines[3], float *out)
{
    const Line *line = &lines[2];
    const size_t stride = axes[2].stride;
    for (size_t z = lines[0].first; z < lines[0].end; z++)
        for (size_t y = lines[1].first; y < lines[1].end; y++) {
            const size_t out_z = lines[0].to + (z - lines[0].first) * axes[0].stride;
            const size_t out_y = lines[1].to + (y - lines[1].first) * axes[1].stride;
            const float *from = values + (z * axes[1].windows + y) * axes[2].windows + line->first;
            float *to = out + (out_z * axes[1].size + out_y) * axes[2].size + line->to;
            const size_t count = line->end - line->first;
            if (stride == 1)
                for (size_t x = 0; x < count; x++)
                    to[x] += from[x];
            else
                for (size_t x = 0; x < count; x++)
                    to[x * stride] += from[x];
        }
}

static void spread_part(void *shared, size_t thread)
{
    const Spread *spread = shared;
    const HypWindowAxis *axes = spread->axes;
    const size_t places = axes[0].windows * axes[1].windows * axes[2].windows;
    const size_t out_floats = axes[0].size * axes[1].size * axes[2].size;
    const size_t taps = axes[0].kernel * axes[1].kernel * axes[2].kernel;
    const HypRange channels = hyp_parallel_part(spread->channels, 1, spread->threads, thread);
    for (size_t channel = channels.first; channel < channels.end; channel++) {
        float *out = spread->out + channel * out_floats;
        const float start = spread->bias ? spread->bias[channel] : 0;
        for (size_t i = 0; i < out_floats; i++)
            out[i] = start;
        for (size_t tap = 0; tap < taps; tap++) {
            const Line lines[3] = {find_line(&axes[0], tap / axes[2].kernel / axes[1].kernel),
                                   find_line(&axes[1], tap / axes[2].kernel % axes[1].kernel),
                                   find_line(&axes[2], tap % axes[2].kernel)};
            add_tap(axes, spread->product + (channel * taps + tap) * places, lines, out);
        }
    }
}

static void activate(const HypLayerRun *run)
{
    const HypActivationArgs args = {
        .function = run->layer->attributes.activation,
        .in = hyp_run_output(run),
        .out = hyp_run_output(run),
        .count = hyp_layer_output(run->model, run->layer)->element_count,
        .parallel = run->parallel,
    };
    if (args.function != HYPERION_ACTIVATION_NONE)
        run->model->settings.dispatch.best[HYP_OP_ACTIVATION]->fn.activation(&args);
}

static void execute(const HypLayerRun *run)
{
    const size_t groups = (size_t)run->layer->attributes.groups;
    const size_t images = (size_t)hyp_layer_input(run->model, run->layer, 0)->dims[0];
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    HypGemmArgs args = fill_args(run);
    const Places places = place_operands(&args);
    float *filter = (float *)run->workspace + places.filter;
    args.workspace = run->workspace;
    args.a = filter;
    args.c = (float *)run->workspace + places.product;
    Spread spread = {.product = args.c, .channels = (size_t)out->dims[1] / groups};
    find_axes(run->model, run->layer, spread.axes);
    spread.threads = hyp_parallel_threads(run->parallel, (double)args.m * (double)args.n);
    const size_t out_floats = hyp_shape_product(out, 2, out->rank) * spread.channels;
    for (size_t group = 0; group < groups; group++) {
        transpose(hyp_run_input(run, 1) + group * args.k * args.m, args.k, args.m, filter);
        for (size_t image = 0; image < images; image++) {
            const size_t index = image * groups + group;
            args.b = hyp_run_input(run, 0) + index * args.k * args.n;
            run->model->settings.dispatch.best[HYP_OP_GEMM]->fn.gemm(&args);
            spread.out = hyp_run_output(run) + index * out_floats;
            spread.bias = hyp_run_input(run, 2);
            if (spread.bias)
                spread.bias += group * spread.channels;
            hyp_parallel_run(run->parallel, spread.threads, spread_part, &spread);
        }
    }
    activate(run);
}

const HypLayerOp hyp_layer_op_conv_transpose = {
    .name = "conv_transpose",
    .least_inputs = 2,
    .most_inputs = 3,
    .infer = infer,
    .flops = count_flops,
    .product = describe_product,
    .product_kernel = HYP_OP_GEMM,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute,
};
