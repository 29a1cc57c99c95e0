// SPDX-License-Identifier: Apache-2.0
// gemm_nest.h - the five loops around the micro-kernel of C = A * B, written once (Goto and van de
// Geijn 2008; Van Zee and van de Geijn 2015). No pointer is followed here: the nest only says which
// step comes when. Who includes it defines, before:
//
//   GemmContext                                    what the steps need to know
//   pack_b_slivers(context, pc, jc, kc, nc, to)    B[pc.. pc+kc, jc.. jc+nc] in slivers of nr
//   pack_a_block(context, ic, pc, mc, kc, to)      A[ic.. ic+mc, pc.. pc+kc] in panels of mr
//   multiply_tile(context, tile)                   one mr x nr tile of C over kc
//
// `to` counts floats from the start of what is packed of the same matrix. Of a matrix that was
// packed before the call, its pack step never comes. Compiled over the registers of a level the
// nest multiplies; over those of touch/vec_touch.h it tells the memory that the same steps touch,
// in the same order.
//
// Threads share a panel of B, which they pack together. Then each multiplies its part of C, cut by
// rows and columns but never along k, and packs the blocks of A that it needs (Smith et al. 2014).
//
// The blocks that suit (48 KiB of L1, 1 MiB of L2; sgemm, AVX-512, N = 2048, one core of Zen 5):
// A's block, mc x kc, in half of L2: a sliver of B and tiles of C pass through the other half.
// kc 384 to 640, though nr columns of it no longer fit L1: a sliver is read in a straight line, and
// each block of k passes over all of C: 212 GFLOP/s with 512, 206 with 384, 198 with 256.
// nc as large as L3 allows: A is packed once per nc columns.
#ifndef HYP_GEMM_NEST_H
#define HYP_GEMM_NEST_H

#include "gemm/gemm_blocks.h"

// What threads work on together: a panel of B and all of A's columns that meet it.
typedef struct GemmPanel {
    const HypGemmArgs *args;
    const GemmContext *context;
    const GemmBlocks *blocks;
    size_t pc, jc; // its corner in B
    size_t kc, nc; // its extent
    size_t packed; // where it is, floats from the start of what is packed of B
} GemmPanel;

static void pack_panel_part(void *shared, size_t thread)
{
    const GemmPanel *panel = shared;
    const GemmBlocks *blocks = panel->blocks;
    const HypRange part = hyp_parallel_part(panel->nc, panel->args->blocking.nr,
                                            blocks->row_parts * blocks->column_parts, thread);
    pack_b_slivers(panel->context, panel->pc, panel->jc + part.first, panel->kc,
                   part.end - part.first, part.first * panel->kc);
}

static void multiply_panel_part(void *shared, size_t thread)
{
    const GemmPanel *panel = shared;
    const GemmBlocks *blocks = panel->blocks;
    const size_t mr = panel->args->blocking.mr;
    const size_t nr = panel->args->blocking.nr;
    const HypRange rows =
        hyp_parallel_part(panel->args->m, mr, blocks->row_parts, thread / blocks->column_parts);
    const HypRange columns =
        hyp_parallel_part(panel->nc, nr, blocks->column_parts, thread % blocks->column_parts);
    const bool packs_a = !panel->args->packed_a;

    for (size_t ic = rows.first; ic < rows.end && columns.first < columns.end; ic += blocks->mc) {
        const size_t mc = gemm_least(blocks->mc, rows.end - ic);
        const size_t packed_a = packs_a
                                    ? thread * (blocks->packed_a / sizeof(float))
                                    : gemm_once_packed_a(panel->args, panel->pc) + ic * panel->kc;
        if (packs_a)
            pack_a_block(panel->context, ic, panel->pc, mc, panel->kc, packed_a);

        for (size_t jr = columns.first; jr < columns.end; jr += nr)
            for (size_t ir = 0; ir < mc; ir += mr)
                multiply_tile(panel->context,
                              &(GemmTile){.row = ic + ir,
                                          .column = panel->jc + jr,
                                          .rows = gemm_least(mr, mc - ir),
                                          .columns = gemm_least(nr, columns.end - jr),
                                          .depth = panel->kc,
                                          .panel_a = packed_a + ir * panel->kc,
                                          .panel_b = panel->packed + jr * panel->kc,
                                          .first = panel->pc == 0,
                                          .last = panel->pc + panel->kc == panel->args->k});
    }
}

// `blocks` are those of gemm_blocks(args).
static void gemm_nest(const HypGemmArgs *args, const GemmBlocks *blocks, const GemmContext *context)
{
    const size_t threads = blocks->row_parts * blocks->column_parts;
    GemmPanel panel = {.args = args, .context = context, .blocks = blocks};
    if (args->m == 0)
        return;

    for (panel.jc = 0; panel.jc < args->n; panel.jc += panel.nc) {
        panel.nc = gemm_least(blocks->nc, args->n - panel.jc);
        panel.pc = 0;
        do { // once even for k = 0: C is then the epilogue of 0
            panel.kc = gemm_least(blocks->kc, args->k - panel.pc);
            if (args->packed_b)
                panel.packed = gemm_once_packed_b(args, panel.pc, panel.jc, panel.nc);
            else
                hyp_parallel_run(args->parallel, threads, pack_panel_part, &panel);
            hyp_parallel_run(args->parallel, threads, multiply_panel_part, &panel);
            panel.pc += panel.kc;
        } while (panel.pc < args->k);
    }
}

#endif
