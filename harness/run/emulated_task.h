// SPDX-License-Identifier: Apache-2.0
// emulated_task.h - what the worker does when it runs under callgrind itself.
#ifndef HYP_EMULATED_TASK_H
#define HYP_EMULATED_TASK_H

#include "run/protocol.h"

// What the simulated caches hold when the counting begins.
typedef enum EmulatedStart {
    EMULATED_COLD, // nothing of the workload
    EMULATED_WARM  // what an iteration before has left, by the axis cache_state
} EmulatedStart;

// The one argument by which a worker knows that it is the one under callgrind, and how it starts.
#define EMULATED_WORKER_ARGUMENT "emulated"
#define EMULATED_WARM_ARGUMENT "emulated-warm"

// Opens the workload, runs it once to warm up, empties the simulated caches where it starts cold,
// as predictions do, and runs it once inside emulated_region. Fills the outcome: ok, or the reason.
void emulated_task_do(const WorkerRequest *request, EmulatedStart start, Sample *outcome);

#endif
