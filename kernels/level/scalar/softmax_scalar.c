// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "kernel_table.h"
#include "norm/softmax_nest.h"

void hyp_softmax_f32_scalar_3pass(const HypSoftmaxArgs *args)
{
    softmax_nest(args);
}
