// SPDX-License-Identifier: Apache-2.0
// counter_passes.h - counting hardware events in legal groups, one pass of the work each, for every
// source that has such groups. Never multiplexed.
#ifndef HYP_COUNTER_PASSES_H
#define HYP_COUNTER_PASSES_H

#include "counters/counters.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    // Interfaces offer at most a dozen counters; a group of ours is cut off there.
    COUNTER_GROUP_LIMIT = 16,
    COUNTER_REASON_BYTES = sizeof((CounterValue *)0)->reason
};

// How a source counts. Reasons are in its own words, in COUNTER_REASON_BYTES.
typedef struct CounterBackend {
    // Rides in every pass, so that passes which did not do the same work are noticed. NULL: nothing
    // can ride along.
    const char *check_event;
    // Where a count is from, "pmu" for one.
    const char *provenance;
    // Counts one event alone while the CPU does some of everything.
    bool (*probe)(const char *name, long long *value, char *reason);
    // A group without events; NULL with the reason.
    void *(*create)(char *reason);
    // Adds an event if the hardware can count it beside the rest, which a trial tells.
    bool (*add)(void *group, const char *name, char *reason);
    bool (*start)(void *group, char *reason);
    // Counts in the order of adding, -1 unknown. A reason beside true: why to doubt them all.
    bool (*stop)(void *group, long long *counts, char *reason);
    void (*destroy)(void *group); // NULL is allowed
} CounterBackend;

// As CounterSource.measure: probes every event alone, then packs those that count greedily into
// groups. Values of passes whose check event differs by over 1 % from most others get a doubt.
bool counter_passes_measure(const CounterBackend *backend, CounterValue *values, size_t count,
                            const CounterWork *work, Problem *problem);

// Some loads, stores, multiplications and branches, so that a counter has something to count.
void counter_exercise(void);

#endif
