// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/gemm_tile_sse41.h"

#include "conv/conv2d_compute.h"
#include "kernel_table.h"

void hyp_conv2d_f32_sse41_4x8(const HypConv2dArgs *args)
{
    conv2d_compute(args);
}
