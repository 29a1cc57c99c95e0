// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "common/fail.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const HypLayerOp *const layer_ops[HYPERION_LAYER_OP_COUNT] = {
    [HYPERION_LAYER_GEMM] = &hyp_layer_op_gemm,
    [HYPERION_LAYER_CONV2D] = &hyp_layer_op_conv2d,
    [HYPERION_LAYER_ACTIVATION] = &hyp_layer_op_activation,
    [HYPERION_LAYER_MAX_POOL] = &hyp_layer_op_max_pool,
    [HYPERION_LAYER_BINARY] = &hyp_layer_op_binary,
    [HYPERION_LAYER_SOFTMAX] = &hyp_layer_op_softmax,
    [HYPERION_LAYER_LAYERNORM] = &hyp_layer_op_layernorm,
    [HYPERION_LAYER_ATTENTION] = &hyp_layer_op_attention,
    [HYPERION_LAYER_RESHAPE] = &hyp_layer_op_reshape,
    [HYPERION_LAYER_TRANSPOSE] = &hyp_layer_op_transpose,
    [HYPERION_LAYER_CONCAT] = &hyp_layer_op_concat,
    [HYPERION_LAYER_SLICE] = &hyp_layer_op_slice,
    [HYPERION_LAYER_PAD] = &hyp_layer_op_pad,
    [HYPERION_LAYER_GATHER] = &hyp_layer_op_gather,
    [HYPERION_LAYER_EXPAND] = &hyp_layer_op_expand,
    [HYPERION_LAYER_AVERAGE_POOL] = &hyp_layer_op_average_pool,
    [HYPERION_LAYER_MAX_POOL_INDICES] = &hyp_layer_op_max_pool_indices,
    [HYPERION_LAYER_CONV_TRANSPOSE] = &hyp_layer_op_conv_transpose,
    [HYPERION_LAYER_MATMUL] = &hyp_layer_op_matmul,
    [HYPERION_LAYER_RESIZE] = &hyp_layer_op_resize,
    [HYPERION_LAYER_ROPE] = &hyp_layer_op_rope,
    [HYPERION_LAYER_WHERE] = &hyp_layer_op_where,
    [HYPERION_LAYER_CAST] = &hyp_layer_op_cast,
    [HYPERION_LAYER_REDUCE] = &hyp_layer_op_reduce,
    [HYPERION_LAYER_SCALE_SHIFT] = &hyp_layer_op_scale_shift,
    [HYPERION_LAYER_LRN] = &hyp_layer_op_lrn,
};

const HypLayerOp *hyp_layer_op(HyperionLayerOp op)
{
    return (unsigned)op < HYPERION_LAYER_OP_COUNT ? layer_ops[op] : NULL;
}

const char *hyperionLayerOpName(HyperionLayerOp op)
{
    const HypLayerOp *functions = hyp_layer_op(op);
    return functions ? functions->name : "";
}

bool hyp_layer_product(const HyperionModel *model, const HypLayer *layer, HypLayerProduct *product)
{
    const HypLayerOp *functions = hyp_layer_op(layer->op);
    return functions->product && functions->product(model, layer, product);
}

bool hyp_layer_blocking(const HyperionModel *model, const HypLayer *layer,
                        HyperionGemmBlocking *blocking)
{
    HypLayerProduct product;
    if (!hyp_layer_product(model, layer, &product))
        return true;
    const HypModelSettings *settings = &model->settings;
    const HypKernelVariant *kernel =
        settings->dispatch.best[hyp_layer_op(layer->op)->product_kernel];
    const bool resolved = hyperionResolveGemmBlocking(
        &product.shape, &settings->cache, &settings->topology, (int)kernel->level, blocking);
    // It is for the gemm kernel's tile: a convolution of the same level has the same.
    assert(!resolved || (blocking->mr == kernel->mr && blocking->nr == kernel->nr));
    return resolved;
}

size_t hyp_layer_workspace_bytes(const HypLayerRun *run)
{
    const HypLayerOp *op = hyp_layer_op(run->layer->op);
    return op->workspace_bytes ? op->workspace_bytes(run) : 0;
}

bool hyp_layer_fail(const HypLayer *layer, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return hyp_fail(HYPERION_ERROR_ARGUMENT, "layer '%s' (%s): %s", layer->name,
                    hyperionLayerOpName(layer->op), reason);
}

bool hyp_layer_expect_rank(const HyperionModel *model, const HypLayer *layer, int index, int rank)
{
    const HypGraphTensor *input = &model->tensors[layer->inputs[index]];
    char text[HYP_SHAPE_TEXT_BYTES];
    return input->shape.rank == rank ||
           hyp_layer_fail(layer, "input '%s' is %s, expected %d dimensions", input->name,
                          hyp_shape_text(&input->shape, text), rank);
}

bool hyp_layer_expect_vector(const HyperionModel *model, const HypLayer *layer, int index,
                             int64_t length)
{
    const HypGraphTensor *input = &model->tensors[layer->inputs[index]];
    char text[HYP_SHAPE_TEXT_BYTES];
    return (input->shape.rank == 1 && input->shape.dims[0] == length) ||
           hyp_layer_fail(layer, "input '%s' is %s, expected %" PRId64 " f32", input->name,
                          hyp_shape_text(&input->shape, text), length);
}

int hyp_layer_axis(const HypLayer *layer, int64_t axis, int rank)
{
    if (axis >= -rank && axis < rank)
        return (int)(axis < 0 ? axis + rank : axis);
    (void)hyp_layer_fail(layer, "axis %" PRId64 " of %d", axis, rank);
    return -1;
}

bool hyp_layer_expect_dims(const HypLayer *layer, int rank)
{
    const int given = layer->attributes.rank;
    return given == rank || hyp_layer_fail(layer, "rank %d, expected %d", given, rank);
}

bool hyp_layer_result(const HypLayer *layer, HypShape *result, int rank, const int64_t *dims)
{
    return hyp_shape_create(result, layer->name, HYPERION_TYPE_F32, rank, dims);
}
