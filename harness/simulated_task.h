// SPDX-License-Identifier: Apache-2.0
// simulated_task.h - what the worker with traced kernels does.
#ifndef HYP_SIMULATED_TASK_H
#define HYP_SIMULATED_TASK_H

#include "run/protocol.h"

// Opens the cell and runs it twice, every access of its kernels going through caches of the
// request's topology: empty ones, and then what that has left, by the axis cache_state. Fills the
// outcome with the events asked for (counters/simulated_events.h), per iteration. False: the
// problem says why not.
bool simulated_task_do(const WorkerRequest *request, Sample *outcome, Problem *problem);

#endif
