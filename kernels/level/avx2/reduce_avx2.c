// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/vec_avx2.h"

#include "kernel_table.h"
#include "reduce/reduce_nest.h"

void hyp_reduce_f32_avx2_unroll4(const HypReduceArgs *args)
{
    reduce_nest(args);
}
