// SPDX-License-Identifier: Apache-2.0
// gemm_pack.h - what the steps that multiply share: their context, and packing of A.
// Included after level/<level>/gemm_tile_<level>.h.
#ifndef HYP_GEMM_PACK_H
#define HYP_GEMM_PACK_H

#include "gemm/gemm_blocks.h"
#include "gemm/gemm_transpose.h"

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
