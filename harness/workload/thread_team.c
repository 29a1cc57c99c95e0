// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "workload/thread_team.h"

#include "hyperion/error.h"

#include <sched.h>

static void note_cpu(void *context, size_t thread)
{
    ((int *)context)[thread] = sched_getcpu();
}

size_t thread_team_cpus(HyperionThreadPool *pool, int cpus[HYPERION_MAX_THREADS])
{
    const HyperionParallel parallel = hyperionThreadPoolParallel(pool);
    cpus[0] = sched_getcpu();
    if (parallel.threads > 1)
        parallel.run(parallel.pool, parallel.threads, note_cpu, cpus);
    return parallel.threads;
}

static bool check_cpus(HyperionThreadPool *pool, const int *cpus, size_t threads, Problem *problem)
{
    int achieved[HYPERION_MAX_THREADS];
    (void)thread_team_cpus(pool, achieved);
    for (size_t i = 0; i < threads; i++)
        if (achieved[i] != cpus[i])
            return problem_set(problem, "thread %zu: bound to CPU %d, runs on CPU %d", i, cpus[i],
                               achieved[i]);
    return true;
}

static size_t count_allowed_cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

HyperionThreadPool *thread_team_open(const AxisValue *values, const WorkloadMachine *machine,
                                     Problem *problem)
{
    const size_t threads = (size_t)values[AXIS_THREADS].integer;
    const bool bound = machine->cpu_count > 0;
    const size_t cpu_count = bound ? machine->cpu_count : count_allowed_cpus();
    if (threads > cpu_count) {
        (void)problem_set(problem, "threads %zu: there are %zu CPUs%s", threads, cpu_count,
                          bound ? ", one a core, to bind them to" : " that this process may use");
        return NULL;
    }
    HyperionThreadPool *pool = hyperionCreateThreadPool((int)threads, bound ? machine->cpus : NULL);
    if (!pool) {
        (void)problem_set(problem, "threads %zu: %s", threads, hyperionGetLastError());
        return NULL;
    }
    if (bound && !check_cpus(pool, machine->cpus, threads, problem)) {
        hyperionFreeThreadPool(pool);
        return NULL;
    }
    return pool;
}
