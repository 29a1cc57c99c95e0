// SPDX-License-Identifier: Apache-2.0
// counters.h - where counts come from: a struct of functions a source, one file each, and their
// table. Not thread-safe: the libraries below keep process-wide state.
#ifndef HYP_COUNTERS_H
#define HYP_COUNTERS_H

#include "common/problem.h"

#include <jansson.h>
#include <stddef.h>

// One event as this machine offers it, found by adding, starting, working, stopping and reading it
// alone: what a library says is available often cannot be counted.
typedef struct CounterEvent {
    char name[64];
    bool available;
    double probe_value;     // what the probe read; NAN if unavailable or not probed
    char reason[160];       // why not, in the source's own words
    char native[128];       // what it maps to on this CPU; "" unknown
    const char *provenance; // "pmu", "os", "sim"
} CounterEvent;

typedef struct CounterValue {
    const char *name;       // as requested
    double value;           // NAN = unavailable
    const char *provenance; // "pmu", "os", "sim" or "unavailable"
    char reason[160];       // why unavailable; beside a value: why to doubt it
} CounterValue;

struct WorkerRequest;

// What is counted: `work(context)` runs `iterations` times a pass.
typedef struct CounterWork {
    void (*work)(void *context);
    void *context;
    unsigned long long iterations;
    const char *refusal; // why counts of the calling thread would not tell of it; NULL: they do
    const struct WorkerRequest *request; // the cell that it is an iteration of; NULL: of none
} CounterWork;

typedef struct CounterSource {
    const char *name;
    const char *help;
    // NULL if it works here at all, else why not (static or source-owned text).
    const char *(*unavailable_reason)(void);
    // Whether it runs the cell by itself, in another process, and counts one iteration of all its
    // threads; else it counts the calling thread.
    bool of_cell;
    // Every event it knows of, up to capacity; returns how many there are.
    size_t (*list)(CounterEvent *events, size_t capacity);
    // True if an event of that name is for this source to count, be it available or not.
    bool (*knows)(const char *name);
    // Fills value, provenance and reason of `count` values that it knows by name; counts are those
    // of all iterations. As many passes as its legal groups need.
    bool (*measure)(CounterValue *values, size_t count, const CounterWork *work, Problem *problem);
    // The library behind it: version and parts, with reasons. NULL: out of memory. The function is
    // NULL where there is nothing to tell.
    json_t *(*describe)(void);
} CounterSource;

extern const CounterSource *const counter_source_table[]; // NULL-terminated

// Counts `names` while the work is done, and holds each against known work: a broken counter is
// unavailable. In as many passes as legal groups need (it is done once a
// pass for all its iterations); values are per iteration. An event that cannot be counted gets its
// reason. False only on a programming or memory error.
bool counters_measure(const char *const *names, size_t count, const CounterWork *work,
                      CounterValue *values, Problem *problem);

// {"papi": {...}, "events": [{"name", "source", "available", "probe_value", "native", "provenance",
// each unknown one with its reason, "trust", and "trust_words" where the counter is scaled or
// broken (see counter_trust.h)}]} over all sources. NULL: out of memory.
json_t *counters_describe(void);

// The events the project asks for when a scenario says `counters: default`; NULL-terminated.
extern const char *const counters_default[];

#endif
