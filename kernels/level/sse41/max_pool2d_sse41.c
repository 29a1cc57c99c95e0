// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "kernel_table.h"
#include "pool/max_pool2d_nest.h"

void hyp_max_pool2d_f32_sse41_rows(const HypMaxPool2dArgs *args)
{
    max_pool2d_nest(args);
}
