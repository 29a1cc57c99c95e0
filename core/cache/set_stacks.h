// SPDX-License-Identifier: Apache-2.0
// set_stacks.h - a cache under LRU that is told of runs of consecutive lines. Sixteen sets move
// together: a run costs about what a line does where lines are told one by one.
#ifndef HYP_SET_STACKS_H
#define HYP_SET_STACKS_H

#include "cache/set_counts.h"
#include "cache/stack_lanes.h"

#include <stdbool.h>

// What is told is counted apart by kinds, of which each walk has its own.
enum { HYP_STACK_KINDS = 5 };

// Lines of one group of sets, each in a set of its own: as long as no set gets a second one their
// order means nothing.
typedef struct HypStackWaiting {
    HypStackEntries entries;
    uint16_t lanes, kinds[HYP_STACK_KINDS]; // that wait, a bit each, and those of each kind
} HypStackWaiting;

typedef struct HypSetStacks HypSetStacks;

// Rows of `width` floats, `stride` from start to start; a line is 1 << line_shift of them.
typedef struct HypStackRows {
    size_t start, width, stride, count;
    unsigned line_shift;
} HypStackRows;

// The inner loops, for the registers of some processors: all do the same.
typedef struct HypStackLoops {
    void (*touch)(HypSetStacks *stacks, unsigned kind, size_t first, size_t lines);
    void (*touch_rows)(HypSetStacks *stacks, unsigned kind, const HypStackRows *rows);
    void (*flush)(HypSetStacks *stacks); // what waits
} HypStackLoops;

extern const HypStackLoops hyp_stack_loops_plain;
extern const HypStackLoops hyp_stack_loops_avx2; // NULL where the compiler does not know AVX2

struct HypSetStacks {
    HypSets groups; // of neighbouring sets, or of one set each where groups do not divide them
    size_t ways;
    unsigned lane_shift;      // sets of a group
    HypStackEntries *stacks;  // of a group after another, `ways` each
    HypStackWaiting *waiting; // by group
    const HypStackLoops *loops;
    double weight;                        // of what is told now
    size_t missed_since[HYP_STACK_KINDS]; // lines, since the weight changed
    double missed[HYP_STACK_KINDS];       // since misses were taken, weighed
};

// The cache that stands for another, of which `lines` are touched. One that is searched as a whole:
// one of sets as large as they come, over which lines side by side spread evenly. One of more sets
// than lines: one of as many, which keeps them as well.
HypCacheShape hyp_stacks_shape(HypCacheShape cache, double lines);

// An empty cache. False: out of memory.
bool hyp_stacks_open(HypSetStacks *stacks, const HypCacheShape *cache);
void hyp_stacks_close(HypSetStacks *stacks);

// Makes it empty again: what was missed stays counted.
void hyp_stacks_clear(HypSetStacks *stacks);

// Lines `first` to `first` + `lines` - 1, counted from one origin for all.
static inline void hyp_stacks_touch(HypSetStacks *stacks, unsigned kind, size_t first, size_t lines)
{
    stacks->loops->touch(stacks, kind, first, lines);
}

// The lines of each row, one row after another.
static inline void hyp_stacks_touch_rows(HypSetStacks *stacks, unsigned kind,
                                         const HypStackRows *rows)
{
    stacks->loops->touch_rows(stacks, kind, rows);
}

// What is told from here on counts `weight` times.
void hyp_stacks_weigh(HypSetStacks *stacks, double weight);

// Lines that were missed since the last time.
typedef struct HypStackMisses {
    double all, of[HYP_STACK_KINDS];
} HypStackMisses;

HypStackMisses hyp_stacks_take(HypSetStacks *stacks);

#endif
