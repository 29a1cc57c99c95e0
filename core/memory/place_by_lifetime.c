// SPDX-License-Identifier: Apache-2.0
// Those that are needed longest first.
#include "memory/place_buffers.h"

static bool rank(const HypPlacement *placement, double *keys)
{
    for (size_t i = 0; i < placement->count; i++)
        keys[i] = (double)placement->buffers[i].upper - (double)placement->buffers[i].lower;
    return true;
}

const HypPlacementStrategy hyp_place_by_lifetime = {"lifetime", false, rank};
