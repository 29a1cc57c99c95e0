// SPDX-License-Identifier: Apache-2.0
// exact_search.h - whether buffers fit within a capacity, by branch and bound.
//
// Only canonical plans are searched: nothing can be pushed down, and buffers are placed in the
// order of their offsets (of equal ones in a static order). Every plan can be pushed down into one
// of these, so that a search that ends without one proves that there is none. A node is given up
// when
// - the unplaced buffers do not fit any more (search_bounds.h);
// - an unplaced buffer would fit wholly below the next place: then it could be pushed down
// (dominance);
// - what failed at its lowest place has nothing unplaced to rest on that would raise it, and so no
// other place;
// - what was placed last lies on one that is needed in the same sections and comes after it in the
// static order: the two could change places.
//
// Where no unplaced buffer is needed on both sides of a step, the sides are searched apart. After
// Moffitt, "MiniMalloc" (ASPLOS 2023).
//
// What fails far from where the search went wrong is not searched again for each of the places in
// between: a failure tells which unplaced buffers' lowest places it rests on, and nodes whose own
// buffer raised none of them are given up at once (conflict-directed backjumping, Prosser 1993).
// Since plans may hide behind those, this is done in turns that find plans, a tenth of the nodes
// being typical, and not in those that prove. Turns have growing numbers of nodes and static orders
// of their own, with noise, that put first what failed most in the turns before.
#ifndef HYP_EXACT_SEARCH_H
#define HYP_EXACT_SEARCH_H

#include "memory/place_buffers.h"

typedef enum HypSearchAnswer {
    HYP_SEARCH_FOUND,
    HYP_SEARCH_NONE,    // proved
    HYP_SEARCH_UNKNOWN, // the nodes or the time are used up
    HYP_SEARCH_FAILED   // last error set
} HypSearchAnswer;

typedef struct HypSearchLimits {
    uint64_t most_nodes; // in all; UINT64_MAX = none
    uint64_t end_ns;     // of hyp_platform_now_ns; UINT64_MAX = none
    uint64_t nodes;      // used so far, added to
} HypSearchLimits;

// Whether the sizes can be searched: at most 8192 buffers, the capacity below 2^30 units.
bool hyp_search_is_possible(const HypPlacement *placement, size_t capacity_bytes);

// Fills `offsets` when found, else leaves them. hyp_search_is_possible.
HypSearchAnswer hyp_search_capacity(const HypPlacement *placement, size_t capacity_bytes,
                                    HypSearchLimits *limits, size_t *offsets);

#endif
