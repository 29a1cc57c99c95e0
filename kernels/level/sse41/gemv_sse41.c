// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/vec_sse41.h"

#include "gemm/gemv_nest.h"
#include "kernel_table.h"

void hyp_gemv_f32_sse41_streams(const HypGemmArgs *args)
{
    gemv_nest(args);
}
