// SPDX-License-Identifier: Apache-2.0
// In the order in which they are first needed, as an allocator meets them during a run.
#include "memory/place_buffers.h"

static bool rank(const HypPlacement *placement, double *keys)
{
    for (size_t i = 0; i < placement->count; i++)
        keys[i] = -(double)placement->buffers[i].lower;
    return true;
}

const HypPlacementStrategy hyp_place_by_start = {"start", true, rank};
