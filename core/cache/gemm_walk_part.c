// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_walk_part.h"

#include "common/fail.h"

// Of all arrays, and of the packed copies.
static double count_lines(const HypGemmNest *nest)
{
    const double m = (double)nest->shape.m;
    const double n = (double)nest->shape.n;
    const double k = (double)nest->shape.k;
    return (2 * m * k + 2 * k * n + m * n) / (double)nest->line_floats;
}

HypGemmWalk hyp_walk_start(const HypGemmNest *nest, const HypIterations *at,
                           const HypCacheShape *cache)
{
    const HypGemmBlock *block = &at->typical;
    return (HypGemmWalk){.nest = nest,
                         .at = at,
                         .cache = hyp_stacks_shape(*cache, count_lines(nest)),
                         .mc = block->mc,
                         .kc = block->kc,
                         .nc = block->nc,
                         .panels = gemm_quotient_up(block->mc, nest->mr),
                         .slivers = gemm_quotient_up(block->nc, nest->nr),
                         .depth = block->kc,
                         .line_shift = (unsigned)__builtin_ctzll(nest->line_floats)};
}

bool hyp_walk_open(HypGemmWalk *walk)
{
    if (hyp_stacks_open(&walk->stacks, &walk->cache))
        return true;
    return hyp_fail(HYPERION_ERROR_MEMORY,
                    "predict a product: out of memory for a cache of %.0f sets and %.0f ways",
                    walk->cache.sets, walk->cache.ways);
}

HypStackMisses hyp_walk_close(HypGemmWalk *walk)
{
    const HypStackMisses misses = hyp_stacks_take(&walk->stacks);
    hyp_stacks_close(&walk->stacks);
    return misses;
}
