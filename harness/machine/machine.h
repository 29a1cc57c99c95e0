// SPDX-License-Identifier: Apache-2.0
// machine.h - what this machine is: topology, SIMD, counters, kernel, keys; and its measured
// limits.
#ifndef HYP_MACHINE_H
#define HYP_MACHINE_H

#include "common/problem.h"
#include "hyperion/cache.h"
#include "machine/machine_limits.h"
#include "machine/topology.h"

#include <jansson.h>

// Everything `hyperion machine --json` prints and a run keeps as machine.json: one object with
// "schema", "key" (machine key), "environment_digest", "cpu", "caches", "topology", "simd",
// "counters", "kernel", "virtualisation", "build" (compiler, flags, commit), "limits" (or null with
// a reason); unknown facts are null with a "<name>_reason". hwloc's XML goes to *topology_xml (free
// with free; NULL in a program built without hwloc) when that is not NULL. NULL on failure.
// "limits" is as machine_measure_limits gives it if it is in the user's cache: nothing is timed
// here.
json_t *machine_describe(char **topology_xml, Problem *problem);

// The same of a captured machine: a folder with its /proc, /sys and topology.xml (see topology.h).
// What only a running machine can tell is null.
json_t *machine_describe_captured(const char *sysroot, char **topology_xml, Problem *problem);

// The cache topology of one core (the first of machine_worker_cpus), as the library
// takes it.
bool machine_cache_topology(HyperionCacheTopology *topology, Problem *problem);
// The same of another machine, its first CPU: `path` is what hwloc exported of it (XML), or a
// folder as of topology_load.
bool machine_cache_topology_of(const char *path, HyperionCacheTopology *topology, Problem *problem);
json_t *machine_topology_to_json(const HyperionCacheTopology *topology);
bool machine_topology_from_json(const json_t *json, HyperionCacheTopology *topology,
                                Problem *problem);

// What this machine was measured to be able to do, with the spread of the runs:
//   "peaks"      GFLOP/s of one core at each SIMD level, register-only multiply-adds, best over 4
//   to
//                16 accumulator chains: {"avx2": {"gflops": median, "low": 10th percentile, "high":
//                best run, "runs", "threads", "chains", "instructions", "provenance": "clock"},
//                ...}
//   "peaks_all"  the same of a thread on every core
//   "memory"     nearest first, the last is "memory" itself: [{"name": "L1", "advertised_bytes",
//                "observed_bytes" (pointer chase), "latency_ns": median, "latency_least_ns",
//                "latency_high_ns", "bandwidth": see bandwidth.h, "bandwidth_all"}, ...]
//   "chase"      the curve behind those: {"points": [[array bytes, least ns, median, 90th
//                percentile], ...], "memory_bytes", "huge_page_bytes"}
// What is unknown is null beside a reason; "memory" and "chase" are, when only the peaks were asked
// for. Cached per machine key and environment under the user's cache folder. LIMITS_PEAKS is read
// from there if possible, with what else is there; LIMITS_ALL is measured anew.
json_t *machine_measure_limits(LimitsScope scope, Problem *problem);

// Puts them (not taken over) into a description as its "limits"; false: out of memory.
bool machine_set_limits(json_t *machine, json_t *limits);

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
