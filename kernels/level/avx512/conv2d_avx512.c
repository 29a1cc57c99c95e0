// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/gemm_tile_avx512.h"

#include "conv/conv2d_compute.h"
#include "kernel_table.h"

void hyp_conv2d_f32_avx512_14x32(const HypConv2dArgs *args)
{
    conv2d_compute(args);
}
