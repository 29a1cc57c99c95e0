// SPDX-License-Identifier: Apache-2.0
// thread_team.h - the threads of a cell, each on the CPU it was given.
#ifndef HYP_THREAD_TEAM_H
#define HYP_THREAD_TEAM_H

#include "hyperion/parallel.h"
#include "workload/workload.h"

// As many threads as values[AXIS_THREADS], of which the calling one is the first; bound to the
// machine's CPUs in their order, where it has any, and asked where they are. NULL, and the problem
// says why: more threads than CPUs, or a thread somewhere else. The caller frees the pool.
HyperionThreadPool *thread_team_open(const AxisValue *values, const WorkloadMachine *machine,
                                     Problem *problem);

// Where each thread of the pool (NULL: the calling one) runs just now; negative: not told. Returns
// how many there are.
size_t thread_team_cpus(HyperionThreadPool *pool, int cpus[HYPERION_MAX_THREADS]);

#endif
