// SPDX-License-Identifier: Apache-2.0
// counters_callgrind.c - the independent check of the simulator: the cell under callgrind, which
// simulates two levels of caches at a time, so once for each outer level asked for.
#define _GNU_SOURCE // PATH_MAX
#include "common/installation.h"
#include "counters/cache_events.h"
#include "counters/counter_sources.h"
#include "run/callgrind_run.h"
#include "run/emulated_task.h"
#include "workload/simd_choice.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// Its AVX2 kernels multiply and add where the ordinary worker fuses both, over which callgrind
// takes 15 times as long, and touch tails without masked instructions, whose accesses callgrind
// does not see. Lines are touched in the same order.
static const char worker_name[] = "hyperion-worker-callgrind";

static const CacheCount counts[] = {
    {"misses", true}, {"read_misses", true}, {"write_misses", true}, {NULL, false}};
static const CacheEventKind callgrind_events = {"callgrind", counts};

static const char *find_worker(char path[PATH_MAX])
{
    static Problem problem;
    problem = (Problem){0};
    return installation_program(worker_name, path, PATH_MAX, &problem) ? NULL : problem.text;
}

static const char *find_obstacle(void)
{
    char path[PATH_MAX];
    return find_worker(path);
}

static bool knows_event(const char *name)
{
    CacheEvent event;
    return cache_event_parse(&callgrind_events, name, &event);
}

// One process: caches of the first level and one further out.
typedef struct Pair {
    bool cold;
    int level;
    bool counted;
    CallgrindReport report;
    Problem problem;
} Pair;

static bool choose_caches(const HyperionCacheTopology *topology, int level, SimulatedCaches *caches,
                          HyperionCacheTopology *two, Problem *problem)
{
    if (level > topology->level_count || topology->level_count < 2)
        return problem_set(problem, "the topology has %d levels of caches", topology->level_count);
    *two = (HyperionCacheTopology){.level_count = 2,
                                   .levels = {topology->levels[0], topology->levels[level - 1]}};
    if (!callgrind_choose_caches(two, caches, problem))
        return false;
    for (int i = 0; i < 2; i++) {
        const SimulatedCache *cache = i ? &caches->last : &caches->first;
        if (cache->size_bytes != two->levels[i].size_bytes)
            return problem_set(problem,
                               "callgrind wants a number of sets that is a power of two: %zu bytes "
                               "in %d ways are none",
                               two->levels[i].size_bytes, cache->ways);
    }
    return true;
}

// "best" may be more than callgrind knows: another level than the one timed would be no check.
static bool check_level(const WorkerRequest *request, Problem *problem)
{
    HyperionSIMDLevel level;
    const Axis *axis = &axis_table[AXIS_SIMD_LEVEL];
    const char *word = axis->words[request->cell.values[AXIS_SIMD_LEVEL].integer];
    if (!simd_choice_resolve(word, false, &level, problem))
        return false;
    return level <= HYPERION_SIMD_AVX2 ||
           problem_set(problem, "callgrind knows AVX2 at most: ask for a simd_level");
}

static void count_pair(const WorkerRequest *cell, Pair *pair)
{
    char path[PATH_MAX];
    SimulatedCaches caches;
    WorkerRequest request = *cell;
    static const char *const no_counters[] = {NULL};
    request.counters = no_counters;
    request.task = SAMPLE_EMULATE;
    const char *reason = find_worker(path);
    const CallgrindRun run = {
        .program = path,
        .argument = pair->cold ? EMULATED_WORKER_ARGUMENT : EMULATED_WARM_ARGUMENT,
        .request = &request,
        .caches = &caches,
    };
    // The blocking is of the whole geometry: it stays as the cell has it.
    HyperionCacheTopology two;
    pair->counted = (!reason || problem_set(&pair->problem, "%s", reason)) &&
                    check_level(cell, &pair->problem) &&
                    choose_caches(&cell->topology, pair->level, &caches, &two, &pair->problem) &&
                    callgrind_run(&run, &pair->report, &pair->problem);
}

enum { MOST_PAIRS = 2 * HYPERION_MAX_CACHE_LEVELS };

// The level that is simulated beside the first: for counts of the first, the second.
static int outer_level(const CacheEvent *event)
{
    return event->level > 1 ? event->level : 2;
}

static Pair *find_pair(Pair *pairs, size_t *count, const CacheEvent *event)
{
    for (size_t i = 0; i < *count; i++)
        if (pairs[i].cold == event->cold && (event->level == 1 || pairs[i].level == event->level))
            return &pairs[i];
    pairs[*count] = (Pair){.cold = event->cold, .level = outer_level(event)};
    return &pairs[(*count)++];
}

static void take_value(const Pair *pair, const CacheEvent *event, CounterValue *value)
{
    const CallgrindReport *report = &pair->report;
    const double reads = event->level == 1 ? report->first_read_misses : report->last_read_misses;
    const double writes =
        event->level == 1 ? report->first_write_misses : report->last_write_misses;
    const double values[] = {reads + writes, reads, writes};
    *value = (CounterValue){value->name, values[event->count], "sim", ""};
    if (!pair->counted)
        counter_value_refuse(value, pair->problem.text);
}

// Outer levels first: the first level comes along with any of them.
static bool measure_events(CounterValue *values, size_t count, const CounterWork *work,
                           Problem *problem)
{
    Pair pairs[MOST_PAIRS];
    size_t pair_count = 0;
    (void)problem;
    for (int outer = 1; outer >= 0; outer--)
        for (size_t i = 0; i < count; i++) {
            CacheEvent event = {0};
            (void)cache_event_parse(&callgrind_events, values[i].name, &event);
            if ((event.level > 1) != (outer == 1))
                continue;
            const char *reason = !work->request ? "counts cells, and this is none"
                                 : work->request->cell.values[AXIS_THREADS].integer > 1
                                     ? "one set of caches for all threads"
                                     : NULL;
            if (reason) {
                counter_value_refuse(&values[i], reason);
                continue;
            }
            const size_t before = pair_count;
            Pair *pair = find_pair(pairs, &pair_count, &event);
            if (pair_count > before)
                count_pair(work->request, pair);
            take_value(pair, &event, &values[i]);
        }
    return true;
}

static size_t list_events(CounterEvent *events, size_t capacity)
{
    return cache_events_list(&callgrind_events,
                             "valgrind --cache-sim=yes; callgrind.cold.: from empty caches",
                             find_obstacle(), events, capacity);
}

const CounterSource counter_source_callgrind = {
    .name = "callgrind",
    .help = "caches simulated by valgrind's callgrind, at most AVX2, two levels a process",
    .of_cell = true,
    .unavailable_reason = find_obstacle,
    .list = list_events,
    .knows = knows_event,
    .measure = measure_events,
};
