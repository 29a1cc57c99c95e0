// SPDX-License-Identifier: Apache-2.0
// settings.h - how the cells of a sweep are measured: one table of settings for scenario, plan file
// and hash.
#ifndef HYP_SETTINGS_H
#define HYP_SETTINGS_H

#include "common/problem.h"
#include "scenario/limits.h"
#include "scenario/yaml_tree.h"

#include <jansson.h>
#include <stdint.h>

typedef enum Measure {
    MEASURE_TIME,         // the clock
    MEASURE_INSTRUCTIONS, // instructions and simulated misses of one iteration, under callgrind
    MEASURE_COUNTS,       // the counters of one iteration; no clock
    MEASURE_KINDS
} Measure;

// How the cells of one sweep are measured.
typedef struct SweepSettings {
    Measure measure;    // default time; others need samples, timeout, memory_limit only, and counts
                        // the counters
    int samples;        // worker processes a cell, one a round (default 5)
    int repetitions;    // timed loops a sample (default 3)
    double min_time_ns; // least length of one timed loop, for the pilot (default 20 ms)
    double warmup_ns;   // untimed running before the first loop (default 5 ms); WARMUP_AUTO
    double timeout_ns;  // of one worker process (default 60 s)
    size_t memory_limit_bytes; // address space of one worker process; 0 = none (default)
    SampleLimits limits;       // beyond which a timed sample is rejected (default: none)
    int retries;               // of a rejected sample, a cell and round (default 3)
    double precision;      // half width of the median's interval, relative to it, that ends a cell
                           // before all its samples are taken; 0 = none (default)
    double max_time_ns;    // life of a cell's timed workers that does the same; 0 = none (default)
    const char **counters; // events to count, NULL-terminated; owned by the plan
} SweepSettings;

// Until the times of the iterations are stable.
#define WARMUP_AUTO (-1.0)

// How long the warm-up will probably be.
double settings_warmup_guess_ns(const SweepSettings *settings);

// Worker processes a cell needs before its samples (verification and, for the clock, a pilot) and
// after them (the counting of events).
size_t settings_workers_before(const SweepSettings *settings);
size_t settings_workers_after(const SweepSettings *settings);

// The keys a scenario may give, NULL-terminated.
extern const char *const settings_keys[];

// The defaults, with a list of counters of their own. False when out of memory.
bool settings_default(SweepSettings *settings, Problem *problem);
bool settings_copy(const SweepSettings *from, SweepSettings *to, Problem *problem);
void settings_clear(SweepSettings *settings);
// No events are counted any more.
void settings_drop_counters(SweepSettings *settings);

// Takes over the settings among the entries of `map`; other keys are left to the caller.
bool settings_read(const char *name, const TreeNode *map, SweepSettings *settings,
                   Problem *problem);

json_t *settings_to_json(const SweepSettings *settings);
bool settings_from_json(const json_t *json, SweepSettings *settings, Problem *problem);

// `hash` continued over every setting.
uint64_t settings_hash(const SweepSettings *settings, uint64_t hash);

#endif
