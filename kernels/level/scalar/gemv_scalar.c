// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/vec_scalar.h"

#include "gemm/gemv_nest.h"
#include "kernel_table.h"

void hyp_gemv_f32_scalar_streams(const HypGemmArgs *args)
{
    gemv_nest(args);
}
