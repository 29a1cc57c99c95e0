// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/gemm_tile_scalar.h"

#include "conv/conv2d_compute.h"
#include "kernel_table.h"

void hyp_conv2d_f32_scalar_6x2(const HypConv2dArgs *args)
{
    conv2d_compute(args);
}
