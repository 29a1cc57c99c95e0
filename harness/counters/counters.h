// SPDX-License-Identifier: Apache-2.0
// counters.h - where counts come from: a struct of functions a source, one file each, and their
// table.
#ifndef HYP_COUNTERS_H
#define HYP_COUNTERS_H

#include "common/problem.h"

#include <stddef.h>

// One event as this machine offers it, found by adding, starting, working, stopping and reading it
// alone: what a library says is available often cannot be counted.
typedef struct CounterEvent {
    char name[64];
    bool available;
    char reason[160];       // why not, in the source's own words
    char native[128];       // what it maps to on this CPU; "" unknown
    const char *provenance; // "pmu", "os"
} CounterEvent;

typedef struct CounterValue {
    const char *name;       // as requested
    double value;           // NAN = unavailable
    const char *provenance; // "pmu", "os" or "unavailable"
    char reason[160];
} CounterValue;

typedef struct CounterSource {
    const char *name;
    const char *help;
    // NULL if it works here at all, else why not (static or source-owned text).
    const char *(*unavailable_reason)(void);
    // Every event it knows of, up to capacity; returns how many there are.
    size_t (*list)(CounterEvent *events, size_t capacity);
} CounterSource;

extern const CounterSource *const counter_source_table[]; // NULL-terminated

// Counts `names` while `work(context)` runs `iterations` times, in as many passes as legal groups
// need (work is run once a pass for all its iterations); values are per iteration. An event that
// cannot be counted gets its reason. False only on a programming or memory error.
bool counters_measure(const char *const *names, size_t count, void (*work)(void *context),
                      void *context, unsigned long long iterations, CounterValue *values,
                      Problem *problem);

// The events the project asks for when a scenario says `counters: default`; NULL-terminated.
extern const char *const counters_default[];

#endif
