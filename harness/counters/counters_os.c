// SPDX-License-Identifier: Apache-2.0
// counters_os.c - what the kernel counts for the calling thread by itself: getrusage, the thread's
// CPU clock and the one perf software event that they lack. No PMU is needed.
#define _GNU_SOURCE // RUSAGE_THREAD
#include "counters/counter_sources.h"
#include "counters/perf_call.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct Snapshot {
    struct rusage usage;
    struct timespec cpu_time;
    uint64_t migrations;
} Snapshot;

typedef struct OsEvent {
    const char *name;
    const char *native;
    double (*read)(const Snapshot *snapshot);
    bool by_perf; // needs the perf event
} OsEvent;

static double read_page_faults(const Snapshot *snapshot)
{
    return (double)(snapshot->usage.ru_minflt + snapshot->usage.ru_majflt);
}

static double read_minor_faults(const Snapshot *snapshot)
{
    return (double)snapshot->usage.ru_minflt;
}

static double read_major_faults(const Snapshot *snapshot)
{
    return (double)snapshot->usage.ru_majflt;
}

static double read_context_switches(const Snapshot *snapshot)
{
    return (double)(snapshot->usage.ru_nvcsw + snapshot->usage.ru_nivcsw);
}

static double read_involuntary_switches(const Snapshot *snapshot)
{
    return (double)snapshot->usage.ru_nivcsw;
}

static double read_task_clock(const Snapshot *snapshot)
{
    return (double)snapshot->cpu_time.tv_sec * 1e9 + (double)snapshot->cpu_time.tv_nsec;
}

static double read_migrations(const Snapshot *snapshot)
{
    return (double)snapshot->migrations;
}

static const OsEvent os_events[] = {
    {"page_faults", "getrusage minflt + majflt", read_page_faults, false},
    {"minor_faults", "getrusage minflt", read_minor_faults, false},
    {"major_faults", "getrusage majflt", read_major_faults, false},
    {"context_switches", "getrusage nvcsw + nivcsw", read_context_switches, false},
    {"involuntary_switches", "getrusage nivcsw", read_involuntary_switches, false},
    {"task_clock_ns", "CLOCK_THREAD_CPUTIME_ID", read_task_clock, false},
    {"cpu_migrations", "perf PERF_COUNT_SW_CPU_MIGRATIONS", read_migrations, true},
};

static const OsEvent *find_event(const char *name)
{
    for (size_t i = 0; i < sizeof os_events / sizeof os_events[0]; i++)
        if (strcmp(os_events[i].name, name) == 0)
            return &os_events[i];
    return NULL;
}

// -1 with errno. With exclude_kernel an unprivileged caller would get it, and read 0 for ever:
// migrations happen in the kernel.
static int open_migrations(void)
{
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE,
                                         .config = PERF_COUNT_SW_CPU_MIGRATIONS};
    return perf_call_open(&attributes, -1);
}

static bool take_snapshot(int perf, Snapshot *snapshot)
{
    return getrusage(RUSAGE_THREAD, &snapshot->usage) == 0 &&
           clock_gettime(CLOCK_THREAD_CPUTIME_ID, &snapshot->cpu_time) == 0 &&
           (perf < 0 || perf_call_read(perf, &snapshot->migrations, sizeof snapshot->migrations));
}

static bool measure_events(CounterValue *values, size_t count, const CounterWork *work,
                           Problem *problem)
{
    Snapshot before = {0};
    Snapshot after = {0};
    const int perf = open_migrations();
    const int perf_error = perf < 0 ? errno : 0;
    bool ok = take_snapshot(perf, &before);
    for (unsigned long long i = 0; ok && i < work->iterations; i++)
        work->work(work->context);
    ok = ok && take_snapshot(perf, &after);
    if (perf >= 0)
        perf_call_close(perf);
    if (!ok)
        return problem_set(problem, "reading the thread's resource usage: %s", strerror(errno));
    for (size_t i = 0; i < count; i++) {
        const OsEvent *event = find_event(values[i].name);
        values[i].provenance = "os";
        values[i].reason[0] = '\0';
        values[i].value = event->read(&after) - event->read(&before);
        if (event->by_perf && perf_error) {
            char reason[sizeof values[i].reason];
            perf_call_explain(perf_error, reason, sizeof reason);
            counter_value_refuse(&values[i], reason);
        }
    }
    return true;
}

static void do_nothing(void *context)
{
    (void)context;
}

static size_t list_events(CounterEvent *events, size_t capacity)
{
    enum { COUNT = sizeof os_events / sizeof os_events[0] };
    CounterValue values[COUNT];
    const CounterWork nothing = {.work = do_nothing, .iterations = 1};
    Problem problem = {0};
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (CounterValue){.name = os_events[i].name};
    if (!measure_events(values, COUNT, &nothing, &problem))
        for (size_t i = 0; i < COUNT; i++)
            counter_value_refuse(&values[i], problem.text);
    for (size_t i = 0; i < COUNT && i < capacity; i++) {
        events[i] = (CounterEvent){.available = !isnan(values[i].value),
                                   .probe_value = values[i].value,
                                   .provenance = "os"};
        (void)snprintf(events[i].name, sizeof events[i].name, "%s", os_events[i].name);
        (void)snprintf(events[i].native, sizeof events[i].native, "%s", os_events[i].native);
        (void)snprintf(events[i].reason, sizeof events[i].reason, "%s", values[i].reason);
    }
    return COUNT;
}

static bool knows_event(const char *name)
{
    return find_event(name) != NULL;
}

static const char *find_no_obstacle(void)
{
    return NULL;
}

const CounterSource counter_source_os = {
    .name = "os",
    .help = "page faults, context switches and CPU time of the thread, by the kernel",
    .unavailable_reason = find_no_obstacle,
    .list = list_events,
    .knows = knows_event,
    .measure = measure_events,
};
