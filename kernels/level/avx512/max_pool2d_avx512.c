// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "kernel_table.h"
#include "pool/pool2d_nest.h"

static void max_pool2d_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    pool_rows(call->args, pool_part(call, thread), false);
}

void hyp_max_pool2d_f32_avx512_rows(const HypPool2dArgs *args)
{
    pool2d_nest(args, max_pool2d_part);
}
