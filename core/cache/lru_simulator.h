// SPDX-License-Identifier: Apache-2.0
// lru_simulator.h - exact caches at line granularity, driven by touches of line numbers.
//
// Every level: set-associative, true least-recently-used, write-allocate, write-back. Neither
// inclusive nor exclusive: what misses is put into every level on the way, and a level that loses a
// line leaves the copies in other levels alone. A written-back line makes its copy in the next
// level that has one dirty, without touching its recency; where no level has one it goes to memory.
// So write-backs never change which touches hit. Set = line number modulo sets; a level whose size
// is no whole number of sets is cut to one that is.
#ifndef HYP_LRU_SIMULATOR_H
#define HYP_LRU_SIMULATOR_H

#include "hyperion/cache.h"

typedef struct HypLruSimulator HypLruSimulator;

typedef enum HypTouchKind {
    HYP_TOUCH_READ,
    HYP_TOUCH_WRITE,
    HYP_TOUCH_PREFETCH // fills every level like a read; not counted as access, hit or miss
} HypTouchKind;

// Empty caches of a geometry without unknowns (hyp_cache_topology_complete). NULL when out of
// memory. Not for use by two threads at once.
HypLruSimulator *hyp_lru_create(const HyperionCacheTopology *topology);
void hyp_lru_destroy(HypLruSimulator *simulator); // NULL is allowed

// One touch of line number `line` (address / line size; the top two bits 0).
void hyp_lru_touch(HypLruSimulator *simulator, uint64_t line, HypTouchKind kind);

// Every line that holds one of `size_bytes` (may be 0) bytes from `address`, in ascending order.
void hyp_lru_touch_bytes(HypLruSimulator *simulator, uint64_t address, size_t size_bytes,
                         HypTouchKind kind);

// Sets the counters to 0 and keeps the contents: what follows is counted from warm caches.
void hyp_lru_reset_counters(HypLruSimulator *simulator);

// Counts so far, all fields set: misses_low = misses_high = misses, tier REPLAY. Lines that are
// still dirty in a cache are in no write-back count.
HyperionCacheStats hyp_lru_statistics(const HypLruSimulator *simulator);

#endif
