// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "activation/activation_nest.h"
#include "kernel_table.h"

void hyp_activation_f32_avx512_unroll4(const HypActivationArgs *args)
{
    activation_nest(args);
}
