// SPDX-License-Identifier: Apache-2.0
// worker.c - the program `hyperion-worker`: one process, one request, one answer. Started by
// `hyperion run`.
#define _GNU_SOURCE
#include "common/clock.h"
#include "run/bind_cpu.h"
#include "run/emulate.h"
#include "run/emulated_task.h"
#include "run/gbench_bridge.h"
#include "run/worker_task.h"
#include "worker_bench.h"
#include "worker_io.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

// Under callgrind by its one argument; NULL: not.
static const EmulatedStart *emulated_start;

static void find_emulated_start(int argc, char **argv)
{
    static const EmulatedStart cold = EMULATED_COLD;
    static const EmulatedStart warm = EMULATED_WARM;
    if (argc == 2 && strcmp(argv[1], EMULATED_WORKER_ARGUMENT) == 0)
        emulated_start = &cold;
    else if (argc == 2 && strcmp(argv[1], EMULATED_WARM_ARGUMENT) == 0)
        emulated_start = &warm;
    // The worker that started this one has no means of taking it along when it is killed.
    if (emulated_start)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool do_request(const WorkerRequest *request, Sample *outcome, Problem *problem)
{
    static const TaskTools tools = {clock_monotonic_ns, gbench_time};
    // Before anything is allocated for the workload: memory belongs to the node that touches it.
    // Further threads are bound as they are made.
    if (request->cpu_count > 0 && !bind_to_cpu(request->cpus[0], problem))
        return false;
    if (emulated_start)
        emulated_task_do(request, *emulated_start, outcome);
    else if (request->task == SAMPLE_EMULATE)
        emulate_cell(request, outcome);
    else
        worker_task_do(request, &tools, outcome);
    outcome->cpu = request->cpu_count > 0 ? sched_getcpu() : -1;
    return true;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], BENCH_WORKER_ARGUMENT) == 0)
        return worker_bench(argc - 1, argv + 1);
    find_emulated_start(argc, argv);
    return worker_answer(do_request);
}
