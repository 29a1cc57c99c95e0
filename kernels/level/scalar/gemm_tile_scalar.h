// SPDX-License-Identifier: Apache-2.0
// gemm_tile_scalar.h - register tile and transposition at level scalar.
#ifndef HYP_GEMM_TILE_SCALAR_H
#define HYP_GEMM_TILE_SCALAR_H

#include "level/scalar/vec_scalar.h"

#define GEMM_MR 4
#define GEMM_NV 4

VEC_FN void vec_transpose(vec rows[VEC_LANES])
{
    (void)rows;
}

#endif
