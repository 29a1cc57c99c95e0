// SPDX-License-Identifier: Apache-2.0
// counters_sim.c - caches simulated from the real accesses of the kernels: the cell in another
// worker program, whose kernels tell of every access (hyperion-worker-sim).
#define _GNU_SOURCE // PATH_MAX
#include "common/installation.h"
#include "counters/counter_sources.h"
#include "counters/simulated_events.h"
#include "run/launch.h"
#include "run/verdict.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char worker_name[] = "hyperion-worker-sim";

// NULL once there is one.
static const char *find_worker(char path[PATH_MAX])
{
    static Problem problem;
    problem = (Problem){0};
    if (installation_program(worker_name, path, PATH_MAX, &problem))
        return NULL;
    static char reason[sizeof((CounterValue *)0)->reason];
    (void)snprintf(reason, sizeof reason, "%.100s (built by gcc, without sanitizers)",
                   problem.text);
    return reason;
}

static const char *find_obstacle(void)
{
    char path[PATH_MAX];
    return find_worker(path);
}

static bool knows_event(const char *name)
{
    CacheEvent event;
    return cache_event_parse(&simulated_events, name, &event);
}

// The worker that counts is the one that has been limited in time; this one ends with it.
static bool ask_worker(const char *path, const WorkerRequest *request, Sample *answer,
                       Problem *problem)
{
    const LaunchLimits limits = {.timeout_ns = 24 * 3600e9};
    WorkerEnd end = {0};
    char *text = request_write(request, problem);
    if (!text)
        return false;
    worker_launch(path, text, &limits, &end);
    free(text);
    *answer = sample_empty();
    answer->task = SAMPLE_COUNT;
    verdict_take(&end, request, &limits, answer);
    free(end.answer);
    return true;
}

static void take_values(const Sample *answer, CounterValue *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const SampleValue *value = answer->ok ? sample_find_value(answer, values[i].name) : NULL;
        if (!value) {
            counter_value_refuse(&values[i], answer->ok ? "the simulating worker does not tell"
                                                        : answer->reason);
            continue;
        }
        values[i] = (CounterValue){values[i].name, value->value, "sim", ""};
        if (value->reason[0])
            counter_value_refuse(&values[i], value->reason);
    }
}

static bool measure_events(CounterValue *values, size_t count, const CounterWork *work,
                           Problem *problem)
{
    char path[PATH_MAX];
    const char *reason = work->request ? find_worker(path) : "counts cells, and this is none";
    if (reason) {
        for (size_t i = 0; i < count; i++)
            counter_value_refuse(&values[i], reason);
        return true;
    }
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return problem_set(problem, "out of memory for %zu counters", count);
    for (size_t i = 0; i < count; i++)
        names[i] = values[i].name;
    WorkerRequest request = *work->request;
    request.counters = names;
    Sample answer;
    const bool asked = ask_worker(path, &request, &answer, problem);
    if (asked) {
        take_values(&answer, values, count);
        sample_clear(&answer);
    }
    free((void *)names);
    return asked;
}

static size_t list_events(CounterEvent *events, size_t capacity)
{
    return cache_events_list(&simulated_events,
                             "every access of the kernels; sim.cold.: from empty caches",
                             find_obstacle(), events, capacity);
}

const CounterSource counter_source_sim = {
    .name = "sim",
    .help = "caches simulated from every access of the kernels, in a process of their own",
    .of_cell = true,
    .unavailable_reason = find_obstacle,
    .list = list_events,
    .knows = knows_event,
    .measure = measure_events,
};
