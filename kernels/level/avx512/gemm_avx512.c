// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/gemm_tile_avx512.h"

#include "gemm/gemm_compute.h"
#include "kernel_table.h"

void hyp_gemm_f32_avx512_14x32(const HypGemmArgs *args)
{
    gemm_compute(args);
}
