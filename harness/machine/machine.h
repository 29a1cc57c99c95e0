// SPDX-License-Identifier: Apache-2.0
// machine.h - what this machine is: topology, SIMD, counters, kernel, keys; and its measured
// limits.
#ifndef HYP_MACHINE_H
#define HYP_MACHINE_H

#include "common/problem.h"
#include "hyperion/cache.h"
#include "machine/topology.h"

#include <jansson.h>

// Everything `hyperion machine --json` prints and a run keeps as machine.json: one object with
// "schema", "key" (machine key), "environment_digest", "cpu", "caches", "topology", "simd",
// "counters", "kernel", "virtualisation", "build" (compiler, flags, commit), "limits" (or null with
// a reason); unknown facts are null with a "<name>_reason". hwloc's XML goes to *topology_xml (free
// with free; NULL in a program built without hwloc) when that is not NULL. NULL on failure.
// "limits" is {"peaks": as machine_measure_peaks} if they are in the user's cache: nothing is timed
// here.
json_t *machine_describe(char **topology_xml, Problem *problem);

// The same of a captured machine: a folder with its /proc, /sys and topology.xml (see topology.h).
// What only a running machine can tell is null.
json_t *machine_describe_captured(const char *sysroot, char **topology_xml, Problem *problem);

// The cache topology of one core (the first of machine_worker_cpus), as the library
// takes it.
bool machine_cache_topology(HyperionCacheTopology *topology, Problem *problem);
json_t *machine_topology_to_json(const HyperionCacheTopology *topology);
bool machine_topology_from_json(const json_t *json, HyperionCacheTopology *topology,
                                Problem *problem);

// Measured peak GFLOP/s of one core for each SIMD level it has: median and spread of several runs
// of register-only multiply-adds, best over 4 to 16 accumulator chains. Takes a second or two.
// Cached per machine key and environment under the user's cache folder; read from there when
// `use_cache`. {"avx2": {"gflops": median, "low": 10th percentile, "high": best run, "runs",
// "chains", "instructions", "provenance": "clock"}, ...}
json_t *machine_measure_peaks(bool use_cache, Problem *problem);

// Puts them (not taken over) into a description as its "limits"; false: out of memory.
bool machine_set_peaks(json_t *machine, json_t *peaks);

// CPUs that workers can be bound to, best first: one hardware thread a core, those of CPU 0's core
// last because it takes interrupts; then their siblings. Returns how many, at most capacity.
size_t machine_worker_cpus(TopologyCpu *cpus, size_t capacity);

// [[cpu, core, package, node], ...] and back; at most capacity.
json_t *machine_cpus_to_json(const TopologyCpu *cpus, size_t count);
bool machine_cpus_from_json(const json_t *json, TopologyCpu *cpus, size_t capacity, size_t *count,
                            Problem *problem);

// Prints it for people.
void machine_print(const json_t *machine);

#endif
