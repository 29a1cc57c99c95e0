// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/gemm_tile_sse41.h"

#include "gemm/gemm_compute.h"
#include "kernel_table.h"

void hyp_gemm_f32_sse41_4x8(const HypGemmArgs *args)
{
    gemm_compute(args);
}
