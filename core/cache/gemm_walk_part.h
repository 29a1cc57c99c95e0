// SPDX-License-Identifier: Apache-2.0
// gemm_walk_part.h - what walks through parts of a block (gemm_walk.h) have in common.
#ifndef HYP_GEMM_WALK_PART_H
#define HYP_GEMM_WALK_PART_H

#include "cache/gemm_windows.h"
#include "cache/set_stacks.h"

// More runs than a prediction has time for: windows have to do.
enum { HYP_WALK_MOST_TOUCHES = 6000 };

typedef struct HypGemmWalk {
    const HypGemmNest *nest;
    const HypIterations *at; // the first iteration of its kind
    HypCacheShape cache;
    HypSetStacks stacks;
    size_t mc, kc, nc, panels, slivers;
    size_t depth;        // of kc, that is walked
    unsigned line_shift; // from floats
} HypGemmWalk;

static inline size_t hyp_walk_most(size_t a, size_t b)
{
    return a > b ? a : b;
}

// All but the stacks.
HypGemmWalk hyp_walk_start(const HypGemmNest *nest, const HypIterations *at,
                           const HypCacheShape *cache);

// False, and the last error is set: out of memory.
bool hyp_walk_open(HypGemmWalk *walk);

// What was missed, by kinds, since it was opened.
HypStackMisses hyp_walk_close(HypGemmWalk *walk);

static inline void hyp_walk_touch(HypGemmWalk *walk, unsigned kind, size_t start, size_t floats)
{
    const size_t first = start >> walk->line_shift;
    const size_t last = (start + floats - 1) >> walk->line_shift;
    hyp_stacks_touch(&walk->stacks, kind, first, last - first + 1);
}

static inline double hyp_walk_capacity(const HypGemmWalk *walk)
{
    return walk->cache.sets * walk->cache.ways;
}

#endif
