// SPDX-License-Identifier: Apache-2.0
#include "cache/kernel_traffic.h"

#include "cache/attention_traffic.h"
#include "cache/gemm_streams.h"
#include "cache/stream_ops.h"
#include "conv/conv2d_product.h"

size_t hyp_level_lanes(HyperionSIMDLevel level)
{
    static const size_t lanes[HYPERION_SIMD_LEVEL_COUNT] = {1, 4, 8, 16};
    return lanes[level];
}

static HyperionGemmShape shape_of(const HypGemmArgs *args)
{
    return (HyperionGemmShape){
        .m = args->m, .n = args->n, .k = args->k, .b_transposed = args->b_transposed};
}

static void add_gemm(HypAccount *account, HyperionSIMDLevel level, const HypGemmArgs *args,
                     size_t repeats)
{
    const HyperionGemmShape shape = shape_of(args);
    const HypGemmOperands operands = {
        .a = (uintptr_t)(args->packed_a ? args->packed_a : args->a),
        .b = (uintptr_t)(args->packed_b ? args->packed_b : args->b),
        .c = (uintptr_t)args->c,
        .workspace = (uintptr_t)args->workspace,
    };
    const HypGemmProducts products = {.shape = &shape,
                                      .blocking = &args->blocking,
                                      .operands = args->c ? &operands : NULL,
                                      .different_a = repeats,
                                      .of_one_a = 1,
                                      .packed_a = args->packed_a != NULL,
                                      .packed_b = args->packed_b != NULL,
                                      .lanes = hyp_level_lanes(level)};
    hyp_gemm_add_traffic(account, &products);
}

static void add_conv2d(HypAccount *account, HyperionSIMDLevel level, const HypConv2dArgs *args,
                       size_t repeats)
{
    const HypGemmArgs product = conv2d_product(args);
    const HyperionGemmShape shape = shape_of(&product);
    const HypImageSource image = {.channels = args->channels / args->groups,
                                  .height = args->height,
                                  .width = args->width,
                                  .out_height = args->out_height,
                                  .out_width = args->out_width,
                                  .kernel_h = args->kernel_h,
                                  .kernel_w = args->kernel_w,
                                  .stride_h = args->stride_h,
                                  .stride_w = args->stride_w,
                                  .dilation_h = args->dilation_h,
                                  .dilation_w = args->dilation_w,
                                  .pad_top = args->pad_top,
                                  .pad_left = args->pad_left};
    const HypGemmOperands operands = {
        .a = (uintptr_t)(args->packed_filter ? args->packed_filter : args->filter),
        .b = (uintptr_t)args->image,
        .c = (uintptr_t)args->out,
        .workspace = (uintptr_t)args->workspace,
    };
    const HypGemmProducts products = {.shape = &shape,
                                      .image = &image,
                                      .blocking = &args->blocking,
                                      .operands = args->out ? &operands : NULL,
                                      .different_a = repeats * args->groups,
                                      .of_one_a = args->batch,
                                      .packed_a = args->packed_filter != NULL,
                                      .lanes = hyp_level_lanes(level)};
    hyp_gemm_add_traffic(account, &products);
}

static void add_pool(HypAccount *account, const HypPool2dArgs *args)
{
    const HypPoolExtents pool = {.planes = args->batch * args->channels,
                                 .height = args->height,
                                 .width = args->width,
                                 .out_height = args->out_height,
                                 .out_width = args->out_width,
                                 .kernel_h = args->kernel_h};
    hyp_stream_pool(account, &pool);
}

static void add_binary(HypAccount *account, const HypBinaryArgs *args)
{
    const size_t bytes = args->outer * args->middle * args->inner * sizeof(float);
    const HypStreamOperand operands[] = {{bytes, bytes}, {args->middle * sizeof(float), bytes}};
    hyp_stream_combine(account, bytes, operands, 2);
}

static void add_scale_shift(HypAccount *account, const HypScaleShiftArgs *args)
{
    const size_t bytes = args->batch * args->channels * args->inner * sizeof(float);
    hyp_stream_move(account, bytes + 2 * args->channels * sizeof(float), bytes);
}

static void add_reduce(HypAccount *account, const HypReduceArgs *args)
{
    hyp_stream_move(account, args->outer * args->middle * args->inner * sizeof(float),
                    args->outer * args->inner * sizeof(float));
}

static void add_softmax(HypAccount *account, const HypSoftmaxArgs *args)
{
    // Neighbouring columns are done together, so many at a time: kernels/norm/softmax_nest.h.
    enum { BLOCK_COLUMNS = 256 };
    const size_t block = args->inner < BLOCK_COLUMNS ? args->inner : BLOCK_COLUMNS;
    const size_t row = args->columns * block;
    if (row > 0)
        hyp_stream_softmax(account, args->rows * args->columns * args->inner / row, row);
}

// Of calls that stream, `repeats` in a row.
static void add_stream(HypAccount *account, HypKernelOp op, const HypKernelArgs *args)
{
    switch (op) {
    case HYP_OP_ACTIVATION: hyp_stream_map(account, args->activation.count); break;
    case HYP_OP_MAX_POOL2D: add_pool(account, &args->max_pool2d); break;
    case HYP_OP_AVERAGE_POOL2D: add_pool(account, &args->average_pool2d); break;
    case HYP_OP_BINARY: add_binary(account, &args->binary); break;
    case HYP_OP_SOFTMAX: add_softmax(account, &args->softmax); break;
    case HYP_OP_LAYERNORM:
        hyp_stream_layernorm(account, args->layernorm.rows, args->layernorm.columns,
                             args->layernorm.bias ? 2 : 1);
        break;
    case HYP_OP_DEPTHWISE2D: hyp_stream_depthwise(account, &args->depthwise2d); break;
    case HYP_OP_REDUCE: add_reduce(account, &args->reduce); break;
    case HYP_OP_SCALE_SHIFT: add_scale_shift(account, &args->scale_shift); break;
    default: break;
    }
}

void hyp_kernel_traffic(HypKernelOp op, HyperionSIMDLevel level, const HypKernelArgs *args,
                        size_t repeats, HypAccount *account)
{
    if (op == HYP_OP_GEMM) {
        add_gemm(account, level, &args->gemm, repeats);
    } else if (op == HYP_OP_CONV2D) {
        add_conv2d(account, level, &args->conv2d, repeats);
    } else if (op == HYP_OP_GEMV) {
        const HyperionGemmShape shape = shape_of(&args->gemv);
        hyp_stream_gemv(account, &shape, repeats);
    } else if (op == HYP_OP_ATTENTION) {
        hyp_attention_traffic(&args->attention, level, account);
    } else {
        for (size_t i = 0; i < repeats; i++)
            add_stream(account, op, args);
    }
}
