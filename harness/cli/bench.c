// SPDX-License-Identifier: Apache-2.0
// bench.c - `hyperion bench`: the cells as native Google Benchmarks, which the worker becomes; for
// exploration only, because loops of one process are not independent samples.
#define _GNU_SOURCE
#include "cli/command.h"
#include "cli/workplace.h"
#include "machine/machine.h"
#include "worker_bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OPTION_SET };

static const CommandOption options[] = {
    [OPTION_SET] = {"--set", "AXIS=VALUES", true, "replace the values of an axis"},
    {NULL, NULL, false, NULL},
};

static json_t *describe_cpus(void)
{
    static TopologyCpu cpus[HYPERION_MAX_THREADS];
    const size_t count = machine_worker_cpus(cpus, HYPERION_MAX_THREADS);
    return machine_cpus_to_json(cpus, count);
}

// The worker's standard input from here on.
static bool hand_over(const Plan *plan, const HyperionCacheTopology *topology, Problem *problem)
{
    json_t *json = json_pack("{s:o, s:o, s:o}", "plan", plan_to_json(plan), "topology",
                             machine_topology_to_json(topology), "cpus", describe_cpus());
    const int file = memfd_create("hyperion-bench", MFD_CLOEXEC);
    const bool handed = json && file >= 0 && json_dumpfd(json, file, JSON_COMPACT) == 0 &&
                        lseek(file, 0, SEEK_SET) == 0 && dup2(file, STDIN_FILENO) == STDIN_FILENO;
    if (!handed)
        (void)problem_set(problem, "bench: hand the cells to the worker: %s", strerror(errno));
    if (file >= 0)
        (void)close(file);
    json_decref(json);
    return handed;
}

static bool become_worker(const char *worker, const char *const *given, Problem *problem)
{
    size_t count = 0;
    while (given && given[count])
        count++;
    const char **words = calloc(count + 3, sizeof *words);
    if (!words)
        return problem_set(problem, "bench: out of memory");
    words[0] = "hyperion-worker";
    words[1] = BENCH_WORKER_ARGUMENT;
    for (size_t i = 0; i < count; i++)
        words[i + 2] = given[i];
    // execv takes what it does not change as changeable.
    (void)execv(worker, (char *const *)(uintptr_t)words);
    (void)problem_set(problem, "execute %s: %s", worker, strerror(errno));
    free(words);
    return false;
}

static int run_bench(const CommandArguments *arguments)
{
    static Workplace place;
    Problem problem = {0};
    Plan *plan =
        plan_from_scenario(arguments->words[0], arguments->options_of[OPTION_SET], &problem);
    const bool ready = plan && workplace_find_worker(&place, &problem) &&
                       machine_cache_topology(&place.topology, &problem) &&
                       hand_over(plan, &place.topology, &problem);
    plan_free(plan);
    if (ready)
        (void)become_worker(place.worker, arguments->rest, &problem);
    return command_fail(EXIT_USAGE, &problem);
}

const Command command_bench = {
    .name = "bench",
    .operands = "SCENARIO -- GOOGLE-BENCHMARK-OPTIONS",
    .summary = "the cells as native Google Benchmarks in one process, to explore; no baseline",
    .least_words = 1,
    .most_words = 1,
    .takes_rest = true,
    .options = options,
    .run = run_bench,
};
