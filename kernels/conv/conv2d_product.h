// SPDX-License-Identifier: Apache-2.0
// conv2d_product.h - a convolution as products: for each image and group, the filters [out channels
// x taps] times the columns [taps x out pixels], a tap being a channel and a place in the window.
#ifndef HYP_CONV2D_PRODUCT_H
#define HYP_CONV2D_PRODUCT_H

#include "kernel.h"

// Sizes and settings of each of the products; those of their pointers that differ are left NULL.
static inline HypGemmArgs conv2d_product(const HypConv2dArgs *args)
{
    const size_t pixels = args->out_height * args->out_width;
    const size_t taps = args->channels / args->groups * args->kernel_h * args->kernel_w;
    return (HypGemmArgs){.m = args->out_channels / args->groups,
                         .n = pixels,
                         .k = taps,
                         .lda = taps,
                         .ldb = pixels,
                         .ldc = pixels,
                         .epilogue.activation = args->activation,
                         .blocking = args->blocking,
                         .workspace = args->workspace};
}

#endif
