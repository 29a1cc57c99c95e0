// SPDX-License-Identifier: Apache-2.0
// gemm_pack.h - what the steps that multiply share: their context, and packing with transposition.
// Included after level/<level>/gemm_tile_<level>.h.
#ifndef HYP_GEMM_PACK_H
#define HYP_GEMM_PACK_H

#include "gemm/gemm_blocks.h"

#define GEMM_NR ((size_t)GEMM_NV * VEC_LANES)
enum { GEMM_LINE_FLOATS = 16 };

typedef struct GemmContext {
    const HypGemmArgs *args;
    float *packed_a;
    float *packed_b;
    const struct ConvImage *image; // a convolution: its columns stand for B; else NULL
} GemmContext;

// packed[k * width + r] = source[r * ld + k] for r < rows, and 0 for rows <= r < width.
VEC_FN void pack_transposed(const float *source, size_t ld, size_t rows, size_t depth,
                            float *packed, size_t width)
{
    for (size_t k = 0; k < depth; k += VEC_LANES) {
        const size_t count = gemm_least(VEC_LANES, depth - k);
        for (size_t r = 0; r < width; r += VEC_LANES) {
            vec block[VEC_LANES];
#pragma GCC unroll 16
            for (size_t i = 0; i < VEC_LANES; i++)
                block[i] = r + i >= rows        ? vec_zero()
                           : count == VEC_LANES ? vec_load(source + (r + i) * ld + k)
                                                : vec_load_part(source + (r + i) * ld + k, count);
            vec_transpose(block);
#pragma GCC unroll 16
            for (size_t i = 0; i < VEC_LANES; i++) {
                // A row narrower than a register is stored whole all the same, where the panel
                // goes on: what spills over is overwritten by the next row.
                const bool whole =
                    width - r >= VEC_LANES ||
                    (width < VEC_LANES && (k + i) * width + VEC_LANES <= depth * width);
                float *place = packed + (k + i) * width + r;
                if (i < count && whole)
                    vec_store(place, block[i]);
                else if (i < count)
                    vec_store_part(place, block[i], width - r);
            }
        }
    }
}

static void pack_a_block(const GemmContext *context, size_t ic, size_t pc, size_t mc, size_t kc)
{
    const HypGemmArgs *args = context->args;
    for (size_t ir = 0; ir < mc; ir += GEMM_MR)
        pack_transposed(args->a + (ic + ir) * args->lda + pc, args->lda,
                        gemm_least(GEMM_MR, mc - ir), kc, context->packed_a + ir * kc, GEMM_MR);
}

#endif
