// SPDX-License-Identifier: Apache-2.0
#include "run/worker_task.h"

#include "counters/counters.h"
#include "run/achieved.h"
#include "run/fact_values.h"
#include "run/frequency.h"
#include "run/memory_policy.h"
#include "run/usage.h"
#include "run/warm_up.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// As Google Benchmark: beyond that a loop is no measurement of anything.
static const double most_iterations = 1e9;

typedef struct Task {
    const WorkerRequest *request;
    const TaskTools *tools;
    void *context; // of the workload
    Sample *outcome;
    Problem *problem;
} Task;

static bool out_of_memory(const Task *task)
{
    return problem_set(task->problem, "%s: out of memory", sample_task_name(task->request->task));
}

static bool add_own_values(const Task *task)
{
    const Workload *workload = task->request->cell.workload;
    return !workload->add_values ||
           workload->add_values(task->context, task->outcome, task->problem) || out_of_memory(task);
}

static bool do_verify(const Task *task)
{
    const Workload *workload = task->request->cell.workload;
    if (!workload->verify(task->context, task->problem))
        return false;
    const WorkloadFacts facts = workload->facts(task->context);
    return (fact_values_add(&facts, &task->request->topology, task->outcome) ||
            out_of_memory(task)) &&
           add_own_values(task);
}

static bool record_frequency(const Task *task, const char *name)
{
    const double ghz = frequency_measure_ghz(task->tools->now_ns);
    return sample_add_value(task->outcome, name, ghz, "GHz", "clock",
                            isnan(ghz) ? FREQUENCY_UNKNOWN : "") ||
           out_of_memory(task);
}

static TimedBody timed_body(const Task *task)
{
    const Workload *workload = task->request->cell.workload;
    return (TimedBody){
        .prepare = workload->prepare, .run = workload->run, .context = task->context};
}

static double run_loop(const Task *task, uint64_t iterations)
{
    const TimedBody body = timed_body(task);
    double prepared_ns = 0;
    const double start_ns = task->tools->now_ns();
    for (uint64_t i = 0; i < iterations; i++) {
        if (body.prepare) {
            const double before_ns = task->tools->now_ns();
            body.prepare(body.context);
            prepared_ns += task->tools->now_ns() - before_ns;
        }
        body.run(body.context);
    }
    return task->tools->now_ns() - start_ns - prepared_ns;
}

static bool warm_up_automatically(const Task *task)
{
    const WarmUpSubject subject = {task->request->cell.workload->run, task->context,
                                   task->tools->now_ns};
    const WarmUpResult result = warm_up_until_stable(&subject);
    return sample_add_value(task->outcome, "warm_up_ns", result.spent_ns, "ns", "clock",
                            result.stable ? "" : "the times were not stable by then") ||
           out_of_memory(task);
}

// At least one iteration: the first touches pages and fills caches. False: out of memory.
static bool warm_up(const Task *task)
{
    if (task->request->warmup_ns == WARMUP_AUTO)
        return warm_up_automatically(task);
    const double end_ns = task->tools->now_ns() + task->request->warmup_ns;
    do
        task->request->cell.workload->run(task->context);
    while (task->tools->now_ns() < end_ns);
    return true;
}

// The next count to try: in proportion and a fifth more, but not by more than ten times, because
// the time of a short loop is mostly noise.
static uint64_t grow_iterations(uint64_t iterations, double elapsed_ns, double wanted_ns)
{
    const double factor = elapsed_ns > 0 ? fmin(1.2 * wanted_ns / elapsed_ns, 10) : 10;
    const double grown = fmax(ceil((double)iterations * factor), (double)iterations + 1);
    return (uint64_t)fmin(grown, most_iterations);
}

static bool do_pilot(const Task *task)
{
    const double wanted_ns = task->request->min_time_ns;
    uint64_t iterations = 1;
    if (!warm_up(task))
        return false;
    double elapsed_ns = run_loop(task, iterations);
    while (elapsed_ns < wanted_ns && (double)iterations < most_iterations) {
        iterations = grow_iterations(iterations, elapsed_ns, wanted_ns);
        elapsed_ns = run_loop(task, iterations);
    }
    task->outcome->iterations = iterations;
    if (!(elapsed_ns > 0))
        return problem_set(task->problem, "pilot: %.0f iterations took no time",
                           (double)iterations);
    task->outcome->real_ns = calloc(1, sizeof *task->outcome->real_ns);
    if (!task->outcome->real_ns)
        return out_of_memory(task);
    task->outcome->real_ns[0] = elapsed_ns / (double)iterations;
    task->outcome->real_count = 1;
    return record_frequency(task, "frequency_after");
}

static bool do_time(const Task *task)
{
    const WorkerRequest *request = task->request;
    Sample *outcome = task->outcome;
    const size_t count = (size_t)request->repetitions;
    outcome->real_ns = calloc(count, sizeof *outcome->real_ns);
    outcome->cpu_ns = calloc(count, sizeof *outcome->cpu_ns);
    if (!outcome->real_ns || !outcome->cpu_ns)
        return out_of_memory(task);
    if (!warm_up(task) || !record_frequency(task, "frequency_before"))
        return false;
    const Usage before = usage_now();
    const TimedBody body = timed_body(task);
    if (!task->tools->time_loops(request->cell.id, &body, request->iterations, request->repetitions,
                                 outcome->real_ns, outcome->cpu_ns))
        return problem_set(task->problem, "time: Google Benchmark did not give %d results",
                           request->repetitions);
    usage_record(&before, outcome);
    outcome->iterations = request->iterations;
    outcome->real_count = count;
    return record_frequency(task, "frequency_after") && add_own_values(task) &&
           achieved_record(&request->cell, task->context, outcome, task->problem);
}

static bool record_counts(const Task *task, const CounterValue *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!sample_add_value(task->outcome, values[i].name, values[i].value, "",
                              values[i].provenance, values[i].reason))
            return out_of_memory(task);
    return true;
}

// Why counters of the calling thread would not tell of the cell; NULL: they do.
static const char *find_refusal(const WorkerRequest *request)
{
    if (request->cell.workload->prepare)
        return "counters would count what prepares each iteration";
    return request->cell.values[AXIS_THREADS].integer > 1
               ? "counters tell of one thread, and the cell has several"
               : NULL;
}

// An iteration that PAPI is told the prediction of.
typedef struct PublishedWork {
    void (*run)(void *context);
    void *context;
    HyperionCacheStats predicted;
} PublishedWork;

static void run_published(void *context)
{
    const PublishedWork *work = context;
    work->run(work->context);
    (void)hyperionPublishCacheStats(&work->predicted);
}

static bool asks_for_predictions(const char *const *names)
{
    static const char library[] = "sde:::hyperion::";
    while (*names && strncmp(*names, library, sizeof library - 1) != 0)
        names++;
    return *names != NULL;
}

static bool count_events(const Task *task, CounterValue *values, size_t count)
{
    const WorkerRequest *request = task->request;
    PublishedWork published = {request->cell.workload->run, task->context, {.valid = false}};
    if (asks_for_predictions(request->counters))
        published.predicted = request->cell.workload->facts(task->context).predicted;
    const bool publishes = published.predicted.valid;
    const CounterWork work = {
        .work = publishes ? run_published : published.run,
        .context = publishes ? &published : task->context,
        .iterations = request->iterations,
        .refusal = find_refusal(request),
        .request = request,
    };
    return counters_measure(request->counters, count, &work, values, task->problem);
}

static bool do_count(const Task *task)
{
    const WorkerRequest *request = task->request;
    size_t count = 0;
    while (request->counters[count])
        count++;
    CounterValue *values = calloc(count + 1, sizeof *values);
    if (!values)
        return out_of_memory(task);
    const bool counted =
        warm_up(task) && count_events(task, values, count) && record_counts(task, values, count);
    task->outcome->iterations = request->iterations;
    free(values);
    return counted;
}

static bool (*const task_functions[SAMPLE_TASK_COUNT])(const Task *task) = {
    [SAMPLE_VERIFY] = do_verify, [SAMPLE_PILOT] = do_pilot, [SAMPLE_TIME] = do_time,
    [SAMPLE_COUNT] = do_count,   [SAMPLE_CANARY] = do_time,
};

void worker_task_do(const WorkerRequest *request, const TaskTools *tools, Sample *outcome)
{
    Problem problem = {0};
    const Workload *workload = request->cell.workload;
    const WorkloadMachine machine = {.topology = request->topology,
                                     .seed = request->seed,
                                     .emulated = request->emulated,
                                     .cpus = request->cpus,
                                     .cpu_count = request->cpu_count,
                                     .keeps_cold = request->task != SAMPLE_VERIFY};
    Task task = {request, tools, NULL, outcome, &problem};
    assert(task_functions[request->task]);
    *outcome = sample_empty();
    outcome->task = request->task;
    const Usage before = usage_now();
    // Before anything is allocated for the workload.
    if (memory_policy_apply(request->cell.values, &problem))
        task.context = workload->open(&request->cell, &machine, &problem);
    outcome->ok = task.context && task_functions[request->task](&task);
    if (!sample_task_is_timed(request->task))
        usage_record(&before, outcome);
    outcome->peak_rss_kib = usage_peak_rss_kib();
    if (task.context)
        workload->close(task.context);
    if (!outcome->ok)
        (void)snprintf(outcome->reason, sizeof outcome->reason, "%.500s", problem.text);
}
