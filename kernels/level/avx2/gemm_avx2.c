// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/gemm_tile_avx2.h"

#include "gemm/gemm_compute.h"
#include "kernel_table.h"

void hyp_gemm_f32_avx2_6x16(const HypGemmArgs *args)
{
    gemm_compute(args);
}
