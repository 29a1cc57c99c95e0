// SPDX-License-Identifier: Apache-2.0
// search_bounds.h - what the exact search knows of a plan in the making, and whether it can still
// be completed.
//
// Plans are canonical: nothing can be pushed down, and buffers are placed in the order of their
// offsets, of equal ones in a static order. A node's unplaced buffers therefore come after the one
// placed last, and
// - one that was passed over, though it could have been placed lower, has to rest on another that
//   is not placed yet and begins below its top: its place is at least the lowest top of those;
// - in each section they follow one another, each at its lowest place or above: as tasks on a
//   machine, one at a time, each with the time from which it may run. The end of the last one, when
//   they are taken in the order of their lowest places, is the least height of the section.
#ifndef HYP_SEARCH_BOUNDS_H
#define HYP_SEARCH_BOUNDS_H

#include "memory/place_buffers.h"

// A buffer in the search; sizes and places are in units.
typedef struct HypSearchItem {
    int first, end; // sections
    int32_t size, alignment;
    int32_t lowest;  // above all that is placed and needed with it
    int below;       // the item that is placed there, or highest of those; -1: none
    int32_t bounded; // what hyp_search_fits last took for its lowest place
    int rank;        // in the static order
    int twin;        // the first buffer that differs in nothing
    int32_t placed;  // where, on the way to the plan found
} HypSearchItem;

// The unplaced items, and the last one placed, before which none may come any more.
typedef struct HypSearchNode {
    int first, end; // range of HypSearchBounds.set
    int32_t offset; // of the last one
    int rank;
} HypSearchNode;

typedef struct HypSearchBounds {
    HypSearchItem *items;
    int item_count; // that take part: those that are never needed or empty do not
    int *set;       // items; a node's unplaced ones are a range of it, in any order
    int *by_place;  // scratch: a node's items by `bounded`
    int32_t capacity;
    int section_count;
    // By section:
    int32_t *unplaced; // sizes of the unplaced, in sum
    int32_t *height;   // scratch: least, with all unplaced in it
    int *crossing;     // unplaced items that the next section needs as well
    double *failures;  // how often nothing more could be placed in it
    // Why one of the questions below was answered with no: the items that `failed_section` needs at
    // or above `failed_place`, or -1 and an item that was passed over and has nothing to rest on.
    int failed_section, failed_item;
    int32_t failed_place;
} HypSearchBounds;

enum { HYP_SEARCH_WORD_BITS = 64, HYP_SEARCH_MOST_UNITS = 1 << 30 };

// With all items unplaced. False, last error set, when out of memory; to be freed in either case.
// The capacity is less than HYP_SEARCH_MOST_UNITS units, and sizes of no section exceed it.
bool hyp_search_bounds_create(HypSearchBounds *bounds, const HypPlacement *placement,
                              size_t capacity_bytes);
void hyp_search_bounds_free(HypSearchBounds *bounds);

// The sections that the node's items need, from the first to the last.
HypSpan hyp_search_node_sections(const HypSearchBounds *bounds, HypSearchNode node);

// Counts the item as placed (-1) or unplaced (1) in its sections.
void hyp_search_change_sections(const HypSearchBounds *bounds, const HypSearchItem *item, int sign);

// Whether the node's items may still fit; sorts its range of the set.
bool hyp_search_fits(HypSearchBounds *bounds, HypSearchNode node);

// Whether an item that could be placed at node.offset may be passed over; sorts likewise.
bool hyp_search_may_pass(HypSearchBounds *bounds, HypSearchNode node, int item);

// Adds the items of the node that the last no rests on to a set of bits.
void hyp_search_blame(const HypSearchBounds *bounds, HypSearchNode node, uint64_t *blamed);

static inline void hyp_search_blame_item(uint64_t *blamed, int item)
{
    blamed[item / HYP_SEARCH_WORD_BITS] |= (uint64_t)1 << (item % HYP_SEARCH_WORD_BITS);
}

static inline int32_t hyp_search_round_up(int32_t place, int32_t alignment)
{
    return alignment <= 1 ? place : (place + alignment - 1) / alignment * alignment;
}

#endif
