// SPDX-License-Identifier: Apache-2.0
// workplace.h - what every command that starts workers stands on: the worker, the machine, its
// judgement by the doctor.
#ifndef HYP_WORKPLACE_H
#define HYP_WORKPLACE_H

#include "hyperion/parallel.h"
#include "run/runner.h"

#include <jansson.h>

typedef struct Workplace {
    json_t *machine;     // as machine.json, with "run"
    json_t *examination; // by the doctor, where the scenario requires a profile
    char *topology_xml;
    char host[256];
    char worker[4096]; // path of hyperion-worker
    HyperionCacheTopology topology;
    TopologyCpu cpus[HYPERION_MAX_THREADS]; // for workers that are bound, best first
    size_t cpu_count;
} Workplace;

// hyperion-worker stands beside this program.
bool workplace_find_worker(Workplace *place, Problem *problem);

// What the plan demands of the machine; `force` only says on stderr what is not met. Sets *code
// when it is refused for that.
bool workplace_meets_profile(Workplace *place, const Plan *plan, bool force, int *code,
                             Problem *problem);

// The machine, and its measured peaks (once per machine, said on stderr).
bool workplace_describe(Workplace *place, Problem *problem);

void workplace_clear(Workplace *place);

// Real processes, the real clock, SIGINT and SIGTERM; `worker` must outlive the tools.
RunnerTools workplace_tools(char *worker);

// Sets the seed of a plan from the text of --seed.
bool workplace_set_seed(Plan *plan, const char *text, Problem *problem);

#endif
