// SPDX-License-Identifier: Apache-2.0
// gemm_tile_scalar.h - register tile and transposition at level scalar.
#ifndef HYP_GEMM_TILE_SCALAR_H
#define HYP_GEMM_TILE_SCALAR_H

#include "level/scalar/vec_scalar.h"

// 12 sums, two values of B, one of A and a product: 16 registers, and sums enough for the latency
// of two adders. 4 x 4 keeps sums in memory and is 15 % slower.
#define GEMM_MR 6
#define GEMM_NV 2

// One row of one lane. NOLINTNEXTLINE(readability-non-const-parameter): as at every level
VEC_FN void vec_transpose(vec rows[VEC_LANES])
{
    (void)rows;
}

#endif
