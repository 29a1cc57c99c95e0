// SPDX-License-Identifier: Apache-2.0
// callgrind.h - what callgrind is told to simulate, and its output read back. Pure: nothing is run.
#ifndef HYP_CALLGRIND_H
#define HYP_CALLGRIND_H

#include "common/problem.h"
#include "hyperion/cache.h"

// Callgrind simulates two levels of data caches and no more.
typedef struct SimulatedCache {
    int level; // in the topology, from 1
    size_t size_bytes;
    int ways, line_bytes;
} SimulatedCache;

typedef struct SimulatedCaches {
    SimulatedCache first, last;
} SimulatedCaches;

// First and last level of the topology; a number of sets that is no power of two, which callgrind
// refuses, is rounded down to one. False, with the reason, where there are no two levels or one is
// not known well enough.
bool callgrind_choose_caches(const HyperionCacheTopology *topology, SimulatedCaches *caches,
                             Problem *problem);

// The value of callgrind's options --D1 and --LL: "49152,12,64".
void callgrind_format_cache(const SimulatedCache *cache, char *text, size_t text_bytes);

typedef struct CallgrindReport {
    char creator[64]; // "callgrind-3.19.0"
    double instructions;
    // Counted with simulated caches alone, else 0.
    double data_reads, data_writes; // instructions that read or write
    double first_read_misses, first_write_misses, last_read_misses, last_write_misses;
} CallgrindReport;

// Reads a callgrind.out file, format version 1: its events and totals, and that the caches
// simulated are `caches` (NULL: none). Refuses everything that is not whole or counts nothing.
bool callgrind_read(const char *text, const SimulatedCaches *caches, CallgrindReport *report,
                    Problem *problem);

#endif
