// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "elementwise/add_nest.h"
#include "kernel_table.h"

void hyp_add_f32_sse41_unroll1(const HypAddArgs *args)
{
    add_nest(args);
}
