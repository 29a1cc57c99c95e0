// SPDX-License-Identifier: Apache-2.0
// gemm_tile_avx512.h - register tile and transposition at level AVX-512.
#ifndef HYP_GEMM_TILE_AVX512_H
#define HYP_GEMM_TILE_AVX512_H

#include "level/avx512/vec_avx512.h"

// 28 sums, two vectors of B and one of A: 31 of 32 registers, and 16 loads for 28 products, so that
// neither the two FMA ports nor their latency (4 cycles: 8 sums would do) waits for a load.
#define GEMM_MR 14
#define GEMM_NV 2

VEC_FN vec unpack_pairs_low(vec a, vec b)
{
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}
VEC_FN vec unpack_pairs_high(vec a, vec b)
{
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}

// Transposes the 4 x 4 blocks inside the 128-bit lanes, then the 4 x 4 lanes.
VEC_FN void vec_transpose(vec rows[VEC_LANES])
{
    vec quads[VEC_LANES]; // [4 i + j]: column j of the blocks of rows 4 i .. 4 i + 3
#pragma GCC unroll 4
    for (size_t i = 0; i < VEC_LANES; i += 4) {
        const vec low01 = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
        const vec high01 = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
        const vec low23 = _mm512_unpacklo_ps(rows[i + 2], rows[i + 3]);
        const vec high23 = _mm512_unpackhi_ps(rows[i + 2], rows[i + 3]);
        quads[i] = unpack_pairs_low(low01, low23);
        quads[i + 1] = unpack_pairs_high(low01, low23);
        quads[i + 2] = unpack_pairs_low(high01, high23);
        quads[i + 3] = unpack_pairs_high(high01, high23);
    }
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; j++) {
        const vec even_top = _mm512_shuffle_f32x4(quads[j], quads[j + 4], 0x88);
        const vec odd_top = _mm512_shuffle_f32x4(quads[j], quads[j + 4], 0xdd);
        const vec even_bottom = _mm512_shuffle_f32x4(quads[j + 8], quads[j + 12], 0x88);
        const vec odd_bottom = _mm512_shuffle_f32x4(quads[j + 8], quads[j + 12], 0xdd);
        rows[j] = _mm512_shuffle_f32x4(even_top, even_bottom, 0x88);
        rows[j + 4] = _mm512_shuffle_f32x4(odd_top, odd_bottom, 0x88);
        rows[j + 8] = _mm512_shuffle_f32x4(even_top, even_bottom, 0xdd);
        rows[j + 12] = _mm512_shuffle_f32x4(odd_top, odd_bottom, 0xdd);
    }
}

#endif
