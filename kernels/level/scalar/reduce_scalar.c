// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "kernel_table.h"
#include "reduce/reduce_nest.h"

void hyp_reduce_f32_scalar_unroll4(const HypReduceArgs *args)
{
    reduce_nest(args);
}
