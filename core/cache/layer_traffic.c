// SPDX-License-Identifier: Apache-2.0
#include "cache/layer_traffic.h"

#include "cache/gemm_streams.h"
#include "cache/kernel_traffic.h"
#include "cache/stream_ops.h"
#include "hyperion/tensor.h"
#include "kernel_table.h"
#include "model/plane_waves.h"
#include "model/window.h"

#include <assert.h>
#include <math.h>

typedef struct LayerAccount {
    const HypLayerRun *run;
    const HypLayer *layer; // of it
    HypAccount *account;
} LayerAccount;

static const HypShape *input_shape(const LayerAccount *at, int index)
{
    return hyp_layer_input(at->run->model, at->layer, index);
}

static const HypShape *output_shape(const LayerAccount *at)
{
    return hyp_layer_output(at->run->model, at->layer);
}

static HyperionSIMDLevel find_level(const LayerAccount *at, HypKernelOp kernel)
{
    return at->run->model->settings.dispatch.best[kernel]->level;
}

// The product of a layer as the executor runs it; what may have been packed once is the filter of a
// convolution, else B.
static void add_product(const LayerAccount *at, const HypLayerProduct *product, HypKernelOp kernel,
                        const HypImageSource *image)
{
    const bool packed = at->run->packed != NULL;
    if (product->repeats == 0)
        return;
    const HypGemmProducts products = {.shape = &product->shape,
                                      .image = image,
                                      .blocking = &at->run->blocking,
                                      .different_a = product->repeats / product->of_one_a,
                                      .of_one_a = product->of_one_a,
                                      .packed_a = packed && image,
                                      .packed_b = packed && !image,
                                      .lanes = hyp_level_lanes(find_level(at, kernel))};
    hyp_gemm_add_traffic(at->account, &products);
}

// Where the result replaces the image, planes are made in the workspace, as many at a time as fit
// there, and copied: as formulas have it, the result is what is copied. Between two touches of a
// line of these planes lie the workspace and as much of the image or the result as of them.
static void add_waves(const LayerAccount *at)
{
    const HypShape *out = output_shape(at);
    const size_t planes = hyp_shape_product(out, 0, 2);
    if (!at->run->replaces || planes == 0)
        return;
    const HypPlaneWaves waves = {.planes = planes, .plane_bytes = out->size_bytes / planes};
    const double line_bytes = at->account->caches[0].line_floats * sizeof(float);
    const double lines = (double)out->size_bytes / line_bytes;
    const double wave = (double)(hyp_plane_waves_length(&waves) * waves.plane_bytes) / line_bytes;
    const double scratch = (double)hyp_layer_workspace_bytes(at->run) / line_bytes;
    HypWindow window;
    hyp_window_start(&window);
    hyp_window_add(&window, wave + scratch, 1, 0);
    hyp_account_cold(at->account, wave);
    hyp_account_written(at->account, fmax(0, lines - wave), &window);
    hyp_account(at->account, lines, &window);
    at->account->traffic.accesses += 2 * lines;
}

// A product of its own kind where it has few rows.
static void add_gemm(const LayerAccount *at)
{
    HypLayerProduct product;
    if (hyp_layer_product(at->run->model, at->layer, &product))
        add_product(at, &product, HYP_OP_GEMM, NULL);
    else
        hyp_stream_gemv(at->account, &product.shape, product.repeats);
}

static void add_depthwise(const LayerAccount *at, const HypWindowAxis *axes)
{
    const HypShape *in = input_shape(at, 0);
    const HypConv2dArgs args = {
        .batch = (size_t)in->dims[0],
        .channels = (size_t)in->dims[1],
        .height = axes[1].size,
        .width = axes[2].size,
        .out_channels = (size_t)output_shape(at)->dims[1],
        .out_height = axes[1].windows,
        .out_width = axes[2].windows,
        .kernel_h = axes[1].kernel,
        .kernel_w = axes[2].kernel,
        .stride_h = axes[1].stride,
        .stride_w = axes[2].stride,
        .dilation_h = axes[1].dilation,
        .dilation_w = axes[2].dilation,
    };
    hyp_stream_depthwise(at->account, &args);
}

static void add_conv2d(const LayerAccount *at)
{
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    hyp_window_axes(at->layer, input_shape(at, 0), output_shape(at), &input_shape(at, 1)->dims[2],
                    axes);
    HypLayerProduct product;
    if (!hyp_layer_product(at->run->model, at->layer, &product)) {
        add_depthwise(at, axes);
        add_waves(at);
        return;
    }
    const HypImageSource image = {.channels = (size_t)input_shape(at, 1)->dims[1] * axes[0].kernel,
                                  .height = axes[1].size,
                                  .width = axes[2].size,
                                  .out_height = axes[1].windows,
                                  .out_width = axes[2].windows,
                                  .kernel_h = axes[1].kernel,
                                  .kernel_w = axes[2].kernel,
                                  .stride_h = axes[1].stride,
                                  .stride_w = axes[2].stride,
                                  .dilation_h = axes[1].dilation,
                                  .dilation_w = axes[2].dilation,
                                  .pad_top = axes[1].before,
                                  .pad_left = axes[2].before};
    add_product(at, &product, HYP_OP_CONV2D, &image);
}

static void add_conv_transpose(const LayerAccount *at)
{
    const HypShape *in = input_shape(at, 0);
    const HypShape *filter = input_shape(at, 1);
    const HypShape *out = output_shape(at);
    HypLayerProduct product;
    hyp_stream_map(at->account, filter->element_count); // transposed
    if (hyp_layer_product(at->run->model, at->layer, &product))
        add_product(at, &product, HYP_OP_GEMM, NULL);
    hyp_stream_spread(at->account, hyp_shape_product(out, 0, 2),
                      hyp_shape_product(filter, 2, filter->rank),
                      hyp_shape_product(in, 2, in->rank), hyp_shape_product(out, 2, out->rank));
}

static void add_activation(const LayerAccount *at)
{
    hyp_stream_map(at->account, output_shape(at)->element_count);
}

// How many elements of the result in a row are made of the same one of an operand.
static size_t count_repeated(const HypShape *operand, const HypShape *out)
{
    size_t repeated = 1;
    for (int i = 1; i <= out->rank; i++) {
        if (i <= operand->rank && operand->dims[operand->rank - i] != 1)
            break;
        repeated *= (size_t)out->dims[out->rank - i];
    }
    return repeated;
}

// Each operand as often as the result has elements, or runs of them that are made of one.
static void add_broadcast(const LayerAccount *at)
{
    enum { MOST_OPERANDS = 3 };
    HypStreamOperand operands[MOST_OPERANDS];
    const HypShape *out = output_shape(at);
    const size_t count = (size_t)at->layer->input_count;
    assert(count <= MOST_OPERANDS);
    for (size_t i = 0; i < count; i++) {
        const HypShape *shape = input_shape(at, (int)i);
        const size_t repeated = count_repeated(shape, out);
        const size_t touched = repeated > 0 ? out->element_count / repeated : 0;
        operands[i] =
            (HypStreamOperand){shape->size_bytes, touched * hyperionTypeBytes(shape->type)};
    }
    hyp_stream_combine(at->account, out->size_bytes, operands, count);
}

// Rows and columns of an operation over the last axis.
static size_t last_extent(const HypShape *shape)
{
    return (size_t)shape->dims[shape->rank - 1];
}

// Over another than the last axis, blocks of columns are done one after the other.
static void add_softmax(const LayerAccount *at)
{
    enum { BLOCK_COLUMNS = 256 }; // of kernels/norm/softmax_nest.h
    const HypShape *shape = input_shape(at, 0);
    const int axis = shape->rank - 1 - at->layer->attributes.axis_from_end;
    const size_t inner = hyp_shape_product(shape, axis + 1, shape->rank);
    const size_t block = inner < BLOCK_COLUMNS ? inner : BLOCK_COLUMNS;
    const size_t row = (size_t)shape->dims[axis] * block;
    if (row > 0)
        hyp_stream_softmax(at->account, shape->element_count / row, row);
}

static void add_lrn(const LayerAccount *at)
{
    const HypShape *shape = input_shape(at, 0);
    hyp_stream_lrn(at->account, hyp_shape_product(shape, 0, 2),
                   hyp_shape_product(shape, 2, shape->rank), (size_t)at->layer->attributes.size);
}

// Every tensor once.
static void add_pass(const LayerAccount *at)
{
    size_t in_bytes = 0;
    for (int i = 0; i < at->layer->input_count; i++)
        in_bytes += input_shape(at, i)->size_bytes;
    hyp_stream_move(at->account, in_bytes, output_shape(at)->size_bytes);
}

static void add_layernorm(const LayerAccount *at)
{
    const HypShape *shape = input_shape(at, 0);
    hyp_stream_layernorm(at->account, hyp_shape_product(shape, 0, shape->rank - 1),
                         last_extent(shape), (size_t)at->layer->input_count - 1);
}

// Of an image with depth: the first pass, over height and width, then the second.
static void add_pool(const LayerAccount *at)
{
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    const HypShape *in = input_shape(at, 0);
    hyp_window_axes(at->layer, in, output_shape(at), at->layer->attributes.kernel, axes);
    const size_t images = hyp_shape_product(in, 0, 2);
    const HypPoolExtents pool = {.planes = images * axes[0].size,
                                 .height = axes[1].size,
                                 .width = axes[2].size,
                                 .out_height = axes[1].windows,
                                 .out_width = axes[2].windows,
                                 .kernel_h = axes[1].kernel};
    hyp_stream_pool(at->account, &pool);
    const size_t plane = axes[1].windows * axes[2].windows;
    const HypPoolExtents depth = {.planes = images,
                                  .height = axes[0].size,
                                  .width = plane,
                                  .out_height = axes[0].windows,
                                  .out_width = plane,
                                  .kernel_h = axes[0].kernel};
    if (in->rank > 4)
        hyp_stream_pool(at->account, &depth);
    add_waves(at);
}

static void add_attention(const LayerAccount *at)
{
    const HyperionLayerAttributes *attributes = &at->layer->attributes;
    const HypShape *q = input_shape(at, 0);
    const HypKernelArgs args = {.attention = {.batch = (size_t)q->dims[0],
                                              .heads = (size_t)attributes->heads,
                                              .kv_heads = (size_t)attributes->kv_heads,
                                              .queries = (size_t)q->dims[1],
                                              .keys = (size_t)input_shape(at, 1)->dims[1],
                                              .dim = (size_t)(q->dims[2] / attributes->heads),
                                              .causal = attributes->causal}};
    hyp_kernel_traffic(HYP_OP_ATTENTION, find_level(at, HYP_OP_ATTENTION), &args, 1, at->account);
}

// Tensors of which each element is moved once.
static void add_movement(const LayerAccount *at)
{
    const size_t out_bytes = output_shape(at)->size_bytes;
    size_t in_bytes = 0;
    for (int i = 0; i < at->layer->input_count; i++)
        in_bytes += input_shape(at, i)->size_bytes;
    hyp_stream_move(at->account, in_bytes < out_bytes ? in_bytes : out_bytes, out_bytes);
}

// By HyperionLayerOp; NULL: a view always, that touches no memory.
static void (*const formulas[HYPERION_LAYER_OP_COUNT])(const LayerAccount *at) = {
    [HYPERION_LAYER_GEMM] = add_gemm,
    [HYPERION_LAYER_CONV2D] = add_conv2d,
    [HYPERION_LAYER_ACTIVATION] = add_activation,
    [HYPERION_LAYER_MAX_POOL] = add_pool,
    [HYPERION_LAYER_AVERAGE_POOL] = add_pool,
    [HYPERION_LAYER_MAX_POOL_INDICES] = add_pool,
    [HYPERION_LAYER_CONV_TRANSPOSE] = add_conv_transpose,
    [HYPERION_LAYER_MATMUL] = add_gemm,
    [HYPERION_LAYER_BINARY] = add_broadcast,
    [HYPERION_LAYER_SOFTMAX] = add_softmax,
    [HYPERION_LAYER_LAYERNORM] = add_layernorm,
    [HYPERION_LAYER_ATTENTION] = add_attention,
    [HYPERION_LAYER_RESHAPE] = NULL,
    [HYPERION_LAYER_TRANSPOSE] = add_movement,
    [HYPERION_LAYER_CONCAT] = add_movement,
    [HYPERION_LAYER_SLICE] = add_movement,
    [HYPERION_LAYER_PAD] = add_movement,
    [HYPERION_LAYER_GATHER] = add_movement,
    [HYPERION_LAYER_EXPAND] = add_movement,
    [HYPERION_LAYER_RESIZE] = add_movement,
    [HYPERION_LAYER_ROPE] = add_movement,
    [HYPERION_LAYER_WHERE] = add_broadcast,
    [HYPERION_LAYER_CAST] = add_pass,
    [HYPERION_LAYER_REDUCE] = add_pass,
    [HYPERION_LAYER_SCALE_SHIFT] = add_pass,
    [HYPERION_LAYER_LRN] = add_lrn,
};

void hyp_layer_add_traffic(const HypLayerRun *run, HypAccount *account)
{
    const LayerAccount at = {run, run->layer, account};
    formulas[run->layer->op](&at);
}

// Of a slice, from its first element to its last.
static HypReach reach_slice(const HypShape *in, const HypShape *out,
                            const HyperionLayerAttributes *attributes)
{
    const size_t element_bytes = hyperionTypeBytes(in->type);
    size_t first = 0;
    size_t last = 0;
    for (int i = 0; i < in->rank; i++) {
        const int64_t start = attributes->starts[i];
        const int64_t end =
            start + (out->dims[i] - 1) * (out->dims[i] > 1 ? attributes->steps[i] : 1);
        const size_t stride = hyp_shape_product(in, i + 1, in->rank);
        first += (size_t)(start < end ? start : end) * stride;
        last += (size_t)(start < end ? end : start) * stride;
    }
    return (HypReach){first * element_bytes, (last + 1 - first) * element_bytes, out->size_bytes};
}

HypReach hyp_layer_reach(const HyperionModel *model, const HypLayer *layer, int input)
{
    const HypShape *in = hyp_layer_input(model, layer, input);
    const HypShape *out = hyp_layer_output(model, layer);
    if (layer->op == HYPERION_LAYER_SLICE && out->element_count > 0)
        return reach_slice(in, out, &layer->attributes);
    // Which rows of a table are taken is not known.
    const bool takes = layer->op == HYPERION_LAYER_GATHER || layer->op == HYPERION_LAYER_SLICE;
    const bool fewer = takes && out->size_bytes < in->size_bytes;
    return (HypReach){0, in->size_bytes, fewer ? out->size_bytes : in->size_bytes};
}
