// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/gemm_tile_scalar.h"

#include "gemm/gemm_compute.h"
#include "kernel_table.h"

void hyp_gemm_f32_scalar_6x2(const HypGemmArgs *args)
{
    gemm_compute(args);
}
