// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "kernel_table.h"
#include "norm/layernorm_nest.h"

void hyp_layernorm_f32_scalar_2pass(const HypLayernormArgs *args)
{
    layernorm_nest(args);
}
