// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "kernel_table.h"
#include "norm/softmax_nest.h"

void hyp_softmax_f32_avx512_3pass(const HypSoftmaxArgs *args)
{
    softmax_nest(args);
}
