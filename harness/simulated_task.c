// SPDX-License-Identifier: Apache-2.0
#include "simulated_task.h"

#include "counters/simulated_events.h"
#include "hyperion/error.h"
#include "hyperion/simulate.h"
#include "trace/kernel_trace.h"
#include "workload/workloads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLD, STEADY, START_COUNT };

typedef struct Simulation {
    HyperionSimulator *simulator;
    size_t line_bytes; // of the first level
    bool of_access;    // access_fills are asked for
    SimulatedCounts counts[START_COUNT];
    uint64_t beside[HYPERION_MAX_CACHE_LEVELS]; // lines that an access filled beside another
} Simulation;

static void touch_two_lines(Simulation *simulation, uintptr_t address, size_t bytes,
                            HyperionTouch kind)
{
    const HyperionCacheStats before = hyperionSimulatorStats(simulation->simulator);
    hyperionSimulatorTouch(simulation->simulator, address, bytes, kind);
    const HyperionCacheStats after = hyperionSimulatorStats(simulation->simulator);
    for (int i = 0; i < after.level_count; i++) {
        const uint64_t fills = after.levels[i].fills - before.levels[i].fills;
        simulation->beside[i] += fills > 1 ? fills - 1 : 0;
    }
}

static void touch(void *context, uintptr_t address, size_t bytes, HyperionTouch kind)
{
    Simulation *simulation = context;
    if (simulation->of_access && address % simulation->line_bytes + bytes > simulation->line_bytes)
        touch_two_lines(simulation, address, bytes, kind);
    else
        hyperionSimulatorTouch(simulation->simulator, address, bytes, kind);
}

static void run_traced(Simulation *simulation, const Workload *workload, void *context, int start)
{
    SimulatedCounts *counts = &simulation->counts[start];
    const HypTraceSink sink = {touch, simulation};
    hyperionSimulatorResetCounters(simulation->simulator);
    memset(simulation->beside, 0, sizeof simulation->beside);
    hyp_trace_begin(&sink);
    workload->run(context);
    hyp_trace_end();
    counts->caches = hyperionSimulatorStats(simulation->simulator);
    for (int i = 0; i < counts->caches.level_count; i++)
        counts->access_fills[i] = counts->caches.levels[i].fills - simulation->beside[i];
}

static bool add_events(const WorkerRequest *request, const SimulatedCounts *counts, Sample *outcome,
                       Problem *problem)
{
    for (const char *const *name = request->counters; *name; name++) {
        CacheEvent event;
        if (!cache_event_parse(&simulated_events, *name, &event))
            return problem_set(problem, "no event of simulated caches: %.90s", *name);
        const double value = simulated_event_value(&event, &counts[event.cold ? COLD : STEADY]);
        char reason[64] = "";
        if (isnan(value))
            (void)snprintf(reason, sizeof reason, "the topology has %d levels of caches",
                           counts[COLD].caches.level_count);
        if (!sample_add_value(outcome, *name, value, "", "sim", reason))
            return problem_set(problem, "out of memory");
    }
    return true;
}

static bool is_of_access(const char *const *names)
{
    CacheEvent event;
    for (; *names; names++)
        if (cache_event_parse(&simulated_events, *names, &event) &&
            simulated_event_is_of_access(&event))
            return true;
    return false;
}

static bool simulate(const WorkerRequest *request, Simulation *simulation, Problem *problem)
{
    const Workload *workload = request->cell.workload;
    const HyperionParallel parallel = hyperionSimulatorParallel(simulation->simulator);
    const WorkloadMachine machine = {.topology = request->topology,
                                     .seed = request->seed,
                                     .keeps_cold = true,
                                     .parallel = &parallel};
    void *context = workload->open(&request->cell, &machine, problem);
    if (!context)
        return false;
    for (int start = COLD; start < START_COUNT; start++)
        run_traced(simulation, workload, context, start);
    workload->close(context);
    return true;
}

bool simulated_task_do(const WorkerRequest *request, Sample *outcome, Problem *problem)
{
    const int threads = (int)request->cell.values[AXIS_THREADS].integer;
    Simulation simulation = {.of_access = is_of_access(request->counters)};
    outcome->task = request->task;
    if (threads > 1 && request->cell.workload != &workload_kernel)
        return problem_set(problem, "%s: simulated with one thread alone, the cell has %d",
                           request->cell.workload->name, threads);
    if (request->cell.workload->prepare)
        return problem_set(problem, "%s: an iteration is not all that would be simulated",
                           request->cell.workload->name);
    simulation.simulator =
        hyperionCreateSimulator(&request->topology, threads > 0 ? threads : 1, NULL);
    if (!simulation.simulator)
        return problem_set(problem, "simulator: %s", hyperionGetLastError());
    const HyperionCacheStats empty = hyperionSimulatorStats(simulation.simulator);
    simulation.line_bytes = (size_t)empty.levels[0].geometry.line_bytes;
    outcome->ok = simulate(request, &simulation, problem) &&
                  add_events(request, simulation.counts, outcome, problem);
    hyperionFreeSimulator(simulation.simulator);
    outcome->iterations = outcome->ok ? 1 : 0;
    return outcome->ok;
}
