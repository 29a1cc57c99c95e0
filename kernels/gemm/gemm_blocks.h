// SPDX-License-Identifier: Apache-2.0
// gemm_blocks.h - the blocks that the matrix-product nest really uses, how threads share them, and
// where their packed copies lie: in the workspace a block of A for each thread, then B's panel; or,
// of an operand packed once, all of its blocks in the order in which one thread meets them.
#ifndef HYP_GEMM_BLOCKS_H
#define HYP_GEMM_BLOCKS_H

#include "kernel.h"
#include "parallel_for.h"

enum { GEMM_ALIGNMENT_BYTES = 64 };

typedef struct GemmBlocks {
    size_t mc, kc, nc;   // elements; 0 where the problem has no extent
    size_t row_parts;    // C is cut into so many parts by rows, and each of its panels of nc
    size_t column_parts; // columns into so many: one part for each thread
    size_t packed_a;     // bytes of one block of A; the first starts at 0
    size_t packed_b;     // where B's panel starts in the workspace, bytes
    size_t packed_bytes; // of all
} GemmBlocks;

// One step of the two inner loops: a tile of C, and the packed panels it is the product of.
typedef struct GemmTile {
    size_t row, column;      // its corner in C
    size_t rows, columns;    // its extent, at most mr x nr
    size_t depth;            // kc
    size_t panel_a, panel_b; // floats from the start of the packed blocks of A, panel of B
    bool first;              // no earlier block of k: C is written, not added to
    bool last;               // no later block of k: the epilogue is due
} GemmTile;

static inline size_t gemm_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t gemm_quotient_up(size_t value, size_t divisor)
{
    return (value + divisor - 1) / divisor;
}

static inline size_t gemm_round_up(size_t value, size_t step)
{
    return gemm_quotient_up(value, step) * step;
}

// Cuts `total` into the fewest blocks no longer than `limit`, all of about the same length: 1000
// in blocks of 512 is 500 + 500, not 512 + 488 with a last block that fills half the cache.
static inline size_t gemm_even_block(size_t total, size_t limit, size_t step)
{
    if (total == 0)
        return 0;
    const size_t count = gemm_quotient_up(total, limit);
    return gemm_round_up(gemm_quotient_up(total, count), step);
}

// The way to cut C that keeps the busiest thread shortest. To pack a panel of A or to fetch a
// sliver of B costs a thread about half of what a tile does; both grow where parts are long and
// thin.
static inline void gemm_share(const HypGemmArgs *args, GemmBlocks *blocks)
{
    const double work = 2 * (double)args->m * (double)args->n * (double)args->k;
    const size_t threads = hyp_parallel_threads(args->parallel, work);
    const size_t tile_rows = gemm_quotient_up(args->m, args->blocking.mr);
    const size_t tile_columns = gemm_quotient_up(blocks->nc, args->blocking.nr);
    if (threads == 1)
        return;
    size_t least_cost = SIZE_MAX;
    for (size_t parts = threads; parts > 0; parts--) {
        const size_t rows = gemm_quotient_up(tile_rows, parts);
        const size_t columns = gemm_quotient_up(tile_columns, threads / parts);
        const size_t cost = 2 * rows * columns + rows + columns;
        if (cost < least_cost) {
            least_cost = cost;
            blocks->row_parts = parts;
            blocks->column_parts = threads / parts;
        }
    }
}

static inline GemmBlocks gemm_blocks(const HypGemmArgs *args)
{
    const HyperionGemmBlocking *limit = &args->blocking;
    GemmBlocks blocks = {.kc = gemm_even_block(args->k, limit->kc, 1),
                         .nc = gemm_even_block(args->n, limit->nc, limit->nr),
                         .row_parts = 1,
                         .column_parts = 1};
    gemm_share(args, &blocks);
    const size_t rows = hyp_parallel_part(args->m, limit->mr, blocks.row_parts, 0).end;
    blocks.mc = gemm_even_block(rows, limit->mc, limit->mr);
    if (!args->packed_a)
        blocks.packed_a =
            gemm_round_up(blocks.mc * blocks.kc * sizeof(float), GEMM_ALIGNMENT_BYTES);
    blocks.packed_b = blocks.row_parts * blocks.column_parts * blocks.packed_a;
    blocks.packed_bytes = blocks.packed_b;
    if (!args->packed_b)
        blocks.packed_bytes +=
            gemm_round_up(blocks.kc * blocks.nc * sizeof(float), GEMM_ALIGNMENT_BYTES);
    return blocks;
}

// Where, in all of A packed once, the panels of the block of k from `pc` on start, floats.
static inline size_t gemm_once_packed_a(const HypGemmArgs *args, size_t pc)
{
    return pc * gemm_round_up(args->m, args->blocking.mr);
}

// Where, in all of B packed once, the panel at (pc, jc) of `nc` columns starts, floats.
static inline size_t gemm_once_packed_b(const HypGemmArgs *args, size_t pc, size_t jc, size_t nc)
{
    return jc * args->k + pc * gemm_round_up(nc, args->blocking.nr);
}

#endif
