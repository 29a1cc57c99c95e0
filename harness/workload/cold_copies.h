// SPDX-License-Identifier: Apache-2.0
// cold_copies.h - how caches are kept cold without anything but the iterations in the timed loop:
// each iteration uses the next of so many copies of its data that the last level has evicted a copy
// long before its turn comes again. Nothing is flushed: the clock sees the misses and nothing else.
#ifndef HYP_COLD_COPIES_H
#define HYP_COLD_COPIES_H

#include "common/problem.h"
#include "scenario/axes.h"

#include <stddef.h>

typedef enum CacheState {
    CACHE_WARM,         // whatever the iteration before has left
    CACHE_WEIGHTS_COLD, // weights come from memory
    CACHE_ALL_COLD      // all operands do
} CacheState;

// Of values[AXIS_CACHE_STATE].
CacheState cold_copies_state(const AxisValue *values);

// Copies of `data_bytes` that together exceed twice the last level, and one more. False where its
// size is unknown or nothing is there to copy.
bool cold_copies_count(size_t data_bytes, size_t last_level_bytes, size_t *copies,
                       Problem *problem);

// A step through `copies` that visits all of them, neighbours far apart, so that no prefetcher runs
// from one into the next.
size_t cold_copies_step(size_t copies);

#endif
