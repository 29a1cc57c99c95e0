// SPDX-License-Identifier: Apache-2.0
// gemm_blocks.h - the blocks that the matrix-product nest really uses, and where their packed
// copies lie in the workspace: A's block first, then B's panel.
#ifndef HYP_GEMM_BLOCKS_H
#define HYP_GEMM_BLOCKS_H

#include "kernel.h"

enum { GEMM_ALIGNMENT_BYTES = 64 };

typedef struct GemmBlocks {
    size_t mc, kc, nc;   // elements; 0 where the problem has no extent
    size_t packed_b;     // where B's panel starts in the workspace, bytes; A's starts at 0
    size_t packed_bytes; // of both
} GemmBlocks;

// One step of the two inner loops: a tile of C, and the packed panels it is the product of.
typedef struct GemmTile {
    size_t row, column;      // its corner in C
    size_t rows, columns;    // its extent, at most mr x nr
    size_t depth;            // kc
    size_t panel_a, panel_b; // floats from the start of the packed block of A, panel of B
    bool first;              // no earlier block of k: C is written, not added to
    bool last;               // no later block of k: the epilogue is due
} GemmTile;

static inline size_t gemm_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t gemm_round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

// Cuts `total` into the fewest blocks no longer than `limit`, all of about the same length: 1000
// in blocks of 512 is 500 + 500, not 512 + 488 with a last block that fills half the cache.
static inline size_t gemm_even_block(size_t total, size_t limit, size_t step)
{
    if (total == 0)
        return 0;
    const size_t count = (total + limit - 1) / limit;
    return gemm_round_up((total + count - 1) / count, step);
}

static inline GemmBlocks gemm_blocks(const HypGemmArgs *args)
{
    const HyperionGemmBlocking *limit = &args->blocking;
    GemmBlocks blocks = {.mc = gemm_even_block(args->m, limit->mc, limit->mr),
                         .kc = gemm_even_block(args->k, limit->kc, 1),
                         .nc = gemm_even_block(args->n, limit->nc, limit->nr)};
    blocks.packed_b = gemm_round_up(blocks.mc * blocks.kc * sizeof(float), GEMM_ALIGNMENT_BYTES);
    blocks.packed_bytes = blocks.packed_b + gemm_round_up(blocks.kc * blocks.nc * sizeof(float),
                                                          GEMM_ALIGNMENT_BYTES);
    return blocks;
}

#endif
