// SPDX-License-Identifier: Apache-2.0
// cache_events.h - names of counts of simulated caches: "<source>.L1.misses" as an iteration finds
// the caches by the axis cache_state, "<source>.cold.L1.misses" from empty ones; what is of no
// level, "<source>.prefetches".
#ifndef HYP_CACHE_EVENTS_H
#define HYP_CACHE_EVENTS_H

#include "counters/counters.h"

#include <stdbool.h>
#include <stddef.h>

enum { CACHE_EVENT_NAME_BYTES = 64 };

typedef struct CacheCount {
    const char *name;
    bool of_level;
} CacheCount;

typedef struct CacheEvent {
    bool cold;
    int level;    // from 1; 0 = of none
    size_t count; // index into the counts of its source
} CacheEvent;

// What a source counts.
typedef struct CacheEventKind {
    const char *source;       // "sim"
    const CacheCount *counts; // ended by a NULL name
} CacheEventKind;

// False: not such a name.
bool cache_event_parse(const CacheEventKind *kind, const char *name, CacheEvent *event);

// The name of a count, in CACHE_EVENT_NAME_BYTES.
void cache_event_format(const CacheEventKind *kind, const CacheEvent *event, char *name);

// As CounterSource.list: a row a count, "sim.L<n>.misses", available unless there is a reason.
size_t cache_events_list(const CacheEventKind *kind, const char *native, const char *reason,
                         CounterEvent *events, size_t capacity);

#endif
