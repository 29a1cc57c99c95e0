// SPDX-License-Identifier: Apache-2.0
// emulated_task.h - what the worker does when it runs under callgrind itself.
#ifndef HYP_EMULATED_TASK_H
#define HYP_EMULATED_TASK_H

#include "run/protocol.h"

// Opens the workload, runs it once to warm up, empties the simulated caches, as predictions assume
// them, and runs it once inside emulated_region. Fills the outcome: ok, or the reason.
void emulated_task_do(const WorkerRequest *request, Sample *outcome);

#endif
