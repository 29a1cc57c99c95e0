// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "activation/activation_nest.h"
#include "kernel_table.h"

void hyp_activation_f32_sse41_unroll4(const HypActivationArgs *args)
{
    activation_nest(args);
}
