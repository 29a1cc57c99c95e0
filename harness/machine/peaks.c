// SPDX-License-Identifier: Apache-2.0
// peaks.c - times the loops of peak_<level>.c on one pinned core.
#define _GNU_SOURCE // sched_setaffinity
#include "machine/peaks.h"

#include "hyperion/simd.h"
#include "machine/machine.h"
#include "machine/peak_levels.h"
#include "stats/statistics.h"

#include <sched.h>
#include <time.h>

enum { TRIAL_RUNS = 5, RUN_COUNT = 41 };

// Long against the few hundred nanoseconds of reading the clock and starting a loop.
static const double trial_ns = 1e6;
static const double run_ns = 2e6;

static const PeakLevel *const peak_levels[] = {
    &peak_scalar,
#if defined(__x86_64__)
    &peak_sse41,
    &peak_avx2,
    &peak_avx512,
#endif
};
enum { PEAK_LEVEL_COUNT = sizeof peak_levels / sizeof peak_levels[0] };

// One level under measurement.
typedef struct Roof {
    const PeakLevel *level;
    size_t loop; // the best so far
    uint64_t rounds;
    double gflops[RUN_COUNT];
} Roof;

// CPU time of this thread: what another process takes of the core is not the loop's.
static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double time_loop(const PeakLevel *level, size_t loop, uint64_t rounds)
{
    const double begin = now_ns();
    level->loops[loop].run(rounds);
    return now_ns() - begin;
}

static double to_gflops(const PeakLevel *level, size_t loop, uint64_t rounds, double elapsed_ns)
{
    return level->flops_a_chain * level->loops[loop].chains * (double)rounds / elapsed_ns;
}

// No CPU does that many rounds in a second: were a loop compiled to nothing, doubling has an end,
// and the tests see a peak that cannot be.
static const uint64_t most_rounds = UINT64_C(1) << 32;

// Rounds that take about `wanted_ns`; doubles until the time is large enough to scale from.
static uint64_t find_rounds(const PeakLevel *level, size_t loop, double wanted_ns)
{
    uint64_t rounds = 1000;
    double elapsed_ns = time_loop(level, loop, rounds);
    while (elapsed_ns < wanted_ns / 4 && rounds < most_rounds) {
        rounds *= 2;
        elapsed_ns = time_loop(level, loop, rounds);
    }
    const double scaled = (double)rounds * wanted_ns / elapsed_ns;
    return scaled > 1 ? (uint64_t)scaled : 1;
}

// Too few chains wait for their own results, too many spill: which number is best differs by CPU.
static Roof choose_chains(const PeakLevel *level)
{
    Roof roof = {.level = level};
    double best = 0;
    for (size_t loop = 0; loop < PEAK_LOOP_COUNT; loop++) {
        double trials[TRIAL_RUNS];
        const uint64_t rounds = find_rounds(level, loop, trial_ns);
        for (size_t run = 0; run < TRIAL_RUNS; run++)
            trials[run] = to_gflops(level, loop, rounds, time_loop(level, loop, rounds));
        const double gflops = stat_median(trials, TRIAL_RUNS);
        if (gflops > best) {
            best = gflops;
            roof.loop = loop;
        }
    }
    roof.rounds = find_rounds(level, roof.loop, run_ns);
    return roof;
}

static json_t *roof_to_json(const Roof *roof)
{
    return json_pack("{s:f, s:f, s:f, s:i, s:i, s:s, s:s}", "gflops",
                     stat_median(roof->gflops, RUN_COUNT), "low",
                     stat_quantile(roof->gflops, RUN_COUNT, 0.1), "high",
                     stat_quantile(roof->gflops, RUN_COUNT, 1.0), "runs", RUN_COUNT, "chains",
                     roof->level->loops[roof->loop].chains, "instructions",
                     roof->level->instructions, "provenance", "clock");
}

static json_t *measure_levels(uint32_t levels)
{
    Roof roofs[PEAK_LEVEL_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < PEAK_LEVEL_COUNT; i++)
        if (levels >> peak_levels[i]->level & 1U)
            roofs[count++] = choose_chains(peak_levels[i]);
    // Levels take turns, so that a slow moment of the machine does not fall on one of them.
    for (size_t run = 0; run < RUN_COUNT; run++)
        for (size_t i = 0; i < count; i++) {
            Roof *roof = &roofs[i];
            roof->gflops[run] = to_gflops(roof->level, roof->loop, roof->rounds,
                                          time_loop(roof->level, roof->loop, roof->rounds));
        }
    json_t *peaks = json_object();
    for (size_t i = 0; peaks && i < count; i++)
        if (json_object_set_new(peaks, hyperionSIMDLevelName((int)roofs[i].level->level),
                                roof_to_json(&roofs[i])) != 0) {
            json_decref(peaks);
            return NULL;
        }
    return peaks;
}

json_t *peaks_measure(Problem *problem)
{
    cpu_set_t before;
    TopologyCpu first = {0};
    const bool pinned = sched_getaffinity(0, sizeof before, &before) == 0 &&
                        machine_worker_cpus(&first, 1) == 1 && first.cpu < CPU_SETSIZE;
    if (pinned) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET((size_t)first.cpu, &one);
        (void)sched_setaffinity(0, sizeof one, &one);
    }
    json_t *peaks = measure_levels(hyperionGetSIMDCapabilities().levels);
    if (pinned)
        (void)sched_setaffinity(0, sizeof before, &before);
    if (!peaks)
        (void)problem_set(problem, "out of memory measuring peaks");
    return peaks;
}
