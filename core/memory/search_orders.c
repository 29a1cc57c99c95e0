// SPDX-License-Identifier: Apache-2.0
#include "memory/search_orders.h"

#include "common/sort.h"

// Of the count of buffers: 0.02 to 0.3 find hard instances in about the same number of nodes, none
// at all needs twice to ten times as many.
static const double most_noise = 0.05;
// Of the count of buffers, when all failures were in one section.
static const double most_lead = 1.5;

typedef struct Ranking {
    const HypOrderKeys *keys;
    int order;
} Ranking;

void hyp_search_keys_fill(const HypPlacement *placement, HypOrderKeys *keys)
{
    for (size_t i = 0; i < placement->count; i++) {
        const HyperionBuffer *buffer = &placement->buffers[i];
        const HypSpan span = placement->sections.spans[i];
        int64_t contention = 0;
        for (int s = span.first; s < span.end; s++) {
            const int64_t live = (int64_t)placement->sections.live_bytes[s];
            contention = live > contention ? live : contention;
        }
        const int64_t width = buffer->upper - buffer->lower;
        const int64_t size = (int64_t)buffer->size_bytes;
        // Only for an order: one that would overflow is as good as the greatest.
        const int64_t area = size > 0 && width > INT64_MAX / size ? INT64_MAX : width * size;
        keys[i] = (HypOrderKeys){.of = {{width, area, contention},
                                        {contention, area, width},
                                        {contention, width, area}}};
    }
}

static int compare_ranks(const void *a, const void *b, const void *context)
{
    const Ranking *ranking = context;
    const int first = *(const int *)a;
    const int second = *(const int *)b;
    const int64_t *of_first = ranking->keys[first].of[ranking->order];
    const int64_t *of_second = ranking->keys[second].of[ranking->order];
    for (int i = 0; i < HYP_ORDER_KEYS; i++)
        if (of_first[i] != of_second[i])
            return of_first[i] > of_second[i] ? -1 : 1;
    return (first > second) - (first < second);
}

static int compare_order_places(const void *a, const void *b, const void *context)
{
    const HypOrderKeys *keys = context;
    const int first = *(const int *)a;
    const int second = *(const int *)b;
    if (keys[first].place != keys[second].place)
        return keys[first].place < keys[second].place ? -1 : 1;
    return (first > second) - (first < second);
}

// 0 to 1: SplitMix64, Steele, Lea and Flood 2014.
static double mix_fraction(uint64_t seed)
{
    uint64_t mixed = seed * 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return (double)((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53;
}

void hyp_search_order(HypOrderKeys *keys, int order, uint64_t seed, int *buffers, int count)
{
    const Ranking ranking = {keys, order};
    hyp_sort(buffers, (size_t)count, sizeof *buffers, compare_ranks, &ranking);
    if (seed == 0)
        return;
    for (int i = 0; i < count; i++) {
        HypOrderKeys *key = &keys[buffers[i]];
        const double noise = most_noise * mix_fraction((seed << 16) + (uint64_t)i);
        key->place = i + count * (noise - most_lead * key->fault);
    }
    hyp_sort(buffers, (size_t)count, sizeof *buffers, compare_order_places, keys);
}
