// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/vec_avx2.h"

#include "activation/activation_nest.h"
#include "kernel_table.h"

void hyp_activation_f32_avx2_unroll4(const HypActivationArgs *args)
{
    activation_nest(args);
}
