// SPDX-License-Identifier: Apache-2.0
// worker_task.h - what a worker does for one request once it is bound and has memory.
#ifndef HYP_WORKER_TASK_H
#define HYP_WORKER_TASK_H

#include "run/gbench_bridge.h"
#include "run/protocol.h"

// What a task measures with: Google Benchmark and the monotonic clock, or what a test puts here.
typedef struct TaskTools {
    double (*now_ns)(void);
    bool (*time_loops)(const char *name, const TimedBody *body, uint64_t iterations,
                       int repetitions, double *real_ns, double *cpu_ns);
} TaskTools;

// Opens the workload, does the task (any but emulate) and fills the outcome: values, times, usage;
// or ok = false with the reason. The caller clears the outcome.
void worker_task_do(const WorkerRequest *request, const TaskTools *tools, Sample *outcome);

#endif
