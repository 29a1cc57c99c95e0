// SPDX-License-Identifier: Apache-2.0
// sample.h - one line of the journal: what one worker process did for one cell.
#ifndef HYP_SAMPLE_H
#define HYP_SAMPLE_H

#include "common/problem.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

typedef enum SampleTask {
    SAMPLE_VERIFY, // compared with the reference; also brings the facts and the prediction
    SAMPLE_PILOT,  // finds the iteration count
    SAMPLE_TIME,   // timed repetitions
    SAMPLE_COUNT   // one pass of hardware counters
} SampleTask;

// A number with where it comes from. `value` NAN = unknown, then `reason` says why.
typedef struct SampleValue {
    char name[64]; // "PAPI_L1_DCM", "predicted.L1.misses", "flops"
    double value;  // per iteration where it counts something
    char unit[16];
    char provenance[16]; // pmu sim emulated model clock os unavailable
    char reason[160];    // "" unless unavailable
} SampleValue;

typedef struct Sample {
    size_t cell; // index in the plan
    int round;   // 0-based; -1 for verify and pilot
    SampleTask task;
    bool ok;
    char reason[512];    // "" if ok: message, signal, timeout or memory limit
    uint64_t iterations; // of each timed loop
    double *real_ns;     // per iteration, one a repetition; wall clock
    size_t real_count;
    SampleValue *values;
    size_t value_count;
    double started_unix_s;
    double worker_ns; // life of the worker process
    int cpu;          // bound to; -1 = not
    long minor_faults, major_faults, voluntary_switches, involuntary_switches; // -1 unknown
    long peak_rss_kib;                                                         // -1 unknown
} Sample;

void sample_clear(Sample *sample);
json_t *sample_to_json(const Sample *sample);
bool sample_from_json(const json_t *json, Sample *sample, Problem *problem);

#endif
