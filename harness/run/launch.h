// SPDX-License-Identifier: Apache-2.0
// launch.h - one worker process from exec to the end, whatever end that is.
#ifndef HYP_LAUNCH_H
#define HYP_LAUNCH_H

#include "common/problem.h"

#include "run/conditions.h"

#include <stddef.h>

typedef enum WorkerEnding {
    WORKER_EXITED,
    WORKER_SIGNALLED,   // killed by a signal that the runner did not send
    WORKER_TIMED_OUT,   // killed by the runner
    WORKER_OVERFLOWED,  // killed by the runner: the answer is longer than the protocol allows
    WORKER_INTERRUPTED, // killed by the runner, which was told to stop at once
    WORKER_NOT_STARTED  // `output` says why
} WorkerEnding;

typedef struct LaunchLimits {
    double timeout_ns;
    size_t memory_bytes; // address space; 0 = no limit
    const int *cpus;     // where it will run: whose stolen and throttled time counts
    size_t cpu_count;    // 0 = all CPUs
} LaunchLimits;

typedef struct WorkerEnd {
    WorkerEnding ending;
    int code;                // exit status, or number of the signal
    char *answer;            // everything written to the answer's descriptor; NULL if nothing
    size_t answer_length;    // bytes
    char output[512];        // the end of standard output and error; printable ASCII and spaces
    double started_unix_s;   // wall clock
    double life_ns;          // from fork to the end
    Disturbance disturbance; // meanwhile
} WorkerEnd;

// Runs `program` with `request` on its standard input, in a process group of its own (out of reach
// of the terminal), and waits for its end. The group is killed at the timeout, on interruption, and
// with this process; what it left running is killed too. The caller frees end->answer.
void worker_launch(const char *program, const char *request, const LaunchLimits *limits,
                   WorkerEnd *end);

#endif
