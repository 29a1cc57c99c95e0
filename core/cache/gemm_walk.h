// SPDX-License-Identifier: Apache-2.0
// gemm_walk.h - parts of a block of the matrix-product nest (kernels/gemm) walked through a
// simulated first level, as runs of lines in the order in which it touches them: some tiles, and
// some slivers as they are packed. What comes back is counted there, where windows (gemm_reuse.c)
// take places to one another as chance.
#ifndef HYP_GEMM_WALK_H
#define HYP_GEMM_WALK_H

#include "cache/gemm_windows.h"

// The shares of lines that were missed, of those that come back; less than 0: none was met, or
// there are too many to walk.
typedef struct HypGemmWalked {
    double a;            // of A's panels, with the next sliver
    double b;            // of B's sliver, with the next panel
    double row_of_c;     // in which a row of C of one sliver ends and that of the next begins
    double prefetched_c; // of C, when they are written after a prefetch
    double row_of_b;     // as row_of_c, of B when it is packed
} HypGemmWalked;

// Tiles of the typical block of `at`, and how slivers of B are packed from a matrix that is not
// transposed. What is not known is left as it is. False, and the last error is set: out of memory.
bool hyp_gemm_walk_tiles(const HypGemmNest *nest, const HypIterations *at,
                         const HypCacheShape *cache, HypGemmWalked *walked);
bool hyp_gemm_walk_packing(const HypGemmNest *nest, const HypIterations *at,
                           const HypCacheShape *cache, HypGemmWalked *walked);

// Lines of the image that are missed when a panel of B is packed from it; less than 0 as above.
bool hyp_gemm_walk_image(const HypGemmNest *nest, const HypIterations *at,
                         const HypCacheShape *cache, double *missed);

#endif
