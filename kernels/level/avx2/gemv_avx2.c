// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/vec_avx2.h"

#include "gemm/gemv_nest.h"
#include "kernel_table.h"

void hyp_gemv_f32_avx2_streams(const HypGemmArgs *args)
{
    gemv_nest(args);
}
