// SPDX-License-Identifier: Apache-2.0
// Those that take most bytes for most steps first.
#include "memory/place_buffers.h"

static bool rank(const HypPlacement *placement, double *keys)
{
    for (size_t i = 0; i < placement->count; i++) {
        const HyperionBuffer *buffer = &placement->buffers[i];
        keys[i] = (double)buffer->size_bytes * ((double)buffer->upper - (double)buffer->lower);
    }
    return true;
}

const HypPlacementStrategy hyp_place_by_area = {"area", true, rank};
