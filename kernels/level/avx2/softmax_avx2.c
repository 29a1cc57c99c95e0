// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/vec_avx2.h"

#include "kernel_table.h"
#include "norm/softmax_nest.h"

void hyp_softmax_f32_avx2_3pass(const HypSoftmaxArgs *args)
{
    softmax_nest(args);
}
