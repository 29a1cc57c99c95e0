// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "conv/depthwise2d_nest.h"
#include "kernel_table.h"

void hyp_depthwise2d_f32_avx512_bands(const HypConv2dArgs *args)
{
    depthwise2d_nest(args);
}
