// SPDX-License-Identifier: Apache-2.0
#include "run/emulated_task.h"

#include "run/callgrind.h"
#include "run/emulated_region.h"

#include <stdio.h>
#include <stdlib.h>

// Reads as many lines as the last simulated cache has, and as small as the first: with
// least-recently-used replacement, which callgrind has, nothing else is left in either.
static bool empty_caches(const HyperionCacheTopology *topology, Problem *problem)
{
    SimulatedCaches caches;
    Problem not_simulated = {0};
    if (!callgrind_choose_caches(topology, &caches, &not_simulated))
        return true;
    const size_t step_bytes =
        (size_t)(caches.first.line_bytes < caches.last.line_bytes ? caches.first.line_bytes
                                                                  : caches.last.line_bytes);
    const size_t bytes = caches.last.size_bytes + (size_t)caches.last.line_bytes;
    const volatile char *lines = calloc(bytes, 1);
    if (!lines)
        return problem_set(problem, "out of memory for %zu bytes that empty the simulated caches",
                           bytes);
    for (size_t i = 0; i < bytes; i += step_bytes)
        (void)lines[i];
    free((void *)(uintptr_t)lines);
    return true;
}

void emulated_task_do(const WorkerRequest *request, Sample *outcome)
{
    Problem problem = {0};
    const Workload *workload = request->cell.workload;
    const WorkloadMachine machine = {
        .topology = request->topology, .seed = request->seed, .emulated = true};
    *outcome = sample_empty();
    outcome->task = request->task;
    void *context = workload->open(&request->cell, &machine, &problem);
    if (context) {
        workload->run(context);
        outcome->ok = empty_caches(&request->topology, &problem);
        if (outcome->ok)
            emulated_region(workload->run, context);
        outcome->iterations = 1;
        workload->close(context);
    }
    if (!outcome->ok)
        (void)snprintf(outcome->reason, sizeof outcome->reason, "%.500s", problem.text);
}
