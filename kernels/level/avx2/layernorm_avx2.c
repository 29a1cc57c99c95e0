// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/vec_avx2.h"

#include "kernel_table.h"
#include "norm/layernorm_nest.h"

void hyp_layernorm_f32_avx2_2pass(const HypLayernormArgs *args)
{
    layernorm_nest(args);
}
