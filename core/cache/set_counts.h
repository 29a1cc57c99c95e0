// SPDX-License-Identifier: Apache-2.0
// set_counts.h - how many lines of given runs lie in each set of a cache. Runs are told by where
// their sum over the sets rises and falls, so that long ones cost no more than short ones.
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

HypSets hyp_find_sets(const HypCacheShape *cache);

static inline size_t hyp_sets_divide(HypSets sets, size_t lines)
{
    return sets.shift >= 0 ? lines >> sets.shift : lines / sets.count;
}

static inline size_t hyp_sets_remainder(HypSets sets, size_t lines)
{
    return sets.shift >= 0 ? lines & (sets.count - 1) : lines % sets.count;
}

// Lines are counted as two numbers in one: all in the lower half, own ones in the upper as well.
// Differences wrap around, as their sums do back.
#define HYP_LINE_OTHER ((uint64_t)1)
#define HYP_LINE_OWN ((uint64_t)1 << 32 | 1)

static inline uint32_t hyp_own_lines(uint64_t lines)
{
    return (uint32_t)(lines >> 32);
}

static inline uint32_t hyp_all_lines(uint64_t lines)
{
    return (uint32_t)lines;
}

// `start` and what changes from one set to the next add up to the lines in a set.
typedef struct HypSetCounts {
    HypSets sets;
    uint64_t start;
    uint64_t marks[HYP_MOST_COUNTED_SETS / 64]; // a bit for each set whose change may not be 0
    uint64_t change[HYP_MOST_COUNTED_SETS];
} HypSetCounts;

void hyp_counts_clear(HypSetCounts *counts, HypSets sets);

// `lines` consecutive ones, each of them HYP_LINE_OTHER or HYP_LINE_OWN.
void hyp_counts_add(HypSetCounts *counts, size_t first, size_t lines, uint64_t each);

// `count` runs of `width` floats, `stride` from start to start, of each the lines at its ends left
// out that another run has.
typedef struct HypRuns {
    size_t start, width, stride, count;
    size_t left_out_first, left_out_last;
} HypRuns;

void hyp_counts_add_runs(HypSetCounts *counts, const HypRuns *runs, size_t line_floats,
                         uint64_t each);

// Consecutive sets that hold as many lines.
typedef struct HypSetSpan {
    size_t first, end;
    uint64_t lines;
} HypSetSpan;

static inline HypSetSpan hyp_counts_begin(const HypSetCounts *counts)
{
    return (HypSetSpan){.lines = counts->start};
}

// False at the end.
static inline bool hyp_counts_next(const HypSetCounts *counts, HypSetSpan *span)
{
    const size_t sets = counts->sets.count;
    if (span->end >= sets)
        return false;
    span->first = span->end;
    span->lines += counts->change[span->first];
    size_t set = span->first + 1;
    while (set < sets) {
        const uint64_t rest = counts->marks[set / 64] >> set % 64;
        if (rest != 0) {
            set += (size_t)__builtin_ctzll(rest);
            break;
        }
        set += 64 - set % 64;
    }
    span->end = set < sets ? set : sets;
    return true;
}

#endif
