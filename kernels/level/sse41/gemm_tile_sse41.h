// SPDX-License-Identifier: Apache-2.0
// gemm_tile_sse41.h - register tile and transposition at level SSE4.1.
#ifndef HYP_GEMM_TILE_SSE41_H
#define HYP_GEMM_TILE_SSE41_H

#include "level/sse41/vec_sse41.h"

// 8 sums, two vectors of B, one of A and a product: 12 of 16 registers. 12 sums need all 16 and are
// faster with one compiler, slower with the other.
#define GEMM_MR 4
#define GEMM_NV 2

VEC_FN void vec_transpose(vec rows[VEC_LANES])
{
    _MM_TRANSPOSE4_PS(rows[0], rows[1], rows[2], rows[3]);
}

#endif
