// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "elementwise/binary_nest.h"
#include "kernel_table.h"

void hyp_binary_f32_avx512_unroll1(const HypBinaryArgs *args)
{
    binary_nest(args);
}
