// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "elementwise/scale_shift_nest.h"
#include "kernel_table.h"

void hyp_scale_shift_f32_scalar_unroll1(const HypScaleShiftArgs *args)
{
    scale_shift_nest(args);
}
