// SPDX-License-Identifier: Apache-2.0
// set_counts.h - how many lines of runs at known places lie in each set of a cache.
#ifndef HYP_SET_COUNTS_H
#define HYP_SET_COUNTS_H

#include "cache/occupancy.h"

#include <stdint.h>

// Of more sets a window fills but a small part, and is taken as spread over all.
enum { HYP_MOST_COUNTED_SETS = 4096 };

// Sets of a cache, mostly a power of two: a prediction divides by them some thousand times.
typedef struct HypSets {
    size_t count;
    int shift; // below 0: no power of two
} HypSets;

HypSets hyp_sets_of(size_t count);
HypSets hyp_find_sets(const HypCacheShape *cache);

static inline size_t hyp_sets_divide(HypSets sets, size_t lines)
{
    return sets.shift >= 0 ? lines >> sets.shift : lines / sets.count;
}

static inline size_t hyp_sets_remainder(HypSets sets, size_t lines)
{
    return sets.shift >= 0 ? lines & (sets.count - 1) : lines % sets.count;
}

enum { HYP_SETS_BEYOND = 16 }; // the last one: where counts of several at once end

// Lines in a set: `everywhere` and so many more as it has alone.
typedef struct HypSetCounts {
    HypSets sets;
    size_t everywhere;
    _Alignas(16) uint16_t more[HYP_MOST_COUNTED_SETS + HYP_SETS_BEYOND];
} HypSetCounts;

void hyp_counts_clear(HypSetCounts *counts, HypSets sets);

// `count` runs of `width` floats, `stride` from start to start, of each so many lines at its ends
// left out.
typedef struct HypRuns {
    size_t start, width, stride, count;
    size_t left_out_first, left_out_last;
} HypRuns;

// Adds their lines.
void hyp_counts_add_runs(HypSetCounts *counts, const HypRuns *runs, size_t line_floats);

// Of the lines in `own`, the share in sets that have more lines, with `others`, than ways.
double hyp_counts_evicted_share(const HypSetCounts *own, const HypSetCounts *others, size_t ways);

#endif
