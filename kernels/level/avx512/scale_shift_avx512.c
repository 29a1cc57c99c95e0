// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "elementwise/scale_shift_nest.h"
#include "kernel_table.h"

void hyp_scale_shift_f32_avx512_unroll1(const HypScaleShiftArgs *args)
{
    scale_shift_nest(args);
}
