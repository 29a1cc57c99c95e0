// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "kernel_table.h"
#include "norm/softmax_nest.h"

void hyp_softmax_f32_sse41_3pass(const HypSoftmaxArgs *args)
{
    softmax_nest(args);
}
