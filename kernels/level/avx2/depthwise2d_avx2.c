// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/vec_avx2.h"

#include "conv/depthwise2d_nest.h"
#include "kernel_table.h"

void hyp_depthwise2d_f32_avx2_bands(const HypConv2dArgs *args)
{
    depthwise2d_nest(args);
}
