// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/vec_avx512.h"

#include "gemm/gemv_nest.h"
#include "kernel_table.h"

void hyp_gemv_f32_avx512_streams(const HypGemmArgs *args)
{
    gemv_nest(args);
}
