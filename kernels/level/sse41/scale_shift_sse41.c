// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "elementwise/scale_shift_nest.h"
#include "kernel_table.h"

void hyp_scale_shift_f32_sse41_unroll1(const HypScaleShiftArgs *args)
{
    scale_shift_nest(args);
}
