// SPDX-License-Identifier: Apache-2.0
// placement.h - which CPUs the threads of a cell are bound to.
#ifndef HYP_PLACEMENT_H
#define HYP_PLACEMENT_H

#include "machine/topology.h"
#include "scenario/axes.h"

#include <stddef.h>

// Of the usable CPUs, as machine_worker_cpus orders them, one for each of values[AXIS_THREADS]
// threads, by the axes binding and smt:
//   core     one thread a core; where smt is true and cores run out, then on their siblings
//   smt      the siblings of a core side by side
//   scatter  like core, but each next thread on another NUMA node
//   numa:N   like core, on the cores of one node
//   none     nothing: *count is 0
// `cpus` has room for HYPERION_MAX_THREADS. False, and the reason, where that cannot be had. Where
// no CPU is known nothing is bound.
bool placement_choose(const TopologyCpu *usable, size_t usable_count, const AxisValue *values,
                      int *cpus, size_t *count, Problem *problem);

#endif
