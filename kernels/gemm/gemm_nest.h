// SPDX-License-Identifier: Apache-2.0
// gemm_nest.h - the five loops around the micro-kernel of C = A * B, written once (Goto and van de
// Geijn 2008; Van Zee and van de Geijn 2015). No pointer is followed here: the nest only says which
// step comes when. Who includes it defines, before:
//
//   GemmContext                                         what the steps need to know
//   pack_b_panel(context, pc, jc, kc, nc)               B[pc.. pc+kc, jc.. jc+nc] in slivers of nr
//   pack_a_block(context, ic, pc, mc, kc)               A[ic.. ic+mc, pc.. pc+kc] in panels of mr
//   multiply_tile(context, tile)                        one mr x nr tile of C over kc
//
// With the steps of gemm_compute_steps.h it multiplies, with those of gemm_touch.c it names the
// memory that the same steps touch, in the same order.
//
// The blocks that suit (48 KiB of L1, 1 MiB of L2; sgemm, AVX-512, N = 2048, one core of Zen 5):
// A's block, mc x kc, in half of L2: a sliver of B and tiles of C pass through the other half.
// kc 384 to 640, though nr columns of it no longer fit L1: a sliver is read in a straight line, and
// each block of k passes over all of C: 212 GFLOP/s with 512, 206 with 384, 198 with 256.
// nc as large as L3 allows: A is packed once per nc columns.
#ifndef HYP_GEMM_NEST_H
#define HYP_GEMM_NEST_H

#include "gemm/gemm_blocks.h"

static void gemm_nest(const HypGemmArgs *args, const GemmContext *context)
{
    const size_t mr = args->blocking.mr;
    const size_t nr = args->blocking.nr;
    const GemmBlocks blocks = gemm_blocks(args);
    if (args->m == 0)
        return;

    for (size_t jc = 0; jc < args->n; jc += blocks.nc) {
        const size_t nc = gemm_least(blocks.nc, args->n - jc);
        size_t pc = 0;
        do { // once even for k = 0: C is then the epilogue of 0
            const size_t kc = gemm_least(blocks.kc, args->k - pc);
            pack_b_panel(context, pc, jc, kc, nc);

            for (size_t ic = 0; ic < args->m; ic += blocks.mc) {
                const size_t mc = gemm_least(blocks.mc, args->m - ic);
                pack_a_block(context, ic, pc, mc, kc);

                for (size_t jr = 0; jr < nc; jr += nr)
                    for (size_t ir = 0; ir < mc; ir += mr)
                        multiply_tile(context, &(GemmTile){.row = ic + ir,
                                                           .column = jc + jr,
                                                           .rows = gemm_least(mr, mc - ir),
                                                           .columns = gemm_least(nr, nc - jr),
                                                           .depth = kc,
                                                           .panel_a = ir * kc,
                                                           .panel_b = jr * kc,
                                                           .first = pc == 0,
                                                           .last = pc + kc == args->k});
            }
            pc += kc;
        } while (pc < args->k);
    }
}

#endif
