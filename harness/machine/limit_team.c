// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // sched_getaffinity
#include "machine/limit_team.h"

#include "common/clock.h"
#include "hyperion/error.h"
#include "machine/machine.h"
#include "run/bind_cpu.h"
#include "stats/statistics.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

struct LimitTeam {
    HyperionThreadPool *pool;
    HyperionParallel parallel; // of the pool
    size_t threads;
    cpu_set_t before; // where the calling thread was allowed to run
    bool bound;
};

// One hardware thread a core: those come first.
static size_t choose_cpus(int numbers[HYPERION_MAX_THREADS])
{
    TopologyCpu cpus[HYPERION_MAX_THREADS];
    const size_t count = machine_worker_cpus(cpus, HYPERION_MAX_THREADS);
    size_t chosen = 0;
    for (; chosen < count; chosen++) {
        for (size_t i = 0; i < chosen; i++)
            if (cpus[i].core == cpus[chosen].core && cpus[i].core >= 0)
                return chosen;
        numbers[chosen] = cpus[chosen].cpu;
    }
    return chosen;
}

LimitTeam *limit_team_open(Problem *problem)
{
    int cpus[HYPERION_MAX_THREADS];
    Problem ignored = {0};
    LimitTeam *team = calloc(1, sizeof *team);
    if (!team) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    const size_t count = choose_cpus(cpus);
    team->threads = count ? count : 1;
    // Not bound, the figures are still what the machine did, if less steady.
    team->bound = sched_getaffinity(0, sizeof team->before, &team->before) == 0 && count > 0 &&
                  bind_to_cpu(cpus[0], &ignored);
    team->pool = hyperionCreateThreadPool((int)team->threads, count ? cpus : NULL);
    if (!team->pool) {
        (void)problem_set(problem, "threads to measure with: %s", hyperionGetLastError());
        limit_team_close(team);
        return NULL;
    }
    team->parallel = hyperionThreadPoolParallel(team->pool);
    return team;
}

void limit_team_close(LimitTeam *team)
{
    if (!team)
        return;
    hyperionFreeThreadPool(team->pool);
    if (team->bound)
        (void)sched_setaffinity(0, sizeof team->before, &team->before);
    free(team);
}

size_t limit_team_threads(const LimitTeam *team)
{
    return team->threads;
}

static double thread_cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void do_nothing(void *context, size_t thread)
{
    (void)context;
    (void)thread;
}

double limit_team_time_ns(LimitTeam *team, size_t threads, HyperionParallelTask task, void *context)
{
    if (threads == 1) {
        const double begin = thread_cpu_ns();
        task(context, 0);
        return thread_cpu_ns() - begin;
    }
    // Threads that slept are up when the clock is read.
    team->parallel.run(team->parallel.pool, threads, do_nothing, NULL);
    const double begin = clock_monotonic_ns();
    team->parallel.run(team->parallel.pool, threads, task, context);
    return clock_monotonic_ns() - begin;
}

json_t *limit_to_json(const char *name, const double *values, size_t count, size_t threads)
{
    return json_pack("{s:f, s:f, s:f, s:i, s:i, s:s}", name, stat_median(values, count), "low",
                     stat_quantile(values, count, 0.1), "high", stat_quantile(values, count, 1),
                     "runs", (int)count, "threads", (int)threads, "provenance", "clock");
}
