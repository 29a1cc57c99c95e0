// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "kernel_table.h"
#include "pool/max_pool2d_nest.h"

void hyp_max_pool2d_f32_scalar_rows(const HypMaxPool2dArgs *args)
{
    max_pool2d_nest(args);
}
