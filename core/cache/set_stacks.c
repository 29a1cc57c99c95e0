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
        stacks->kinds[kind].told += stacks->weight * (double)stacks->since[kind].told;
        stacks->kinds[kind].seen += stacks->weight * (double)stacks->since[kind].seen;
        stacks->kinds[kind].missed += stacks->weight * (double)stacks->since[kind].missed;
    }
    memset(stacks->since, 0, sizeof stacks->since);
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
        const double seen = stacks->kinds[kind].seen;
        const double of_kind =
            seen > 0 ? stacks->kinds[kind].missed * stacks->kinds[kind].told / seen : 0;
        misses.all += of_kind;
        misses.of[kind] = of_kind;
    }
    memset(stacks->kinds, 0, sizeof stacks->kinds);
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

// Places of simulated sets among their few: of each two or four, or of as many as sixteen, so that
// rows at distances of any power of two meet each place as often.
static void choose_places(HypSetStacks *stacks)
{
    static const uint8_t of_four[] = {0, 2, 3, 1, 1, 3, 0, 2, 2, 0, 1, 3, 3, 1, 2, 0};
    static const uint8_t of_sixteen[] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15};
    static const uint8_t moved[] = {0, 8, 4, 12};
    const unsigned shift = stacks->one_of_shift;
    const bool few = shift <= 2;
    stacks->place_mask = few ? 15 : 63;
    for (size_t i = 0; i <= stacks->place_mask; i++) {
        const unsigned four = of_four[i % 16];
        const unsigned sixteen = (of_sixteen[i % 16] + moved[i / 16]) % 16U;
        const unsigned place = few ? four >> (2 - shift) : sixteen >> (4 - shift);
        stacks->places[i] = (uint8_t)place;
    }
}

bool hyp_stacks_open(HypSetStacks *stacks, const HypCacheShape *cache, unsigned shift)
{
    const size_t sets = (size_t)cache->sets;
    while (shift > 2 && sets % ((size_t)64 << shift) != 0)
        shift--;
    while (shift > 0 && sets % ((size_t)HYP_STACK_LANES << shift) != 0)
        shift--; // groups of the sets that are seen have to come out even
    *stacks = (HypSetStacks){.ways = (size_t)cache->ways,
                             .lane_shift = sets % HYP_STACK_LANES == 0 ? LANE_SHIFT : 0,
                             .one_of_shift = shift,
                             .loops = find_loops(),
                             .weight = 1};
    choose_places(stacks);
    stacks->groups = hyp_sets_of(sets >> shift >> stacks->lane_shift);
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
