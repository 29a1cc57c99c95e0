// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "activation/activation_nest.h"
#include "kernel_table.h"

void hyp_activation_f32_scalar_unroll4(const HypActivationArgs *args)
{
    activation_nest(args);
}
