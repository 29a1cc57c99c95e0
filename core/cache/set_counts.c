// SPDX-License-Identifier: Apache-2.0
#include "cache/set_counts.h"

#include "common/size_math.h"

#include <string.h>

HypSets hyp_find_sets(const HypCacheShape *cache)
{
    HypSets sets = {(size_t)cache->sets, 0};
    while ((size_t)1 << sets.shift < sets.count)
        sets.shift++;
    if ((size_t)1 << sets.shift != sets.count)
        sets.shift = -1;
    return sets;
}

void hyp_counts_clear(HypSetCounts *counts, HypSets sets)
{
    counts->sets = sets;
    counts->start = 0;
    memset(counts->marks, 0, (sets.count + 63) / 64 * sizeof counts->marks[0]);
    memset(counts->change, 0, sets.count * sizeof counts->change[0]);
}

static inline void change_at(HypSetCounts *counts, size_t set, uint64_t lines)
{
    counts->marks[set / 64] |= (uint64_t)1 << set % 64;
    counts->change[set] += lines;
}

// `first` is a set.
static inline void add_lines(HypSetCounts *counts, size_t first, size_t lines, uint64_t each)
{
    const HypSets sets = counts->sets;
    const size_t end = first + hyp_sets_remainder(sets, lines);
    const bool around = end >= sets.count;
    counts->start += each * (hyp_sets_divide(sets, lines) + around);
    change_at(counts, first, each);
    change_at(counts, around ? end - sets.count : end, -each);
}

void hyp_counts_add(HypSetCounts *counts, size_t first, size_t lines, uint64_t each)
{
    add_lines(counts, hyp_sets_remainder(counts->sets, first), lines, each);
}

// Runs at every `period`-th start lie in the same sets.
static size_t find_period(const HypRuns *runs, size_t way)
{
    return runs->count > 1 ? way / hyp_size_divisor(way, runs->stride % way) : 1;
}

// Starts are kept modulo a way.
void hyp_counts_add_runs(HypSetCounts *counts, const HypRuns *runs, size_t line_floats,
                         uint64_t each)
{
    const unsigned line_shift = (unsigned)__builtin_ctzll(line_floats); // a power of 2
    const size_t sets = counts->sets.count;
    const size_t way = sets << line_shift;
    const size_t stride = runs->stride % way;
    const size_t left_out = runs->left_out_first + runs->left_out_last;
    const size_t period = find_period(runs, way);
    const size_t apart = runs->count < period ? runs->count : period;
    size_t start = runs->start % way;
    for (size_t i = 0; i < apart; i++) {
        const size_t times = (runs->count - i - 1) / period + 1;
        size_t first = start >> line_shift;
        const size_t lines = ((start + runs->width - 1) >> line_shift) + 1 - first;
        first += runs->left_out_first;
        first -= first >= sets ? sets : 0;
        if (lines > left_out)
            add_lines(counts, first, lines - left_out, times * each);
        start += stride;
        start -= start >= way ? way : 0;
    }
}
