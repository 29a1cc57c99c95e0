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

// What a loop times.
typedef struct TimedBody {
    void (*prepare)(void *context); // before each iteration, the clocks stopped; NULL: nothing
    void (*run)(void *context);     // one iteration
    void *context;
} TimedBody;

// Runs the body `iterations` times in each of `repetitions` loops under Google Benchmark's state
// loop and stores the nanoseconds per iteration of each in real_ns[repetitions] (wall clock) and
// cpu_ns[repetitions] (CPU time of the calling thread). Not re-entrant: Google Benchmark keeps
// global state. False if it gave another number of results.
bool gbench_time(const char *name, const TimedBody *body, uint64_t iterations, int repetitions,
                 double *real_ns, double *cpu_ns);

enum { GBENCH_RATES = 4 };

// A benchmark that is ready, or why it is not.
typedef struct GbenchBody {
    TimedBody timed;
    const char *error; // NULL = ready; lives as long as the benchmark
    struct {
        const char *name;
        double per_iteration;
    } rates[GBENCH_RATES]; // shown per second
    size_t rate_count;
} GbenchBody;

// Google Benchmark calls a benchmark several times while it looks for a number of iterations, and
// `open` before each.
typedef struct GbenchCase {
    const char *name;
    void (*open)(void *owner, GbenchBody *body);
    void *owner;
} GbenchCase;

// The cases as native benchmarks on the wall clock: Google Benchmark reads its options from the
// arguments, prints and writes its files. The key goes into the context of these. False: an unknown
// option, which was said, or out of memory.
bool gbench_main(int argc, char **argv, const GbenchCase *cases, size_t count,
                 const char *context_key, const char *context_value);

#ifdef __cplusplus
}
#endif
#endif
