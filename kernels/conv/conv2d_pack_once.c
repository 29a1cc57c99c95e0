// SPDX-License-Identifier: Apache-2.0
// conv2d_pack_once.c - filters packed before the convolution, one group after another.
#include "conv/conv2d_product.h"
#include "kernel_table.h"

size_t hyp_conv2d_packed_filter_bytes(const HypConv2dArgs *args)
{
    const HypGemmArgs product = conv2d_product(args);
    return args->groups * conv2d_packed_group_floats(&product) * sizeof(float);
}

void hyp_conv2d_pack_filter(const HypConv2dArgs *args, float *packed)
{
    HypGemmArgs product = conv2d_product(args);
    for (size_t group = 0; group < args->groups; group++) {
        product.a = args->filter + group * product.m * product.k;
        hyp_gemm_pack_a(&product, packed + group * conv2d_packed_group_floats(&product));
    }
}
