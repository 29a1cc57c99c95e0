// SPDX-License-Identifier: Apache-2.0
// gemm_tile_avx2.h - register tile and transposition at level AVX2 + FMA.
#ifndef HYP_GEMM_TILE_AVX2_H
#define HYP_GEMM_TILE_AVX2_H

#include "level/avx2/vec_avx2.h"

// 12 sums, two vectors of B and one of A: 15 of 16 registers.
#define GEMM_MR 6
#define GEMM_NV 2

// Transposes the 4 x 4 blocks inside the 128-bit lanes, then exchanges lanes.
VEC_FN void vec_transpose(vec rows[VEC_LANES])
{
    vec quads[VEC_LANES]; // [4 i + j]: column j of the blocks of rows 4 i .. 4 i + 3
#pragma GCC unroll 2
    for (size_t i = 0; i < VEC_LANES; i += 4) {
        const vec low01 = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
        const vec high01 = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
        const vec low23 = _mm256_unpacklo_ps(rows[i + 2], rows[i + 3]);
        const vec high23 = _mm256_unpackhi_ps(rows[i + 2], rows[i + 3]);
        quads[i] = _mm256_shuffle_ps(low01, low23, 0x44);
        quads[i + 1] = _mm256_shuffle_ps(low01, low23, 0xee);
        quads[i + 2] = _mm256_shuffle_ps(high01, high23, 0x44);
        quads[i + 3] = _mm256_shuffle_ps(high01, high23, 0xee);
    }
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; j++) {
        rows[j] = _mm256_permute2f128_ps(quads[j], quads[j + 4], 0x20);
        rows[j + 4] = _mm256_permute2f128_ps(quads[j], quads[j + 4], 0x31);
    }
}

#endif
