// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "elementwise/binary_nest.h"
#include "kernel_table.h"

void hyp_binary_f32_scalar_unroll1(const HypBinaryArgs *args)
{
    binary_nest(args);
}
