// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "machine/chase.h"

#include "common/splitmix.h"
#include "run/page_facts.h"
#include "stats/statistics.h"
#include "workload/operand_memory.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

// A line of any machine we know; where lines are longer, neighbours share one and latency is lower.
enum { LINE_BYTES = 64, RUN_COUNT = 5, SWEEP_COUNT = 3, STEPS_AN_OCTAVE = 8 };

static const size_t least_bytes = 8 << 10;
// Memory that shows its latency although there is no larger cache than a few MiB; and what is
// enough on machines whose last level is beyond measure.
static const size_t least_memory_bytes = 64 << 20;
static const size_t most_memory_bytes = 1 << 30;
static const long memory_share = 8; // no more than that part of the machine's
// Up to here an eighth of an octave a step, then a half: larger arrays take their time.
static const size_t fine_bytes = 64 << 20;
// Up to here all sizes are gone through several times: the steps of small caches are a nanosecond,
// which a slow moment of the machine makes too.
static const size_t repeated_bytes = 4 << 20;
// A run: long against reading the clock, short against a time slice.
static const double run_ns = 1e6;
static const size_t least_loads = 2048;
// Before the runs: enough to bring in what any cache we know can hold; of larger arrays not much
// stays anyway.
static const size_t most_warm_loads = 1 << 20;
static const size_t cold_loads = 1 << 15;

static double thread_cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

// Sattolo's shuffle: one cycle through all the lines.
static void link_lines(char *base, uint32_t *next, size_t count)
{
    uint64_t state = count;
    for (size_t i = 0; i < count; i++)
        next[i] = (uint32_t)i;
    for (size_t i = count - 1; i > 0; i--) {
        const size_t j = splitmix_below(&state, i);
        const uint32_t kept = next[i];
        next[i] = next[j];
        next[j] = kept;
    }
    for (size_t i = 0; i < count; i++)
        *(char **)(void *)(base + i * LINE_BYTES) = base + (size_t)next[i] * LINE_BYTES;
}

static char *follow(char *at, size_t loads)
{
    for (size_t i = 0; i < loads; i++)
        at = *(char **)(void *)at;
    __asm__ volatile("" : "+r"(at));
    return at;
}

static char *time_loads(char *at, size_t loads, double *load_ns)
{
    const double begin = thread_cpu_ns();
    at = follow(at, loads);
    *load_ns = (thread_cpu_ns() - begin) / (double)loads;
    return at;
}

static void chase_array(char *base, uint32_t *next, size_t array_bytes, double runs_ns[RUN_COUNT])
{
    const size_t count = array_bytes / LINE_BYTES;
    double load_ns = 1;
    link_lines(base, next, count);
    char *at = time_loads(base, 2 * count <= most_warm_loads ? 2 * count : cold_loads, &load_ns);
    const double wanted = run_ns / (load_ns > 0.1 ? load_ns : 0.1);
    const size_t loads = wanted > (double)least_loads ? (size_t)wanted : least_loads;
    for (size_t run = 0; run < RUN_COUNT; run++)
        at = time_loads(at, loads, &runs_ns[run]);
}

// The runs of one size, of all sweeps.
typedef struct ChaseRuns {
    double ns[SWEEP_COUNT * RUN_COUNT];
    size_t count;
} ChaseRuns;

static void chase_sizes(char *base, uint32_t *next, ChaseRuns *runs, ChaseCurve *curve)
{
    for (size_t sweep = 0; sweep < SWEEP_COUNT; sweep++)
        for (size_t i = 0; i < curve->count; i++) {
            const size_t array_bytes = curve->points[i].array_bytes;
            if (sweep && array_bytes > repeated_bytes)
                break;
            chase_array(base, next, array_bytes, runs[i].ns + runs[i].count);
            runs[i].count += RUN_COUNT;
        }
    for (size_t i = 0; i < curve->count; i++) {
        curve->points[i].least_ns = stat_quantile(runs[i].ns, runs[i].count, 0);
        curve->points[i].median_ns = stat_median(runs[i].ns, runs[i].count);
        curve->points[i].high_ns = stat_quantile(runs[i].ns, runs[i].count, 0.9);
    }
}

// 8, 9, ... 15, 16, 18, ... KiB.
static size_t next_size(size_t array_bytes)
{
    size_t octave = least_bytes;
    while (octave * 2 <= array_bytes)
        octave *= 2;
    return array_bytes + octave / (array_bytes < fine_bytes ? STEPS_AN_OCTAVE : 2);
}

static size_t choose_memory_bytes(size_t last_level_bytes)
{
    const long pages = sysconf(_SC_PHYS_PAGES) / memory_share;
    const size_t share_bytes = pages > 0 ? (size_t)pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
    size_t most_bytes = most_memory_bytes;
    if (share_bytes && share_bytes < most_bytes)
        most_bytes = share_bytes;
    size_t bytes = 2 * last_level_bytes;
    if (bytes < least_memory_bytes)
        bytes = least_memory_bytes;
    return bytes < most_bytes ? bytes : most_bytes;
}

bool chase_measure(size_t last_level_bytes, ChaseCurve *curve, Problem *problem)
{
    Problem refused = {0};
    OperandMemory memory;
    PageFacts pages;
    const size_t most_bytes = choose_memory_bytes(last_level_bytes);
    *curve = (ChaseCurve){.memory_bytes = most_bytes};
    // On small pages, sets of a cache are hit unevenly and translations are missed; small ones are
    // better than none.
    if (!operand_memory_open(&memory, most_bytes, OPERAND_PAGES_TRANSPARENT, &refused) &&
        !operand_memory_open(&memory, most_bytes, OPERAND_PAGES_BASE, problem))
        return false;
    for (size_t bytes = least_bytes; bytes <= most_bytes && curve->count < CHASE_MOST_POINTS;
         bytes = next_size(bytes))
        curve->points[curve->count++].array_bytes = bytes;
    uint32_t *next = malloc(most_bytes / LINE_BYTES * sizeof *next);
    ChaseRuns *runs = calloc(curve->count, sizeof *runs);
    const bool enough = next && runs;
    if (enough) {
        chase_sizes(memory.base, next, runs, curve);
        page_facts_read(memory.base, most_bytes, NULL, &pages);
        curve->huge_bytes = pages.anonymous_huge_bytes;
    }
    free(next);
    free(runs);
    operand_memory_close(&memory);
    return enough || problem_set(problem, "pointer chase: out of memory");
}
