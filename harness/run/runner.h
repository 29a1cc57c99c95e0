// SPDX-License-Identifier: Apache-2.0
// runner.h - takes the samples of a plan that are not in the journal yet, one worker process each.
#ifndef HYP_RUNNER_H
#define HYP_RUNNER_H

#include "machine/topology.h"
#include "record/journal.h"
#include "run/launch.h"
#include "run/progress.h"
#include "scenario/plan.h"

// What the runner reaches the world by: processes and clock, or what a test puts here.
typedef struct RunnerTools {
    void (*launch)(void *context, const char *request, const LaunchLimits *limits, WorkerEnd *end);
    double (*now_ns)(void *context); // monotonic
    bool (*interrupted)(void *context);
    void *context;
} RunnerTools;

typedef struct RunnerInput {
    const Plan *plan;
    HyperionCacheTopology topology; // for the workers
    const TopologyCpu *cpus;        // that workers can be bound to, best first
    size_t cpu_count;
    Journal *journal;
    const JournalContent *before; // what the journal held when the run was resumed
    Shard shard;                  // the part of the plan to run
    double budget_ns;             // wall clock of this run; 0 = no limit
    FILE *progress;               // NULL = silent
} RunnerInput;

typedef struct RunnerOutcome {
    bool interrupted;
    size_t taken;        // samples
    size_t failed_cells; // of the whole plan, those before included
    size_t rejected;     // of the samples: beyond the limits of the scenario
    size_t beyond;       // rounds of cells that were rejected as often as may be
    bool out_of_budget;  // a round, or what comes before the first, did not fit any more
    int rounds;          // complete ones where it is
    double wall_ns;
    double workers_ns; // of it inside worker processes; the rest is overhead
    double other_cpus; // that others kept busy during the timed samples, on average; NAN unknown
} RunnerOutcome;

// A failed sample ends its cell, and so does the precision or the most time a scenario asks for;
// the others go on. With a budget no round is begun that would not fit, by what the samples took so
// far; one that was begun is finished, and counting passes come after the last that fits. False
// only when the journal cannot be written or memory is short; what is in the journal then stands.
bool runner_run(const RunnerInput *input, const RunnerTools *tools, RunnerOutcome *outcome,
                Problem *problem);

#endif
