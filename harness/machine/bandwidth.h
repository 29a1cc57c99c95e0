// SPDX-License-Identifier: Apache-2.0
// bandwidth.h - how many bytes a second straight passes move, by cache level and pattern.
#ifndef HYP_BANDWIDTH_H
#define HYP_BANDWIDTH_H

#include "machine/limit_team.h"
#include "machine/peak_levels.h"

#include "hyperion/cache.h"

enum { BANDWIDTH_MOST_PLACES = HYPERION_MAX_CACHE_LEVELS + 1 };

extern const char *const bandwidth_pattern_names[STREAM_PATTERN_COUNT];

// The working set that lies in one level, or in memory; the arrays of a pattern share it.
typedef struct BandwidthPlace {
    size_t one_bytes;                // of one thread alone
    size_t all_bytes;                // of each thread when all work
    const char *reason, *all_reason; // why there is none; NULL = there is
} BandwidthPlace;

// Working sets for each level and, last, for memory. `capacities`: what the levels were seen to
// hold, 0 unknown. They leave room in their own level and are too large for
// the one before; a level that is shared by several of the threads is cut between them.
void bandwidth_choose_places(const HyperionCacheTopology *advertised, const size_t *capacities,
                             size_t threads, BandwidthPlace places[BANDWIDTH_MOST_PLACES]);

// Sets "bandwidth" and "bandwidth_all" of each of the objects in `rows`, one a place:
// {"read": {"gbytes_per_s", "low", "high", "runs", "threads", "working_set_bytes", "provenance"},
// "write", "copy", "triad"}, or null with a reason. GB = 1e9 bytes that the pattern loads and
// stores; what the caches move besides, such as a line read to be written, is not in it. Takes some
// seconds.
bool bandwidth_measure(LimitTeam *team, const BandwidthPlace *places, json_t *rows,
                       Problem *problem);

#endif
