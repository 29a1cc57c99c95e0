// SPDX-License-Identifier: Apache-2.0
// sample.h - one line of the journal: what one worker process did for one cell.
#ifndef HYP_SAMPLE_H
#define HYP_SAMPLE_H

#include "common/problem.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

typedef enum SampleTask {
    SAMPLE_VERIFY,  // compared with the reference; also brings the facts and the prediction
    SAMPLE_PILOT,   // finds the iteration count
    SAMPLE_TIME,    // timed repetitions
    SAMPLE_COUNT,   // passes of hardware counters
    SAMPLE_EMULATE, // one iteration under callgrind, no clock
    SAMPLE_CANARY,  // a fixed loop, once a round: does the machine drift?
    SAMPLE_TASK_COUNT
} SampleTask;

// A number with where it comes from. `value` NAN = unknown, then `reason` says why. Names that a
// verification brings where they apply: flops bytes elements operand_bytes,
// kernel.<variant> (value 1), mc kc nc mr nr prefetch_lines, predicted.L<i>.{accesses hits misses
// misses_low misses_high fills write_backs hit_rate}, geometry.L<i>.size_bytes,
// predicted.{memory_read_bytes memory_write_bytes prefetches}. A timed sample and a canary bring
// what the machine did meanwhile: other_cpus (that others kept busy), steal (share of the time that
// the hypervisor took), throttle_events, frequency_before and frequency_after. A timed sample also
// brings what it read back of its placement: thread<i>.cpu, node<n>.bytes, anonymous_huge_bytes,
// hugetlb_bytes, and cold_copies and cold_copy_bytes where it has such. A count brings the events
// by their own names (those of simulated caches: counters/cache_events.h), an emulation
// instructions data_reads data_writes, emulator.<name and version> (value 1) and, of the first and
// the last cache level, simulated.{L1 LL}.{misses read_misses write_misses level size_bytes ways
// line_bytes}.
typedef struct SampleValue {
    char name[96]; // "PAPI_L1_DCM", "predicted.L1.misses", "flops"
    double value;  // per iteration where it counts something
    char unit[16];
    char provenance[16]; // pmu sim emulated model clock os unavailable
    char reason[256];    // why unavailable; beside a value: why to doubt it; "" = neither
} SampleValue;

typedef struct Sample {
    size_t cell; // index in the plan; of a canary 0, and meaningless
    int round;   // 0-based; -1 for verify and pilot
    SampleTask task;
    bool ok;
    char reason[512]; // "" if ok: message, signal, timeout or memory limit
    // Of a good timed sample: which limits of the scenario it was beyond; "" = accepted.
    char rejection[256];
    double excess;       // the greatest of value / limit; 0 when accepted
    uint64_t iterations; // of each timed loop; of a pilot: what it found
    double *real_ns;     // per iteration, one a repetition; wall clock
    double *cpu_ns;      // the same loops in CPU time of the process
    size_t real_count;   // of both
    SampleValue *values;
    size_t value_count;
    double started_unix_s;
    double worker_ns; // life of the worker process
    int cpu;          // bound to, read back; -1 = not bound
    // While the task ran, without start and warm-up; -1 unknown.
    long minor_faults, major_faults, voluntary_switches, involuntary_switches;
    long peak_rss_kib; // of the process; -1 unknown
} Sample;

// A sample that nothing is known of yet.
Sample sample_empty(void);
// Frees what the sample owns.
void sample_clear(Sample *sample);
// Clears and frees an array of them; NULL is allowed.
void samples_free(Sample *samples, size_t count);

// Name of the value of a timed sample that ended its cell before the scenario's last: the number of
// its samples, with the reason.
#define SAMPLE_STOPPED_EARLY "stopped_early"

// Appends a value; a NAN takes the provenance "unavailable". False: out of memory.
bool sample_add_value(Sample *sample, const char *name, double value, const char *unit,
                      const char *provenance, const char *reason);

// Of that name; NULL if there is none.
const SampleValue *sample_find_value(const Sample *sample, const char *name);

// The value of that name; NAN if there is none or it is unknown.
double sample_value(const Sample *sample, const char *name);

// Whether it times loops: time and canary.
bool sample_task_is_timed(SampleTask task);

// "verify", "pilot", "time", "count", "emulate", "canary"; and back, SAMPLE_TASK_COUNT if unknown.
const char *sample_task_name(SampleTask task);
SampleTask sample_task_find(const char *name);

// The whole journal line, and back. From JSON: the caller clears; on failure there is nothing to.
json_t *sample_to_json(const Sample *sample);
bool sample_from_json(const json_t *json, Sample *sample, Problem *problem);

// The part a worker knows: everything but cell, round, task, start and life. From JSON: those stay.
json_t *sample_outcome_to_json(const Sample *sample);
bool sample_outcome_from_json(const json_t *json, Sample *sample, Problem *problem);

#endif
