// SPDX-License-Identifier: Apache-2.0
#include "cache/set_stacks.h"

#include "cache/set_stacks_touch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANE_SHIFT = 4 }; // HYP_STACK_LANES

const HypStackLoops hyp_stack_loops_plain = {touch_run, touch_rows, flush_all};

static const HypStackLoops *find_loops(void)
{
#ifdef __x86_64__
    if (hyp_stack_loops_avx2.touch && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("popcnt"))
        return &hyp_stack_loops_avx2;
#endif
    return &hyp_stack_loops_plain;
}

static void sum_misses(HypSetStacks *stacks)
{
    stacks->loops->flush(stacks);
    for (int kind = 0; kind < HYP_STACK_KINDS; kind++) {
        stacks->missed[kind] += stacks->weight * (double)stacks->missed_since[kind];
        stacks->missed_since[kind] = 0;
    }
}

void hyp_stacks_weigh(HypSetStacks *stacks, double weight)
{
    if (weight == stacks->weight)
        return;
    sum_misses(stacks);
    stacks->weight = weight;
}

HypStackMisses hyp_stacks_take(HypSetStacks *stacks)
{
    sum_misses(stacks);
    HypStackMisses misses = {.all = 0};
    for (int kind = 0; kind < HYP_STACK_KINDS; kind++) {
        misses.all += stacks->missed[kind];
        misses.of[kind] = stacks->missed[kind];
        stacks->missed[kind] = 0;
    }
    return misses;
}

HypCacheShape hyp_stacks_shape(HypCacheShape cache, double lines)
{
    enum { MOST_WAYS = 32 };
    while (cache.ways > MOST_WAYS && fmod(cache.ways, 2) == 0) {
        cache.ways /= 2;
        cache.sets *= 2;
    }
    while (cache.sets / 2 >= lines && fmod(cache.sets, 2 * HYP_STACK_LANES) == 0)
        cache.sets /= 2;
    return cache;
}

bool hyp_stacks_open(HypSetStacks *stacks, const HypCacheShape *cache)
{
    const size_t sets = (size_t)cache->sets;
    *stacks = (HypSetStacks){.ways = (size_t)cache->ways,
                             .lane_shift = sets % HYP_STACK_LANES == 0 ? LANE_SHIFT : 0,
                             .loops = find_loops(),
                             .weight = 1};
    stacks->groups = hyp_sets_of(sets >> stacks->lane_shift);
    const size_t entries = stacks->groups.count * stacks->ways;
    const size_t bytes =
        entries * sizeof *stacks->stacks + stacks->groups.count * sizeof *stacks->waiting;
    stacks->stacks = aligned_alloc(_Alignof(HypStackWaiting), bytes);
    if (!stacks->stacks)
        return false;
    memset(stacks->stacks, 0, bytes);
    stacks->waiting = (HypStackWaiting *)(stacks->stacks + entries);
    return true;
}

void hyp_stacks_clear(HypSetStacks *stacks)
{
    stacks->loops->flush(stacks);
    memset(stacks->stacks, 0, stacks->groups.count * stacks->ways * sizeof *stacks->stacks);
}

void hyp_stacks_close(HypSetStacks *stacks)
{
    free(stacks->stacks);
}
