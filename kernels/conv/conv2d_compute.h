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

static void conv2d_compute(const HypConv2dArgs *args)
{
    assert(args->blocking.mr == GEMM_MR && args->blocking.nr == GEMM_NR);
    const HypConv2dArgs joined = join_lines(args);
    HypGemmArgs product = conv2d_product(&joined);
    char *workspace = args->workspace;
    ConvImage image = {.args = &joined, .channels = args->image};
    const GemmContext context = {.args = &product,
                                 .packed_a = (float *)(void *)workspace,
                                 .packed_b =
                                     (float *)(void *)(workspace + gemm_blocks(&product).packed_b),
                                 .image = &image};

    product.c = args->out;
    for (size_t i = 0; i < args->batch; i++) {
        for (size_t group = 0; group < args->groups; group++) {
            product.a = args->filter + group * product.m * product.k;
            product.epilogue.row_bias = args->bias ? args->bias + group * product.m : NULL;
            gemm_nest(&product, &context);
            product.c += product.m * product.n;
            image.channels += args->channels / args->groups * args->height * args->width;
        }
    }
}

#endif
