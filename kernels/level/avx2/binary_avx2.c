// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/vec_avx2.h"

#include "elementwise/binary_nest.h"
#include "kernel_table.h"

void hyp_binary_f32_avx2_unroll1(const HypBinaryArgs *args)
{
    binary_nest(args);
}
