// SPDX-License-Identifier: Apache-2.0
// worker.c - the program `hyperion-worker`: one process, one request, one answer. Started by
// `hyperion run`.
#define _GNU_SOURCE
#include "common/clock.h"
#include "run/bind_cpu.h"
#include "run/emulate.h"
#include "run/emulated_task.h"
#include "run/gbench_bridge.h"
#include "run/stack_dump.h"
#include "run/worker_task.h"
#include "worker_bench.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool read_input(char *buffer, size_t capacity, size_t *length, Problem *problem)
{
    *length = 0;
    while (*length < capacity) {
        const ssize_t got = read(STDIN_FILENO, buffer + *length, capacity - *length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return problem_set(problem, "worker request: %s", strerror(errno));
        if (got == 0)
            return true;
        *length += (size_t)got;
    }
    return problem_set(problem, "worker request: longer than %zu bytes", capacity);
}

static bool do_request(const WorkerRequest *request, bool emulated, Sample *outcome,
                       Problem *problem)
{
    static const TaskTools tools = {clock_monotonic_ns, gbench_time};
    // Before anything is allocated for the workload: memory belongs to the node that touches it.
    // Further threads are bound as they are made.
    if (request->cpu_count > 0 && !bind_to_cpu(request->cpus[0], problem))
        return false;
    if (emulated)
        emulated_task_do(request, outcome);
    else if (request->task == SAMPLE_EMULATE)
        emulate_cell(request, outcome);
    else
        worker_task_do(request, &tools, outcome);
    outcome->cpu = request->cpu_count > 0 ? sched_getcpu() : -1;
    return true;
}

static bool write_answer(const Sample *outcome)
{
    char *line = answer_write(outcome);
    if (!line)
        return false;
    const size_t length = strlen(line);
    size_t written = 0;
    while (written < length) {
        const ssize_t put = write(PROTOCOL_ANSWER_DESCRIPTOR, line + written, length - written);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        written += (size_t)put;
    }
    free(line);
    return written == length;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], BENCH_WORKER_ARGUMENT) == 0)
        return worker_bench(argc - 1, argv + 1);
    const bool emulated = argc == 2 && strcmp(argv[1], EMULATED_WORKER_ARGUMENT) == 0;
    // The worker that started this one has no means of taking it along when it is killed.
    if (emulated)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    static char input[PROTOCOL_REQUEST_LIMIT_BYTES + 1];
    size_t length = 0;
    Problem problem = {0};
    ReceivedRequest received = {0};
    Sample outcome = sample_empty();
    stack_dump_install();
    if (!read_input(input, sizeof input, &length, &problem) ||
        !request_read(input, length, &received, &problem) ||
        !do_request(&received.request, emulated, &outcome, &problem))
        (void)snprintf(outcome.reason, sizeof outcome.reason, "%.500s", problem.text);
    const bool answered = write_answer(&outcome);
    if (!answered)
        (void)fprintf(stderr, "hyperion-worker: no answer on descriptor %d: %s\n",
                      PROTOCOL_ANSWER_DESCRIPTOR, strerror(errno));
    sample_clear(&outcome);
    request_clear(&received);
    return answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
