// SPDX-License-Identifier: Apache-2.0
// conv2d_compute.h - the convolution of one level: the nest and steps of the matrix product over
// the columns of an image. Included after level/<level>/gemm_tile_<level>.h.
#ifndef HYP_CONV2D_COMPUTE_H
#define HYP_CONV2D_COMPUTE_H

#include "conv/conv2d_columns.h"
#include "conv/conv2d_product.h"
#include "gemm/gemm_compute_steps.h"

#include "gemm/gemm_nest.h" // after the steps it calls

#include <assert.h>

// A window of one pixel that visits every pixel need not know of lines: the image is one long one.
static HypConv2dArgs join_lines(const HypConv2dArgs *args)
{
    HypConv2dArgs joined = *args;
    if (args->kernel_h == 1 && args->kernel_w == 1 && args->stride_h == 1 && args->stride_w == 1 &&
        args->pad_top == 0 && args->pad_left == 0 && args->out_width == args->width &&
        args->out_height <= args->height) {
        joined.width = args->height * args->width;
        joined.height = 1;
        joined.out_width = args->out_height * args->out_width;
        joined.out_height = 1;
    }
    return joined;
}

// What threads work on together.
typedef struct ConvProducts {
    const HypConv2dArgs *args;
    const HypGemmArgs *product; // of each image and group
    GemmBlocks blocks;
    size_t threads;
} ConvProducts;

static void conv2d_multiply(const ConvProducts *all, size_t index, size_t thread)
{
    const HypConv2dArgs *args = all->args;
    float *workspace =
        (float *)args->workspace + thread * (all->blocks.packed_bytes / sizeof(float));
    const size_t group = index % args->groups;
    const size_t group_channels = args->channels / args->groups;
    HypGemmArgs product = *all->product;
    const ConvImage image = {.args = args,
                             .channels =
                                 args->image + index * group_channels * args->height * args->width};
    if (!args->packed_filter)
        product.a = args->filter + group * product.m * product.k;
    else
        product.packed_a = args->packed_filter + group * conv2d_packed_group_floats(&product);
    product.c = args->out + index * product.m * product.n;
    product.epilogue.row_bias = args->bias ? args->bias + group * product.m : NULL;
    GemmContext context = gemm_context(&product, &all->blocks, workspace);
    context.image = &image;
    gemm_nest(&product, &all->blocks, &context);
}

static void conv2d_part(void *shared, size_t thread)
{
    const ConvProducts *all = shared;
    const HypRange part =
        hyp_parallel_part(conv2d_product_count(all->args), 1, all->threads, thread);
    for (size_t i = part.first; i < part.end; i++)
        conv2d_multiply(all, i, thread);
}

static void conv2d_compute(const HypConv2dArgs *args)
{
    assert(args->blocking.mr == GEMM_MR && args->blocking.nr == GEMM_NR);
    const HypConv2dArgs joined = join_lines(args);
    const HypGemmArgs product = conv2d_product(&joined);
    ConvProducts all = {.args = &joined,
                        .product = &product,
                        .blocks = gemm_blocks(&product),
                        .threads = conv2d_product_threads(&joined, &product)};
    hyp_parallel_run(args->parallel, all.threads, conv2d_part, &all);
}

#endif
