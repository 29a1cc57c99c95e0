// SPDX-License-Identifier: Apache-2.0
// limit_team.h - the threads that measure what a machine can do: one a core, each bound to its own.
#ifndef HYP_LIMIT_TEAM_H
#define HYP_LIMIT_TEAM_H

#include "common/problem.h"
#include "hyperion/parallel.h"

#include <jansson.h>
#include <stddef.h>

typedef struct LimitTeam LimitTeam;

// Binds the calling thread, which is the first of the team, until the team is closed. The cores are
// those that this process may use, that of CPU 0 last. NULL on failure.
LimitTeam *limit_team_open(Problem *problem);
void limit_team_close(LimitTeam *team); // NULL is allowed

size_t limit_team_threads(const LimitTeam *team);

// Calls task(context, thread) for each of the first `threads` threads and returns how long that
// took. One thread: CPU time, since what another process takes of the core is not the task's.
// Several: from the start to the end of the last one.
double limit_team_time_ns(LimitTeam *team, size_t threads, HyperionParallelTask task,
                          void *context);

// What several runs gave: {"<name>": median, "low": 10th percentile, "high": the most, "runs",
// "threads", "provenance": "clock"}. NULL: out of memory.
json_t *limit_to_json(const char *name, const double *values, size_t count, size_t threads);

#endif
