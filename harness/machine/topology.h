// SPDX-License-Identifier: Apache-2.0
// topology.h - CPUs, cores, packages and caches of a machine as plain data. It comes from hwloc
// where the program is built with it, else from /sys and sysconf; never from PAPI, whose cache
// sizes are wrong on virtual machines.
#ifndef HYP_TOPOLOGY_H
#define HYP_TOPOLOGY_H

#include "common/problem.h"
#include "hyperion/cache.h"

#include <jansson.h>
#include <stdint.h>

// The operating system's numbers are `cpu` and `node`; core and package are counted from 0.
typedef struct TopologyCpu {
    int cpu, core, package, node; // -1 unknown
} TopologyCpu;

typedef enum TopologyCacheType {
    TOPOLOGY_UNIFIED,
    TOPOLOGY_DATA,
    TOPOLOGY_INSTRUCTION
} TopologyCacheType;

typedef struct TopologyCache {
    int level;
    TopologyCacheType type;
    HyperionCacheLevel geometry; // 0 unknown
    int *cpus;                   // those above it
    size_t cpu_count;
} TopologyCache;

typedef struct Topology {
    const char *source; // "hwloc" or "/sys"
    TopologyCpu *cpus;  // siblings side by side
    size_t cpu_count;
    TopologyCache *caches; // nearest first, instances of a level in the order of their CPUs
    size_t cache_count;
    int packages, numa_nodes, cores; // 0 unknown
    uint64_t memory_bytes;           // 0 unknown
    char *xml;                       // as hwloc exports it; NULL without hwloc
} Topology;

// This machine where root is ""; else root/topology.xml (as hwloc exports it), or, without such a
// file, what root/sys and root/proc tell; with hwloc, root can be such an XML file itself. All
// CPUs, also those a cgroup denies us. The caller frees it. NULL on failure.
Topology *topology_load(const char *root, Problem *problem);
void topology_free(Topology *topology); // NULL is allowed

// Counts: {"source", "xml" (true, or null with the reason), "packages", "numa_nodes", "cores",
// "cpus", "memory_bytes"}. NULL: out of memory.
json_t *topology_counts(const Topology *topology);

// One entry for all caches that are alike, nearest first: {"level", "type", "size_bytes",
// "line_bytes", "ways" (-1 fully associative), "sharing_cpus", "count"}. NULL: out of memory.
json_t *topology_caches(const Topology *topology);

// The data and unified caches above one CPU (by the operating system's number).
bool topology_of_cpu(const Topology *topology, int cpu, HyperionCacheTopology *caches,
                     Problem *problem);

// The CPUs among the allowed as workers should take them: the first of each core, then the second
// ones and so on; each time that of CPU 0's core last. Returns how many were written.
size_t topology_worker_cpus(const Topology *topology, const int *allowed, size_t allowed_count,
                            TopologyCpu *cpus, size_t capacity);

// The CPUs that this thread may run on, which is within what its cgroup allows; returns how many
// were written.
size_t topology_own_cpus(int *cpus, size_t capacity);

#endif
