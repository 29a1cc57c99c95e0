// SPDX-License-Identifier: Apache-2.0
// peaks.c - times the loops of peak_<level>.c.
#include "machine/peaks.h"

#include "hyperion/simd.h"
#include "machine/facts.h"
#include "machine/peak_levels.h"
#include "stats/statistics.h"

enum { TRIAL_RUNS = 5, RUN_COUNT = 41 };

// Long against the few hundred nanoseconds of reading the clock and starting a loop.
static const double trial_ns = 1e6;
static const double run_ns = 2e6;

const PeakLevel *const peak_levels[] = {
    &peak_scalar,
#if defined(__x86_64__)
    &peak_sse41,
    &peak_avx2,
    &peak_avx512,
#endif
};
enum { PEAK_LEVEL_COUNT = sizeof peak_levels / sizeof peak_levels[0] };
const size_t peak_level_count = PEAK_LEVEL_COUNT;

// One level under measurement.
typedef struct Roof {
    const PeakLevel *level;
    size_t loop; // the best so far
    uint64_t rounds;
    double one[RUN_COUNT], all[RUN_COUNT]; // GFLOP/s
} Roof;

static void run_loop(void *context, size_t thread)
{
    const Roof *roof = context;
    (void)thread;
    roof->level->loops[roof->loop].run(roof->rounds);
}

// No CPU does that many rounds in a second: were a loop compiled to nothing, doubling has an end,
// and the tests see a peak that cannot be.
static const uint64_t most_rounds = UINT64_C(1) << 32;

// Rounds that take about `wanted_ns`; doubles until the time is large enough to scale from.
static void find_rounds(Roof *roof, LimitTeam *team, double wanted_ns)
{
    roof->rounds = 1000;
    double elapsed_ns = limit_team_time_ns(team, 1, run_loop, roof);
    while (elapsed_ns < wanted_ns / 4 && roof->rounds < most_rounds) {
        roof->rounds *= 2;
        elapsed_ns = limit_team_time_ns(team, 1, run_loop, roof);
    }
    const double scaled = (double)roof->rounds * wanted_ns / elapsed_ns;
    roof->rounds = scaled > 1 ? (uint64_t)scaled : 1;
}

static double measure_gflops(Roof *roof, LimitTeam *team, size_t threads)
{
    const double flops = roof->level->flops_a_chain * roof->level->loops[roof->loop].chains *
                         (double)roof->rounds * (double)threads;
    return flops / limit_team_time_ns(team, threads, run_loop, roof);
}

// Too few chains wait for their own results, too many spill: which number is best differs by CPU.
static Roof choose_chains(const PeakLevel *level, LimitTeam *team)
{
    Roof roof = {.level = level};
    double best = 0;
    size_t best_loop = 0;
    for (roof.loop = 0; roof.loop < PEAK_LOOP_COUNT; roof.loop++) {
        double trials[TRIAL_RUNS];
        find_rounds(&roof, team, trial_ns);
        for (size_t run = 0; run < TRIAL_RUNS; run++)
            trials[run] = measure_gflops(&roof, team, 1);
        const double gflops = stat_median(trials, TRIAL_RUNS);
        if (gflops > best) {
            best = gflops;
            best_loop = roof.loop;
        }
    }
    roof.loop = best_loop;
    find_rounds(&roof, team, run_ns);
    return roof;
}

static bool add_roof(json_t *peaks, const Roof *roof, const double *gflops, size_t threads)
{
    json_t *peak = limit_to_json("gflops", gflops, RUN_COUNT, threads);
    const bool told =
        peak && fact_set(peak, "chains", json_integer(roof->level->loops[roof->loop].chains)) &&
        fact_set(peak, "instructions", json_string(roof->level->instructions));
    const bool added =
        told && json_object_set(peaks, hyperionSIMDLevelName((int)roof->level->level), peak) == 0;
    json_decref(peak);
    return added;
}

static json_t *roofs_to_json(const Roof *roofs, size_t count, size_t threads)
{
    json_t *one = json_object();
    json_t *all = json_object();
    json_t *found = json_object();
    bool ok = one && all && found;
    for (size_t i = 0; ok && i < count; i++)
        ok = add_roof(one, &roofs[i], roofs[i].one, 1) &&
             add_roof(all, &roofs[i], roofs[i].all, threads);
    ok = ok && json_object_set(found, "peaks", one) == 0 &&
         (threads > 1 ? json_object_set(found, "peaks_all", all) == 0
                      : fact_unknown(found, "peaks_all", "there is one core"));
    json_decref(one);
    json_decref(all);
    if (ok)
        return found;
    json_decref(found);
    return NULL;
}

json_t *peaks_measure(LimitTeam *team, Problem *problem)
{
    const uint32_t levels = hyperionGetSIMDCapabilities().levels;
    const size_t threads = limit_team_threads(team);
    Roof roofs[PEAK_LEVEL_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < PEAK_LEVEL_COUNT; i++)
        if (levels >> peak_levels[i]->level & 1U)
            roofs[count++] = choose_chains(peak_levels[i], team);
    // Levels take turns, so that a slow moment of the machine does not fall on one of them.
    for (size_t run = 0; run < RUN_COUNT; run++)
        for (size_t i = 0; i < count; i++) {
            roofs[i].one[run] = measure_gflops(&roofs[i], team, 1);
            roofs[i].all[run] = measure_gflops(&roofs[i], team, threads);
        }
    json_t *peaks = roofs_to_json(roofs, count, threads);
    if (!peaks)
        (void)problem_set(problem, "out of memory measuring peaks");
    return peaks;
}
