// SPDX-License-Identifier: Apache-2.0
// set_stacks_touch.h - the inner loops of caches told of runs of lines, for the registers of who
// includes it.
#ifndef HYP_SET_STACKS_TOUCH_H
#define HYP_SET_STACKS_TOUCH_H

#include "cache/set_stacks.h"

enum {
    ALL_LANES = 0xffff,
    // An entry of a stack: 1 and more by how many times its lines come round all sets. Lines
    // further apart are taken for one.
    ROUNDS_MASK = 0x7fff,
};

// Bits set, where not every processor has an instruction for it.
static inline unsigned count_lanes(unsigned mask)
{
#ifdef __POPCNT__
    return (unsigned)__builtin_popcount(mask);
#else
    mask -= mask >> 1 & 0x5555;
    mask = (mask & 0x3333) + (mask >> 2 & 0x3333);
    mask = (mask + (mask >> 4)) & 0x0f0f;
    return (mask + (mask >> 8)) & 0x1f;
#endif
}

static inline void flush_group(HypSetStacks *stacks, size_t group)
{
    HypStackWaiting *waiting = &stacks->waiting[group];
    const unsigned missed = hyp_lanes_move(stacks->stacks + group * stacks->ways, stacks->ways,
                                           &waiting->entries, waiting->lanes);
    for (int kind = 0; kind < HYP_STACK_KINDS && missed; kind++)
        stacks->missed_since[kind] += count_lanes(missed & waiting->kinds[kind]);
    waiting->lanes = 0;
    memset(waiting->kinds, 0, sizeof waiting->kinds);
}

// Lanes of one group.
static inline void touch_lanes(HypSetStacks *stacks, unsigned kind, size_t group, unsigned mask,
                               unsigned entry)
{
    HypStackWaiting *waiting = &stacks->waiting[group];
    if (waiting->lanes & mask)
        flush_group(stacks, group);
    waiting->lanes = (uint16_t)(waiting->lanes | mask);
    waiting->kinds[kind] = (uint16_t)(waiting->kinds[kind] | mask);
    hyp_lanes_set(&waiting->entries, mask, entry);
}

static inline void touch_lines(HypSetStacks *stacks, unsigned kind, size_t first, size_t lines)
{
    const size_t lanes = (size_t)1 << stacks->lane_shift;
    const size_t in_memory = first >> stacks->lane_shift;
    size_t lane = first & (lanes - 1);
    size_t round = hyp_sets_divide(stacks->groups, in_memory);
    size_t group = hyp_sets_remainder(stacks->groups, in_memory);
    for (size_t left = lines, count; left > 0; left -= count) {
        count = left < lanes - lane ? left : lanes - lane;
        touch_lanes(stacks, kind, group, (unsigned)ALL_LANES >> (HYP_STACK_LANES - count) << lane,
                    (unsigned)(round & ROUNDS_MASK) + 1);
        lane = 0;
        if (++group == stacks->groups.count) {
            group = 0;
            round++;
        }
    }
}

static void touch_run(HypSetStacks *stacks, unsigned kind, size_t first, size_t lines)
{
    touch_lines(stacks, kind, first, lines);
}

static void touch_rows(HypSetStacks *stacks, unsigned kind, const HypStackRows *rows)
{
    size_t start = rows->start;
    for (size_t row = 0; row < rows->count; row++, start += rows->stride) {
        const size_t first = start >> rows->line_shift;
        const size_t last = (start + rows->width - 1) >> rows->line_shift;
        touch_lines(stacks, kind, first, last - first + 1);
    }
}

static void flush_all(HypSetStacks *stacks)
{
    for (size_t group = 0; group < stacks->groups.count; group++)
        flush_group(stacks, group);
}

#endif
