// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "elementwise/add_nest.h"
#include "kernel_table.h"

void hyp_add_f32_scalar_unroll1(const HypAddArgs *args)
{
    add_nest(args);
}
