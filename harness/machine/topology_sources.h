// SPDX-License-Identifier: Apache-2.0
// topology_sources.h - who fills a topology, for topology.c and tests.
#ifndef HYP_TOPOLOGY_SOURCES_H
#define HYP_TOPOLOGY_SOURCES_H

#include "machine/topology.h"

// Both fill an empty topology; on failure the caller frees what is there. hwloc's is only in
// programs built with it (HYPERION_HAVE_HWLOC).
bool topology_fill_from_hwloc(Topology *topology, const char *root, Problem *problem);
bool topology_fill_from_files(Topology *topology, const char *root, Problem *problem);

// Room for one more cache that lies above `cpu_count` CPUs (to be filled in); NULL: out of memory.
TopologyCache *topology_add_cache(Topology *topology, size_t cpu_count);

// "0-3,8" to numbers; returns how many there are, of which at most capacity were written. Stops at
// what is no list.
size_t cpu_list_read(const char *text, int *cpus, size_t capacity);

#endif
