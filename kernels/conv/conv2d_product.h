// SPDX-License-Identifier: Apache-2.0
// conv2d_product.h - a convolution as products: for each image and group, the filters [out channels
// x taps] times the columns [taps x out pixels], a tap being a channel and a place in the window.
#ifndef HYP_CONV2D_PRODUCT_H
#define HYP_CONV2D_PRODUCT_H

#include "gemm/gemm_blocks.h"

// Multiplications that are worth the two hand-offs of a product to its threads, for each of them:
// about 5 us.
#define CONV2D_SHARED_WORK 0x1p18

static inline size_t conv2d_product_count(const HypConv2dArgs *args)
{
    return args->batch * args->groups;
}

// Threads that work on products of their own, each with a workspace of its own; 1: all work on one
// product after the other.
static inline size_t conv2d_product_threads(const HypConv2dArgs *args, const HypGemmArgs *product)
{
    const size_t count = conv2d_product_count(args);
    const double one = (double)product->m * (double)product->n * (double)product->k;
    const size_t threads = hyp_parallel_threads(args->parallel, 2 * one * (double)count);
    return count < threads || one > CONV2D_SHARED_WORK * (double)threads ? 1 : threads;
}

// Sizes and settings of each of the products; those of their pointers that differ are left NULL.
static inline HypGemmArgs conv2d_product(const HypConv2dArgs *args)
{
    const size_t pixels = args->out_height * args->out_width;
    const size_t taps = args->channels / args->groups * args->kernel_h * args->kernel_w;
    HypGemmArgs product = {.m = args->out_channels / args->groups,
                           .n = pixels,
                           .k = taps,
                           .lda = taps,
                           .packed_a = args->packed_filter,
                           .ldb = pixels,
                           .ldc = pixels,
                           .epilogue.activation = args->activation,
                           .epilogue.alpha = args->alpha,
                           .epilogue.beta = args->beta,
                           .blocking = args->blocking};
    if (conv2d_product_threads(args, &product) == 1)
        product.parallel = args->parallel;
    return product;
}

// Of the filters of one group, packed once.
static inline size_t conv2d_packed_group_floats(const HypGemmArgs *product)
{
    return gemm_round_up(product->m, product->blocking.mr) * product->k;
}

#endif
