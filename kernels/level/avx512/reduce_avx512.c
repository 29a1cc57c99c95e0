// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "kernel_table.h"
#include "reduce/reduce_nest.h"

void hyp_reduce_f32_avx512_unroll4(const HypReduceArgs *args)
{
    reduce_nest(args);
}
