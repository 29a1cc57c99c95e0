// SPDX-License-Identifier: Apache-2.0
// gemm_pack_b.h - the step of gemm_nest.h that packs B from a matrix.
#ifndef HYP_GEMM_PACK_B_H
#define HYP_GEMM_PACK_B_H

#include "gemm/gemm_pack.h"

// packed[k][0..NR) = b[k][0..columns), then zeros.
VEC_FN void pack_sliver(const float *b, size_t ldb, size_t columns, size_t depth, float *packed)
{
    for (size_t k = 0; k < depth; k++) {
#pragma GCC unroll 8
        for (size_t v = 0; v < GEMM_NV; v++) {
            const size_t j = v * VEC_LANES;
            const vec values = j < columns ? load_up_to(b + k * ldb + j, columns - j) : vec_zero();
            vec_store(packed + k * GEMM_NR + j, values);
        }
    }
}

static void pack_b_slivers(const GemmContext *context, size_t pc, size_t jc, size_t kc, size_t nc,
                           size_t to)
{
    const HypGemmArgs *args = context->args;
    for (size_t jr = 0; jr < nc; jr += GEMM_NR) {
        const size_t columns = gemm_least(GEMM_NR, nc - jr);
        float *packed = context->pack_b_to + to + jr * kc;
        if (args->b_transposed)
            pack_transposed(args->b + (jc + jr) * args->ldb + pc, args->ldb, columns, kc, packed,
                            GEMM_NR);
        else
            pack_sliver(args->b + pc * args->ldb + jc + jr, args->ldb, columns, kc, packed);
    }
}

#endif
