// SPDX-License-Identifier: Apache-2.0
// place_buffers.h - heuristics that place buffers one after another: an order, and which of the
// gaps between those placed before. A strategy is a struct in a file place_*.c and one row of the
// table in place_buffers.c.
#ifndef HYP_PLACE_BUFFERS_H
#define HYP_PLACE_BUFFERS_H

#include "memory/sections.h"

typedef struct HypPlacement {
    const HyperionBuffer *buffers;
    size_t count;
    HypSections sections;
} HypPlacement;

typedef struct HypPlacementStrategy {
    const char *name;
    bool best_fit; // the smallest gap that is large enough, else the lowest
    // Fills keys[buffer]: those of greater keys are placed first, of equal keys the earlier ones.
    // False, last error set, when out of memory.
    bool (*rank)(const HypPlacement *placement, double *keys);
} HypPlacementStrategy;

extern const HypPlacementStrategy hyp_place_by_size;
extern const HypPlacementStrategy hyp_place_by_area;
extern const HypPlacementStrategy hyp_place_by_breadth;
extern const HypPlacementStrategy hyp_place_by_lifetime;
extern const HypPlacementStrategy hyp_place_by_start;
extern const HypPlacementStrategy hyp_place_by_conflict;
extern const HypPlacementStrategy hyp_place_by_size_lowest;

// The greatest common divisor of all sizes and alignments: pushed down, all offsets are multiples.
size_t hyp_placement_unit(const HypPlacement *placement);

// NULL past the last.
const HypPlacementStrategy *hyp_placement_strategy(int index);

// Height of the strategy's placement, whose offsets it fills; SIZE_MAX, last error set, when out of
// memory or where heights do not fit in a size.
size_t hyp_placement_run(const HypPlacement *placement, const HypPlacementStrategy *strategy,
                         size_t *offsets);

#endif
