// SPDX-License-Identifier: Apache-2.0
// topology.h - hwloc behind the few questions the harness asks. Geometry comes from here alone:
// PAPI's cache sizes are wrong on virtual machines.
#ifndef HYP_TOPOLOGY_H
#define HYP_TOPOLOGY_H

#include "common/problem.h"
#include "hyperion/cache.h"

#include <hwloc.h>
#include <jansson.h>

// This machine where root is ""; else root/topology.xml (as hwloc exports it), or, without such a
// file, what hwloc finds in root/sys and root/proc. All CPUs, also those a cgroup denies us. The
// caller destroys it. NULL on failure.
hwloc_topology_t topology_load(const char *root, Problem *problem);

// Counts: {"packages", "numa_nodes", "cores", "cpus", "memory_bytes"}. NULL: out of memory.
json_t *topology_counts(hwloc_topology_t topology);

// One entry for all caches that are alike, nearest first: {"level", "type", "size_bytes",
// "line_bytes", "ways" (-1 fully associative), "sharing_cpus", "count"}. NULL: out of memory.
json_t *topology_caches(hwloc_topology_t topology);

// The data and unified caches above one CPU (by the operating system's number).
bool topology_of_cpu(hwloc_topology_t topology, unsigned cpu, HyperionCacheTopology *caches,
                     Problem *problem);

// The first allowed CPU of each core, CPU 0 last; returns how many were written.
size_t topology_one_cpu_a_core(hwloc_topology_t topology, hwloc_const_bitmap_t allowed, int *cpus,
                               size_t capacity);

// hwloc's XML, to be freed with free. NULL on failure.
char *topology_to_xml(hwloc_topology_t topology, Problem *problem);

#endif
