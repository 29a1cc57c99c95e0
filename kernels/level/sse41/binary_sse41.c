// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "elementwise/binary_nest.h"
#include "kernel_table.h"

void hyp_binary_f32_sse41_unroll1(const HypBinaryArgs *args)
{
    binary_nest(args);
}
