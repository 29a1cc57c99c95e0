// SPDX-License-Identifier: Apache-2.0
#include "cache/layer_traffic.h"

#include "cache/gemm_streams.h"
#include "cache/kernel_traffic.h"
#include "cache/stream_ops.h"
#include "hyperion/tensor.h"
#include "kernel_table.h"
#include "model/window.h"

#include <assert.h>

typedef struct LayerAccount {
    const HyperionModel *model;
    const HypLayer *layer;
    HypAccount *account;
} LayerAccount;

static const HypShape *input_shape(const LayerAccount *at, int index)
{
    return &at->model->tensors[at->layer->inputs[index]].shape;
}

static const HypShape *output_shape(const LayerAccount *at)
{
    return &at->model->tensors[at->layer->outputs[0]].shape;
}

// The product of a gemm or conv2d layer as the executor runs it.
static bool add_product(const LayerAccount *at, HypKernelOp kernel, const HypImageSource *image)
{
    const HypModelSettings *settings = &at->model->settings;
    const HyperionSIMDLevel level = settings->dispatch.best[kernel]->level;
    HypLayerProduct product;
    HyperionGemmBlocking blocking;
    if (!hyp_layer_product(at->model, at->layer, &product) ||
        !hyperionResolveGemmBlocking(&product.shape, &settings->cache, &settings->topology,
                                     (int)level, &blocking))
        return false;
    if (product.repeats == 0)
        return true;
    const HypGemmProducts products = {.shape = &product.shape,
                                      .image = image,
                                      .blocking = &blocking,
                                      .different_a = product.repeats / product.of_one_a,
                                      .of_one_a = product.of_one_a,
                                      .lanes = hyp_level_lanes(level)};
    hyp_gemm_add_traffic(at->account, &products);
    return true;
}

// A product of its own kind where it has few rows.
static bool add_gemm(const LayerAccount *at)
{
    HypLayerProduct product;
    if (hyp_layer_product(at->model, at->layer, &product))
        return add_product(at, HYP_OP_GEMM, NULL);
    hyp_stream_gemv(at->account, &product.shape, product.repeats);
    return true;
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

static bool add_conv2d(const LayerAccount *at)
{
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    hyp_window_axes(at->layer, input_shape(at, 0), output_shape(at), &input_shape(at, 1)->dims[2],
                    axes);
    HypLayerProduct product;
    if (!hyp_layer_product(at->model, at->layer, &product)) {
        add_depthwise(at, axes);
        return true;
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
    return add_product(at, HYP_OP_CONV2D, &image);
}

static bool add_conv_transpose(const LayerAccount *at)
{
    const HypShape *in = input_shape(at, 0);
    const HypShape *filter = input_shape(at, 1);
    const HypShape *out = output_shape(at);
    hyp_stream_map(at->account, filter->element_count); // transposed
    if (!add_product(at, HYP_OP_GEMM, NULL))
        return false;
    hyp_stream_spread(at->account, hyp_shape_product(out, 0, 2),
                      hyp_shape_product(filter, 2, filter->rank),
                      hyp_shape_product(in, 2, in->rank), hyp_shape_product(out, 2, out->rank));
    return true;
}

static bool add_activation(const LayerAccount *at)
{
    hyp_stream_map(at->account, output_shape(at)->element_count);
    return true;
}

// Each operand as often as the result has elements.
static bool add_broadcast(const LayerAccount *at)
{
    enum { MOST_OPERANDS = 3 };
    HypStreamOperand operands[MOST_OPERANDS];
    const size_t count = (size_t)at->layer->input_count;
    assert(count <= MOST_OPERANDS);
    for (size_t i = 0; i < count; i++) {
        const HypShape *shape = input_shape(at, (int)i);
        operands[i] = (HypStreamOperand){shape->size_bytes, output_shape(at)->element_count *
                                                                hyperionTypeBytes(shape->type)};
    }
    hyp_stream_combine(at->account, output_shape(at)->size_bytes, operands, count);
    return true;
}

// Rows and columns of an operation over the last axis.
static size_t last_extent(const HypShape *shape)
{
    return (size_t)shape->dims[shape->rank - 1];
}

// Over another than the last axis, blocks of columns are done one after the other.
static bool add_softmax(const LayerAccount *at)
{
    enum { BLOCK_COLUMNS = 256 }; // of kernels/norm/softmax_nest.h
    const HypShape *shape = input_shape(at, 0);
    const int axis = shape->rank - 1 - at->layer->attributes.axis_from_end;
    const size_t inner = hyp_shape_product(shape, axis + 1, shape->rank);
    const size_t block = inner < BLOCK_COLUMNS ? inner : BLOCK_COLUMNS;
    const size_t row = (size_t)shape->dims[axis] * block;
    if (row > 0)
        hyp_stream_softmax(at->account, shape->element_count / row, row);
    return true;
}

static bool add_lrn(const LayerAccount *at)
{
    const HypShape *shape = input_shape(at, 0);
    hyp_stream_lrn(at->account, hyp_shape_product(shape, 0, 2),
                   hyp_shape_product(shape, 2, shape->rank), (size_t)at->layer->attributes.size);
    return true;
}

// Every tensor once.
static bool add_pass(const LayerAccount *at)
{
    size_t in_bytes = 0;
    for (int i = 0; i < at->layer->input_count; i++)
        in_bytes += input_shape(at, i)->size_bytes;
    hyp_stream_move(at->account, in_bytes, output_shape(at)->size_bytes);
    return true;
}

static bool add_layernorm(const LayerAccount *at)
{
    const HypShape *shape = input_shape(at, 0);
    hyp_stream_layernorm(at->account, hyp_shape_product(shape, 0, shape->rank - 1),
                         last_extent(shape), (size_t)at->layer->input_count - 1);
    return true;
}

// Of an image with depth: the first pass, over height and width, then the second.
static bool add_pool(const LayerAccount *at)
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
    return true;
}

static bool add_attention(const LayerAccount *at)
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
    const HyperionSIMDLevel level = at->model->settings.dispatch.best[HYP_OP_ATTENTION]->level;
    hyp_kernel_traffic(HYP_OP_ATTENTION, level, &args, 1, at->account);
    return true;
}

// Tensors of which each element is moved once.
static bool add_movement(const LayerAccount *at)
{
    const size_t out_bytes = output_shape(at)->size_bytes;
    size_t in_bytes = 0;
    for (int i = 0; i < at->layer->input_count; i++)
        in_bytes += input_shape(at, i)->size_bytes;
    hyp_stream_move(at->account, in_bytes < out_bytes ? in_bytes : out_bytes, out_bytes);
    return true;
}

static bool add_nothing(const LayerAccount *at)
{
    (void)at; // a view: no memory is touched
    return true;
}

// By HyperionLayerOp; NULL: no formula in this version.
static bool (*const formulas[HYPERION_LAYER_OP_COUNT])(const LayerAccount *at) = {
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
    [HYPERION_LAYER_RESHAPE] = add_nothing,
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

bool hyp_layer_has_traffic(HyperionLayerOp op)
{
    return formulas[op] != NULL;
}

bool hyp_layer_add_traffic(const HyperionModel *model, const HypLayer *layer, HypAccount *account)
{
    const LayerAccount at = {model, layer, account};
    const bool is_view = model->tensors[layer->outputs[0]].view_of >= 0;
    return is_view ? add_nothing(&at) : formulas[layer->op](&at);
}

size_t hyp_layer_read_bytes(const HyperionModel *model, const HypLayer *layer, int input)
{
    const size_t in_bytes = model->tensors[layer->inputs[input]].shape.size_bytes;
    const size_t out_bytes = model->tensors[layer->outputs[0]].shape.size_bytes;
    const bool takes = layer->op == HYPERION_LAYER_GATHER || layer->op == HYPERION_LAYER_SLICE;
    return takes && out_bytes < in_bytes ? out_bytes : in_bytes;
}
