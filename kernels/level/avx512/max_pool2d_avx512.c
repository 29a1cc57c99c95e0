// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "kernel_table.h"
#include "pool/max_pool2d_nest.h"

void hyp_max_pool2d_f32_avx512_rows(const HypMaxPool2dArgs *args)
{
    max_pool2d_nest(args);
}
