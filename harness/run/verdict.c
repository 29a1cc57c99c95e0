// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "run/verdict.h"

#include "common/clock.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void describe_end(const WorkerEnd *end, const LaunchLimits *limits, Problem *problem)
{
    const char *name = NULL;
    switch (end->ending) {
    case WORKER_EXITED:
        (void)problem_set(problem, "worker exited with status %d", end->code);
        break;
    case WORKER_SIGNALLED:
        name = sigabbrev_np(end->code);
        (void)problem_set(problem, "worker killed by SIG%s (%s)", name ? name : "?",
                          sigdescr_np(end->code) ? sigdescr_np(end->code) : "unknown signal");
        break;
    case WORKER_TIMED_OUT:
        (void)problem_set(problem, "worker killed after the timeout of %g s",
                          limits->timeout_ns / 1e9);
        break;
    case WORKER_OVERFLOWED:
        (void)problem_set(problem, "worker killed: its answer is longer than %d bytes",
                          PROTOCOL_ANSWER_LIMIT_BYTES);
        break;
    case WORKER_INTERRUPTED: (void)problem_set(problem, "interrupted"); break;
    case WORKER_NOT_STARTED: (void)problem_set(problem, "worker not started"); break;
    }
}

// The reason, the memory limit that may be behind it, and the worker's last words.
static void fail_sample(Sample *sample, const char *reason, const WorkerEnd *end,
                        const LaunchLimits *limits)
{
    char limit[64] = "";
    const char *words = end->output;
    while (*words == ' ')
        words++;
    size_t length = strlen(words);
    while (length > 0 && words[length - 1] == ' ')
        length--;
    if (limits->memory_bytes && end->ending != WORKER_TIMED_OUT)
        (void)snprintf(limit, sizeof limit, "; its memory limit was %zu MiB",
                       limits->memory_bytes >> 20);
    sample->ok = false;
    (void)snprintf(sample->reason, sizeof sample->reason, "%.300s%s%s%.*s", reason, limit,
                   length ? "; it said: " : "", (int)length, words);
}

static bool add_known(Sample *sample, const char *name, double value, const char *unit,
                      const char *reason)
{
    return sample_add_value(sample, name, value, unit, "os", isnan(value) ? reason : "");
}

static bool add_disturbance(const Disturbance *disturbance, Sample *sample)
{
    return add_known(sample, "other_cpus", disturbance->other_cpus, "CPUs", CONDITIONS_NO_LOAD) &&
           add_known(sample, "steal", disturbance->steal, "", CONDITIONS_NO_LOAD) &&
           add_known(sample, "throttle_events", disturbance->throttle_events, "",
                     CONDITIONS_NO_THROTTLE);
}

void verdict_take(const WorkerEnd *end, const WorkerRequest *request, const LaunchLimits *limits,
                  Sample *sample)
{
    Problem problem = {0};
    const bool exited_well = end->ending == WORKER_EXITED && end->code == 0;
    const bool read =
        exited_well && answer_read(end->answer, end->answer_length, request, sample, &problem);
    if (!exited_well)
        describe_end(end, limits, &problem);
    sample->started_unix_s = end->started_unix_s;
    sample->worker_ns = end->life_ns;
    if (read && sample->ok && sample_task_is_timed(sample->task) &&
        !add_disturbance(&end->disturbance, sample))
        sample->ok = problem_set(&problem, "out of memory");
    if (read && sample->ok)
        return;
    if (read)
        (void)problem_set(&problem, "%s", sample->reason);
    fail_sample(sample, problem.text, end, limits);
}

void verdict_refuse(SampleTask task, const Problem *refusal, Sample *sample)
{
    sample->task = task;
    sample->ok = false;
    sample->started_unix_s = clock_unix_s();
    (void)snprintf(sample->reason, sizeof sample->reason, "%.500s", refusal->text);
}
