// SPDX-License-Identifier: Apache-2.0
// Greedy by size (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference",
// 2020), as TensorFlow Lite ships it, with the smallest or with the lowest gap.
#include "memory/place_buffers.h"

static bool rank(const HypPlacement *placement, double *keys)
{
    for (size_t i = 0; i < placement->count; i++)
        keys[i] = (double)placement->buffers[i].size_bytes;
    return true;
}

const HypPlacementStrategy hyp_place_by_size = {"size", true, rank};
const HypPlacementStrategy hyp_place_by_size_lowest = {"size-lowest", false, rank};
