// SPDX-License-Identifier: Apache-2.0
// chase.h - a pointer chase: how long a load takes that waits for the one before, over arrays of
// growing size; and what capacities and latencies that shows.
#ifndef HYP_CHASE_H
#define HYP_CHASE_H

#include "common/problem.h"
#include "hyperion/cache.h"

#include <jansson.h>

enum { CHASE_MOST_POINTS = 192 };

// Over lines in random order, so that no prefetcher can follow.
typedef struct ChasePoint {
    size_t array_bytes;
    double least_ns, median_ns, high_ns; // a load; of the runs: least, median, 90th percentile
} ChasePoint;

typedef struct ChaseCurve {
    ChasePoint points[CHASE_MOST_POINTS]; // by size
    size_t count;
    double huge_bytes; // of the memory, on huge pages; NAN unknown
    size_t memory_bytes;
} ChaseCurve;

// What one level, or the memory behind them, was seen to be.
typedef struct ObservedLevel {
    size_t capacity_bytes; // largest array of which three of four loads find it there; 0 unknown,
                           // or memory
    double least_ns, median_ns, high_ns; // latency; NAN unknown
    const char *reason;                  // why the capacity is unknown; NULL = it is known
} ObservedLevel;

// The calling thread, bound by the caller, chases from 8 KiB to twice `last_level_bytes`, 64 MiB at
// least, an eighth of the machine's memory at most. Takes some seconds. False: no memory.
bool chase_measure(size_t last_level_bytes, ChaseCurve *curve, Problem *problem);

// observed[0 .. level_count - 1] from the curve, observed[level_count] is memory. The geometry
// tells how many steps to look for and about where; how large a level is, the curve tells alone.
void chase_find_levels(const ChaseCurve *curve, const HyperionCacheTopology *advertised,
                       ObservedLevel observed[HYPERION_MAX_CACHE_LEVELS + 1]);

#endif
