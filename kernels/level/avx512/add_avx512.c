// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "elementwise/add_nest.h"
#include "kernel_table.h"

void hyp_add_f32_avx512_unroll1(const HypAddArgs *args)
{
    add_nest(args);
}
