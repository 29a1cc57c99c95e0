// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "kernel_table.h"
#include "norm/layernorm_nest.h"

void hyp_layernorm_f32_sse41_2pass(const HypLayernormArgs *args)
{
    layernorm_nest(args);
}
