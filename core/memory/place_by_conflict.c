// SPDX-License-Identifier: Apache-2.0
// Conflict order: those first that are needed together with most other bytes.
#include "memory/place_buffers.h"

static bool rank(const HypPlacement *placement, double *keys)
{
    const HypSpan *spans = placement->sections.spans;
    for (size_t i = 0; i < placement->count; i++) {
        keys[i] = 0;
        for (size_t j = 0; j < placement->count; j++)
            if (spans[i].first < spans[j].end && spans[j].first < spans[i].end)
                keys[i] += (double)placement->buffers[j].size_bytes;
    }
    return true;
}

const HypPlacementStrategy hyp_place_by_conflict = {"conflict", false, rank};
