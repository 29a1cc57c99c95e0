// SPDX-License-Identifier: Apache-2.0
// simulated_events.h - the events of the source sim, and what they are of a simulation.
#ifndef HYP_SIMULATED_EVENTS_H
#define HYP_SIMULATED_EVENTS_H

#include "counters/cache_events.h"
#include "hyperion/cache.h"

extern const CacheEventKind simulated_events;

// What one run in simulated caches came to.
typedef struct SimulatedCounts {
    HyperionCacheStats caches;
    // Fills of each level, those by one access that spans two lines counted once: so callgrind
    // counts its misses.
    uint64_t access_fills[HYPERION_MAX_CACHE_LEVELS];
} SimulatedCounts;

// NAN: the caches simulated have no such level.
double simulated_event_value(const CacheEvent *event, const SimulatedCounts *counts);

// Whether the event is one of access_fills, which take their time to count.
bool simulated_event_is_of_access(const CacheEvent *event);

#endif
