// SPDX-License-Identifier: Apache-2.0
#include "counters/simulated_events.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Of a level, then of all together; each is a uint64_t.
#define COUNTS(LEVEL, ALL)                                                                         \
    LEVEL(accesses)                                                                                \
    LEVEL(hits)                                                                                    \
    LEVEL(misses)                                                                                  \
    LEVEL(fills)                                                                                   \
    LEVEL(write_backs)                                                                             \
    LEVEL(busiest_accesses)                                                                        \
    LEVEL(busiest_misses)                                                                          \
    LEVEL(busiest_fills)                                                                           \
    ALL(memory_read_bytes)                                                                         \
    ALL(memory_write_bytes)                                                                        \
    ALL(prefetches)

static const CacheCount count_names[] = {
#define LEVEL(field) {#field, true},
#define ALL(field) {#field, false},
    COUNTS(LEVEL, ALL){"access_fills", true}, // behind the fields of the statistics
    {NULL, false},
#undef LEVEL
#undef ALL
};
static const size_t offsets[] = {
#define LEVEL(field) offsetof(HyperionCacheLevelStats, field),
#define ALL(field) offsetof(HyperionCacheStats, field),
    COUNTS(LEVEL, ALL)
#undef LEVEL
#undef ALL
};

const CacheEventKind simulated_events = {"sim", count_names};

bool simulated_event_is_of_access(const CacheEvent *event)
{
    return event->count == sizeof offsets / sizeof offsets[0];
}

double simulated_event_value(const CacheEvent *event, const SimulatedCounts *counts)
{
    const HyperionCacheStats *caches = &counts->caches;
    uint64_t value = 0;
    if (event->level > caches->level_count)
        return NAN;
    if (simulated_event_is_of_access(event))
        return (double)counts->access_fills[event->level - 1];
    const char *from =
        event->level > 0 ? (const char *)&caches->levels[event->level - 1] : (const char *)caches;
    memcpy(&value, from + offsets[event->count], sizeof value);
    return (double)value;
}
