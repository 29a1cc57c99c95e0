// SPDX-License-Identifier: Apache-2.0
#include "cache/kernel_traffic.h"

#include "cache/cache_check.h"
#include "cache/gemm_streams.h"
#include "cache/stream_ops.h"
#include "conv/conv2d_product.h"

#include <math.h>

static void add_times(HypTraffic *sum, const HypTraffic *traffic, double times)
{
    sum->accesses += times * traffic->accesses;
    for (int level = 0; level < HYPERION_MAX_CACHE_LEVELS; level++) {
        sum->misses[level] += times * traffic->misses[level];
        sum->write_backs[level] += times * traffic->write_backs[level];
        sum->doubt[level] += times * traffic->doubt[level];
    }
}

static void add_product(HypAccount *account, const HyperionGemmShape *shape,
                        const HypImageSource *image, const HyperionGemmBlocking *blocking,
                        size_t repeats)
{
    if (!shape->m || !shape->n || !shape->k || !repeats)
        return;
    const HypTraffic traffic =
        hyp_gemm_traffic(shape, image, blocking, account->caches, account->level_count);
    add_times(&account->traffic, &traffic, (double)repeats);
    account->traffic.prefetches += repeats * hyp_cache_gemm_prefetches(shape, blocking);
}

static HyperionGemmShape shape_of(const HypGemmArgs *args)
{
    return (HyperionGemmShape){
        .m = args->m, .n = args->n, .k = args->k, .b_transposed = args->b_transposed};
}

static void add_gemm(HypAccount *account, const HypGemmArgs *args, size_t repeats)
{
    const HyperionGemmShape shape = shape_of(args);
    add_product(account, &shape, NULL, &args->blocking, repeats);
}

static void add_conv2d(HypAccount *account, const HypConv2dArgs *args, size_t repeats)
{
    const HypGemmArgs product = conv2d_product(args);
    const HyperionGemmShape shape = shape_of(&product);
    HypImageSource image = {.width = args->width,
                            .out_width = args->out_width,
                            .kernel_h = args->kernel_h,
                            .kernel_w = args->kernel_w,
                            .stride_w = args->stride_w};
    const double reached_rows = (double)args->out_height * (double)args->kernel_h;
    const double rows = fmin(reached_rows, (double)args->height);
    image.lines = (double)(args->channels / args->groups) * rows * (double)args->width /
                  account->caches[0].line_floats;
    add_product(account, &shape, &image, &args->blocking, repeats * conv2d_product_count(args));
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

void hyp_kernel_traffic(HypKernelOp op, const HypKernelArgs *args, size_t repeats,
                        HypAccount *account)
{
    if (op == HYP_OP_GEMM) {
        add_gemm(account, &args->gemm, repeats);
    } else if (op == HYP_OP_CONV2D) {
        add_conv2d(account, &args->conv2d, repeats);
    } else if (op == HYP_OP_GEMV) {
        const HyperionGemmShape shape = shape_of(&args->gemv);
        hyp_stream_gemv(account, &shape, repeats);
    } else {
        for (size_t i = 0; i < repeats; i++)
            add_stream(account, op, args);
    }
}
