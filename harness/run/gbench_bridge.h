// SPDX-License-Identifier: Apache-2.0
// gbench_bridge.h - the C face of Google Benchmark. It times; everything else is decided in C.
#ifndef HYP_GBENCH_BRIDGE_H
#define HYP_GBENCH_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Runs body(context) `iterations` times in each of `repetitions` loops under Google Benchmark's
// state loop and stores the nanoseconds per iteration of each in real_ns[repetitions] (wall clock)
// and cpu_ns[repetitions] (CPU time of the calling thread). Not re-entrant: Google Benchmark keeps
// global state. False if it gave another number of results.
bool gbench_time(const char *name, void (*body)(void *context), void *context, uint64_t iterations,
                 int repetitions, double *real_ns, double *cpu_ns);

#ifdef __cplusplus
}
#endif
#endif
