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
    const float *packed_a; // to read: in the workspace, or packed before
    const float *packed_b;
    float *pack_a_to; // the workspace
    float *pack_b_to;
    const struct ConvImage *image; // a convolution: its columns stand for B; else NULL
} GemmContext;

static GemmContext gemm_context(const HypGemmArgs *args, const GemmBlocks *blocks, float *workspace)
{
    float *b = workspace + blocks->packed_b / sizeof(float);
    return (GemmContext){.args = args,
                         .packed_a = args->packed_a ? args->packed_a : workspace,
                         .packed_b = args->packed_b ? args->packed_b : b,
                         .pack_a_to = workspace,
                         .pack_b_to = b};
}

// As vec_load_part and vec_store_part, for counts that are seldom below VEC_LANES: masked stores
// are slow where the mask is not a register of its own.
VEC_FN vec load_up_to(const float *p, size_t count)
{
    return count >= VEC_LANES ? vec_load(p) : vec_load_part(p, count);
}
VEC_FN void store_up_to(float *p, vec v, size_t count)
{
    if (count >= VEC_LANES)
        vec_store(p, v);
    else
        vec_store_part(p, v, count);
}

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
                block[i] = r + i < rows ? load_up_to(source + (r + i) * ld + k, count) : vec_zero();
            vec_transpose(block);
#pragma GCC unroll 16
            for (size_t i = 0; i < VEC_LANES; i++) {
                // A row narrower than a register is stored whole all the same, where the panel
                // goes on: what spills over is overwritten by the next row.
                const size_t place = (k + i) * width + r;
                const bool spill = width < VEC_LANES && place + VEC_LANES <= depth * width;
                if (i < count)
                    store_up_to(packed + place, block[i], spill ? VEC_LANES : width - r);
            }
        }
    }
}

static void pack_a_block(const GemmContext *context, size_t ic, size_t pc, size_t mc, size_t kc,
                         size_t to)
{
    const HypGemmArgs *args = context->args;
    for (size_t ir = 0; ir < mc; ir += GEMM_MR)
        pack_transposed(args->a + (ic + ir) * args->lda + pc, args->lda,
                        gemm_least(GEMM_MR, mc - ir), kc, context->pack_a_to + to + ir * kc,
                        GEMM_MR);
}

#endif
