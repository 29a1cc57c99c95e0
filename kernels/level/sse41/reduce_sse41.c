// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "kernel_table.h"
#include "reduce/reduce_nest.h"

void hyp_reduce_f32_sse41_unroll4(const HypReduceArgs *args)
{
    reduce_nest(args);
}
