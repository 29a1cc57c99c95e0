// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "conv/depthwise2d_nest.h"
#include "kernel_table.h"

void hyp_depthwise2d_f32_sse41_bands(const HypConv2dArgs *args)
{
    depthwise2d_nest(args);
}
