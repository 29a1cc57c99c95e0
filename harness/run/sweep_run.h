// SPDX-License-Identifier: Apache-2.0
// sweep_run.h - a plan from start to result files in one run directory.
#ifndef HYP_SWEEP_RUN_H
#define HYP_SWEEP_RUN_H

#include "run/runner.h"

typedef struct SweepRun {
    const Plan *plan;
    const char *directory;
    bool resume;
    json_t *machine;          // written as machine.json by a new run
    const char *topology_xml; // the same as topology.xml; NULL = none
    HyperionCacheTopology topology;
    const TopologyCpu *cpus; // that workers can be bound to, best first
    size_t cpu_count;
    Shard shard;      // a resumed run has that of its directory, and refuses another
    double budget_ns; // wall clock; 0 = no limit
    FILE *progress;   // also says what is resumed; NULL = silent
} SweepRun;

// Runs, or completes what a run of the same plan left, and writes the result files, also of an
// interrupted run. False, with nothing run, when the directory is refused or was begun on another
// machine (by its key); false as well when files cannot be written.
bool sweep_run(const SweepRun *sweep, const RunnerTools *tools, RunnerOutcome *outcome,
               Problem *problem);

// Writes machine.json and topology.xml (NULL = none) of a new run.
bool sweep_write_machine(const char *directory, const json_t *machine, const char *topology_xml,
                         Problem *problem);

#endif
