// SPDX-License-Identifier: Apache-2.0
// protocol.h - what runner and worker say to each other: one JSON object on the worker's standard
// input, one JSON line back on descriptor 3. Versioned, so that one harness can drive workers of
// several revisions.
#ifndef HYP_PROTOCOL_H
#define HYP_PROTOCOL_H

#include "hyperion/parallel.h"
#include "record/sample.h"
#include "scenario/plan.h"

enum {
    PROTOCOL_VERSION = 2,
    PROTOCOL_ANSWER_DESCRIPTOR = 3,
    // A request must fit a pipe (64 KiB on Linux), so that writing it never waits for the worker.
    PROTOCOL_REQUEST_LIMIT_BYTES = 60 * 1024,
    PROTOCOL_ANSWER_LIMIT_BYTES = 1024 * 1024
};

typedef struct WorkerRequest {
    SampleTask task;
    Cell cell;
    bool emulated;                  // the cell's samples are taken under callgrind
    uint64_t seed;                  // of the input data
    int cpus[HYPERION_MAX_THREADS]; // to bind to, one a thread
    size_t cpu_count;               // 0 = left to the scheduler
    HyperionCacheTopology topology; // of one core
    uint64_t iterations;            // of each timed loop, and of a count; else 0
    int repetitions;
    double min_time_ns;          // least length of the loop a pilot looks for
    double warmup_ns;            // or WARMUP_AUTO
    const char *const *counters; // NULL-terminated; borrowed
} WorkerRequest;

// One line without its end, allocated; NULL, and the problem says why: out of memory or too long.
char *request_write(const WorkerRequest *request, Problem *problem);

// A request as the worker holds it: `request` points into what is owned here.
typedef struct ReceivedRequest {
    WorkerRequest request;
    json_t *json;
    const char **counters;
} ReceivedRequest;

// The caller clears, also after a failure.
bool request_read(const char *text, size_t length, ReceivedRequest *received, Problem *problem);
void request_clear(ReceivedRequest *received);

// The answer: one line with its end, allocated; NULL: out of memory.
char *answer_write(const Sample *outcome);

// Reads an answer into the members of *sample that a worker knows. `bytes` is all the worker wrote;
// anything but exactly one whole line that answers the request is refused with the reason.
bool answer_read(const char *bytes, size_t length, const WorkerRequest *request, Sample *sample,
                 Problem *problem);

// A line that is no request, allocated: the worker's answer refuses it and says which version it
// speaks. NULL: out of memory.
char *handshake_write(void);

// Whether all that the worker wrote is one whole line of this program's protocol version.
bool answer_check_version(const char *bytes, size_t length, Problem *problem);

#endif
