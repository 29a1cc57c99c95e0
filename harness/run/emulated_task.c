// SPDX-License-Identifier: Apache-2.0
#include "run/emulated_task.h"

#include "run/callgrind.h"
#include "run/emulated_region.h"

#include <stdio.h>
#include <stdlib.h>

// The largest of the caches that callgrind may be simulating beside the first level.
static size_t find_largest(const HyperionCacheTopology *topology)
{
    size_t largest_bytes = 0;
    for (int i = 1; i < topology->level_count; i++) {
        const HyperionCacheTopology two = {.level_count = 2,
                                           .levels = {topology->levels[0], topology->levels[i]}};
        SimulatedCaches caches;
        Problem not_simulated = {0};
        if (callgrind_choose_caches(&two, &caches, &not_simulated) &&
            caches.last.size_bytes > largest_bytes)
            largest_bytes = caches.last.size_bytes;
    }
    return largest_bytes;
}

// Reads as many lines as the last simulated cache has, at the distance of the smallest lines: with
// least-recently-used replacement, which callgrind has, nothing else is left in any.
static bool empty_caches(const HyperionCacheTopology *topology, Problem *problem)
{
    enum { STEP_BYTES = 16 };
    const size_t largest_bytes = find_largest(topology);
    if (!largest_bytes)
        return true;
    const size_t bytes = largest_bytes + 4096;
    const volatile char *lines = calloc(bytes, 1);
    if (!lines)
        return problem_set(problem, "out of memory for %zu bytes that empty the simulated caches",
                           bytes);
    for (size_t i = 0; i < bytes; i += STEP_BYTES)
        (void)lines[i];
    free((void *)(uintptr_t)lines);
    return true;
}

void emulated_task_do(const WorkerRequest *request, EmulatedStart start, Sample *outcome)
{
    Problem problem = {0};
    const Workload *workload = request->cell.workload;
    const WorkloadMachine machine = {.topology = request->topology,
                                     .seed = request->seed,
                                     .emulated = true,
                                     .keeps_cold = start == EMULATED_WARM};
    *outcome = sample_empty();
    outcome->task = request->task;
    void *context = workload->open(&request->cell, &machine, &problem);
    if (context) {
        workload->run(context);
        outcome->ok = start == EMULATED_WARM || empty_caches(&request->topology, &problem);
        if (outcome->ok)
            emulated_region(workload->run, context);
        outcome->iterations = 1;
        workload->close(context);
    }
    if (!outcome->ok)
        (void)snprintf(outcome->reason, sizeof outcome->reason, "%.500s", problem.text);
}
