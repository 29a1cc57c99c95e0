// SPDX-License-Identifier: Apache-2.0
// cache_simulator.h - the inside of a HyperionSimulator: cache_simulator.c is told of touches,
// simulator_caches.c makes the caches and reads their counters.
#ifndef HYP_CACHE_SIMULATOR_H
#define HYP_CACHE_SIMULATOR_H

#include "hyperion/simulate.h"

#include "cache/cache_sets.h"

typedef struct HypCacheCounters {
    uint64_t accesses, misses, fills, write_backs;
} HypCacheCounters;

typedef struct HypCacheInstance {
    HypCacheSets sets;
    HypCacheCounters counters;
} HypCacheInstance;

typedef struct HypSimulatorLevel {
    HyperionCacheLevel geometry;
    int cores; // that share an instance
    int instance_count;
    HypCacheInstance *instances;
} HypSimulatorLevel;

typedef enum HypCacheEventKind {
    HYP_EVENT_FETCH,
    HYP_EVENT_PREFETCH,
    HYP_EVENT_WRITE_BACK,
    HYP_EVENT_VICTIM
} HypCacheEventKind;

typedef struct HypCacheEvent {
    uint64_t position; // touches of its thread before it
    uint64_t entry;    // see cache_sets.h
    HypCacheEventKind kind;
} HypCacheEvent;

typedef struct HypSimulatorThread {
    HypCacheInstance *path[HYPERION_MAX_CACHE_LEVELS];
    uint64_t last_line; // touched before; none: UINT64_MAX
    HyperionTouch last_kind;
    uint64_t position;
    HypCacheEvent *events; // of the tasks under way
    size_t event_count, event_capacity, merged;
} HypSimulatorThread;

struct HyperionSimulator {
    HyperionCacheAssumptions assumptions;
    int level_count, private_levels, thread_count;
    uint64_t line_shift, page_shift;      // bytes of a line, lines of a page
    uint64_t page, frame;                 // the last page translated
    uint64_t memory_reads, memory_writes; // lines
    uint64_t prefetches;
    bool deferring; // events wait for the other threads
    // One thread touches a first level under LRU, at addresses that are what they seem, and the
    // second is none that holds victims.
    bool direct;
    HypSimulatorThread *current;
    HypSimulatorThread *threads;
    HypSimulatorLevel levels[HYPERION_MAX_CACHE_LEVELS];
};

#endif
