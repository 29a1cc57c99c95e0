// SPDX-License-Identifier: Apache-2.0
#include "cache/set_counts.h"

#include <string.h>

HypSets hyp_sets_of(size_t count)
{
    const bool is_power = (count & (count - 1)) == 0;
    return (HypSets){count, is_power ? __builtin_ctzll(count) : -1};
}

HypSets hyp_find_sets(const HypCacheShape *cache)
{
    return hyp_sets_of((size_t)cache->sets);
}

void hyp_counts_clear(HypSetCounts *counts, HypSets sets)
{
    counts->sets = sets;
    counts->everywhere = 0;
    memset(counts->more, 0, (sets.count + HYP_SETS_BEYOND) * sizeof counts->more[0]);
}

// A register of counts. Vectors, as compilers do not find them here.
enum { TOGETHER = 8, TWICE = 2 * TOGETHER };
typedef uint16_t Lanes __attribute__((vector_size(TOGETHER * sizeof(uint16_t))));

static inline Lanes load(const uint16_t *from)
{
    Lanes lanes;
    memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

static inline void add(uint16_t *more, Lanes lanes)
{
    lanes += load(more);
    memcpy(more, &lanes, sizeof lanes);
}

// Whole registers at places that are multiples of their size, or what one run wrote would be late
// for the next. No branch tells runs within one register from those in two.
static inline void add_to_sets(HypSetCounts *counts, size_t first, size_t lines, uint16_t times)
{
    static const uint16_t ones[4 * TOGETHER] = {0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
                                                0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
                                                0xffff, 0xffff, 0xffff, 0xffff};
    const size_t before = first % TOGETHER;
    const size_t end = before + lines;
    const Lanes all = {times, times, times, times, times, times, times, times};
    uint16_t *more = &counts->more[first - before];
    const Lanes until = load(&ones[TWICE - (end < TOGETHER ? end : TOGETHER)]);
    add(more, all & until & ~load(&ones[TWICE - before]));
    size_t at = TOGETHER;
    for (; at + TOGETHER <= end; at += TOGETHER)
        add(&more[at], all);
    add(&more[at], all & load(&ones[TWICE + at - end]));
}

// `times` runs of `lines` lines from set `first` on, in a circle.
static inline void add_lines(HypSetCounts *counts, size_t first, size_t lines, size_t times)
{
    const size_t sets = counts->sets.count;
    if (lines >= sets) {
        counts->everywhere += times * hyp_sets_divide(counts->sets, lines);
        lines = hyp_sets_remainder(counts->sets, lines);
    }
    const size_t end = first + lines;
    if (end > sets)
        add_to_sets(counts, 0, end - sets, (uint16_t)times);
    add_to_sets(counts, first, end > sets ? sets - first : lines, (uint16_t)times);
}

// After so many runs their starts come back to the same places in a way, if that is a power of 2.
static size_t find_period(const HypRuns *runs, size_t stride, size_t way)
{
    if (runs->count <= 1 || (way & (way - 1)) != 0)
        return runs->count;
    const size_t period = stride == 0 ? 1 : way >> __builtin_ctzll(stride);
    return period < runs->count ? period : runs->count;
}

// Starts are kept modulo a way.
void hyp_counts_add_runs(HypSetCounts *counts, const HypRuns *runs, size_t line_floats)
{
    if (runs->count == 0)
        return;
    const unsigned line_shift = (unsigned)__builtin_ctzll(line_floats); // a power of 2
    const size_t sets = counts->sets.count;
    const size_t way = sets << line_shift;
    const size_t stride = hyp_sets_remainder(counts->sets, runs->stride >> line_shift)
                              << line_shift |
                          (runs->stride & (line_floats - 1));
    const size_t left_out = runs->left_out_first + runs->left_out_last;
    const size_t period = find_period(runs, stride, way);
    size_t times = period < runs->count ? runs->count / period + 1 : 1;
    const size_t last_of_times = runs->count - (times - 1) * period;
    size_t start = runs->start % way;
    for (size_t i = 0; i < period; i++) {
        if (i == last_of_times)
            times--;
        size_t first = start >> line_shift;
        const size_t lines = ((start + runs->width - 1) >> line_shift) + 1 - first;
        first += runs->left_out_first;
        first -= first >= sets ? sets : 0;
        if (lines > left_out)
            add_lines(counts, first, lines - left_out, times);
        start += stride;
        start -= start >= way ? way : 0;
    }
}

double hyp_counts_evicted_share(const HypSetCounts *own, const HypSetCounts *others, size_t ways)
{
    const size_t all = own->everywhere + others->everywhere;
    if (all > ways)
        return 1;
    const uint32_t room = (uint32_t)(ways - all);
    uint32_t full_sets = 0;
    uint32_t evicted = 0;
    uint32_t more = 0;
    for (size_t i = 0; i < own->sets.count; i++) {
        const uint32_t mine = own->more[i];
        const uint32_t full = mine + others->more[i] > room;
        full_sets += full;
        evicted += full * mine;
        more += mine;
    }
    const double lines = (double)(own->everywhere * own->sets.count + more);
    return lines > 0 ? (double)(own->everywhere * full_sets + evicted) / lines : 0;
}
