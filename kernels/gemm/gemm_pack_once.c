// SPDX-License-Identifier: Apache-2.0
// gemm_pack_once.c - operands packed before the product, for any level: as gemm_pack.h packs them,
// block after block. Plain loops: it is done once, at the speed of memory.
#include "gemm/gemm_blocks.h"
#include "kernel_table.h"

size_t hyp_gemm_packed_a_bytes(const HypGemmArgs *args)
{
    return gemm_round_up(args->m, args->blocking.mr) * args->k * sizeof(float);
}

size_t hyp_gemm_packed_b_bytes(const HypGemmArgs *args)
{
    return gemm_round_up(args->n, args->blocking.nr) * args->k * sizeof(float);
}

// packed[k * width + r] = source[r * row_step + k * depth_step] for r < rows, and 0 up to width.
static void pack_panel(const float *source, size_t row_step, size_t depth_step, size_t rows,
                       size_t depth, size_t width, float *packed)
{
    for (size_t k = 0; k < depth; k++)
        for (size_t r = 0; r < width; r++)
            *packed++ = r < rows ? source[r * row_step + k * depth_step] : 0;
}

void hyp_gemm_pack_a(const HypGemmArgs *args, float *packed)
{
    const GemmBlocks blocks = gemm_blocks(args);
    const size_t mr = args->blocking.mr;
    for (size_t pc = 0; pc < args->k; pc += blocks.kc) {
        const size_t kc = gemm_least(blocks.kc, args->k - pc);
        for (size_t row = 0; row < args->m; row += mr)
            pack_panel(args->a + row * args->lda + pc, args->lda, 1, gemm_least(mr, args->m - row),
                       kc, mr, packed + gemm_once_packed_a(args, pc) + row * kc);
    }
}

void hyp_gemm_pack_b(const HypGemmArgs *args, float *packed)
{
    const GemmBlocks blocks = gemm_blocks(args);
    const size_t nr = args->blocking.nr;
    const size_t column_step = args->b_transposed ? args->ldb : 1;
    const size_t depth_step = args->b_transposed ? 1 : args->ldb;
    for (size_t jc = 0; jc < args->n; jc += blocks.nc) {
        const size_t nc = gemm_least(blocks.nc, args->n - jc);
        for (size_t pc = 0; pc < args->k; pc += blocks.kc) {
            const size_t kc = gemm_least(blocks.kc, args->k - pc);
            float *panel = packed + gemm_once_packed_b(args, pc, jc, nc);
            for (size_t jr = 0; jr < nc; jr += nr)
                pack_panel(args->b + (jc + jr) * column_step + pc * depth_step, column_step,
                           depth_step, gemm_least(nr, nc - jr), kc, nr, panel + jr * kc);
        }
    }
}
