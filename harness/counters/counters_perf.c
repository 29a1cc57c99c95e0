// SPDX-License-Identifier: Apache-2.0
// counters_perf.c - the kernel's own generic hardware events, for CPUs that PAPI's libpfm4 does not
// know yet. User mode only, which needs no privilege up to perf_event_paranoid 2.
#define _GNU_SOURCE // MAP_ANONYMOUS
#include "counters/counter_passes.h"
#include "counters/counter_sources.h"
#include "counters/perf_call.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct PerfEvent {
    const char *name; // perf. and what the program perf calls it
    const char *native;
    uint32_t type;
    uint64_t config;
} PerfEvent;

#define HARDWARE(id) "PERF_COUNT_HW_" #id ":u", PERF_TYPE_HARDWARE, PERF_COUNT_HW_##id
#define CACHE(cache, op, result)                                                                   \
    "PERF_COUNT_HW_CACHE_" #cache " " #op " " #result ":u", PERF_TYPE_HW_CACHE,                    \
        PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_##op << 8 |                           \
            PERF_COUNT_HW_CACHE_RESULT_##result << 16

static const PerfEvent perf_events[] = {
    {"perf.instructions", HARDWARE(INSTRUCTIONS)},
    {"perf.cycles", HARDWARE(CPU_CYCLES)},
    {"perf.cache-references", HARDWARE(CACHE_REFERENCES)},
    {"perf.cache-misses", HARDWARE(CACHE_MISSES)},
    {"perf.branch-misses", HARDWARE(BRANCH_MISSES)},
    {"perf.L1-dcache-loads", CACHE(L1D, READ, ACCESS)},
    {"perf.L1-dcache-load-misses", CACHE(L1D, READ, MISS)},
    {"perf.L1-dcache-stores", CACHE(L1D, WRITE, ACCESS)},
    {"perf.L1-dcache-store-misses", CACHE(L1D, WRITE, MISS)},
    {"perf.L1-dcache-prefetches", CACHE(L1D, PREFETCH, ACCESS)},
    {"perf.L1-dcache-prefetch-misses", CACHE(L1D, PREFETCH, MISS)},
    {"perf.LLC-loads", CACHE(LL, READ, ACCESS)},
    {"perf.LLC-load-misses", CACHE(LL, READ, MISS)},
    {"perf.dTLB-load-misses", CACHE(DTLB, READ, MISS)},
};

// What the kernel gives for a group, with PERF_FORMAT_GROUP and both times.
typedef struct GroupReading {
    uint64_t count;
    uint64_t enabled_ns, running_ns;
    uint64_t values[COUNTER_GROUP_LIMIT];
} GroupReading;

typedef struct PerfGroup {
    int descriptors[COUNTER_GROUP_LIMIT]; // the first leads
    size_t size;
} PerfGroup;

static const PerfEvent *find_event(const char *name)
{
    for (size_t i = 0; i < sizeof perf_events / sizeof perf_events[0]; i++)
        if (strcmp(perf_events[i].name, name) == 0)
            return &perf_events[i];
    return NULL;
}

static bool knows_event(const char *name)
{
    return find_event(name) != NULL;
}

static void *create_group(char *reason)
{
    PerfGroup *group = calloc(1, sizeof *group);
    if (!group)
        (void)snprintf(reason, COUNTER_REASON_BYTES, "out of memory");
    return group;
}

static void drop_last(PerfGroup *group)
{
    perf_call_close(group->descriptors[--group->size]);
}

static void destroy_group(void *group)
{
    PerfGroup *perf = group;
    while (perf && perf->size)
        drop_last(perf);
    free(perf);
}

static bool start_group(void *group, char *reason)
{
    const PerfGroup *perf = group;
    if (perf_call_control(perf->descriptors[0], PERF_EVENT_IOC_RESET) &&
        perf_call_control(perf->descriptors[0], PERF_EVENT_IOC_ENABLE))
        return true;
    (void)snprintf(reason, COUNTER_REASON_BYTES, "starting the counters: %s", strerror(errno));
    return false;
}

static bool read_group(const PerfGroup *group, GroupReading *reading, char *reason)
{
    const size_t bytes = offsetof(GroupReading, values) + group->size * sizeof reading->values[0];
    const bool read = perf_call_control(group->descriptors[0], PERF_EVENT_IOC_DISABLE) &&
                      perf_call_read(group->descriptors[0], reading, bytes);
    if (!read)
        (void)snprintf(reason, COUNTER_REASON_BYTES, "reading the counters: %s",
                       errno ? strerror(errno) : "the read is short");
    else if (!reading->running_ns)
        (void)snprintf(reason, COUNTER_REASON_BYTES,
                       "the counters never ran: others hold the hardware's");
    else
        return true;
    return false;
}

// Counts that ran for part of the time only are too low by what is not known: they get the doubt.
static bool stop_group(void *group, long long *counts, char *reason)
{
    const PerfGroup *perf = group;
    GroupReading reading = {0};
    if (!read_group(perf, &reading, reason))
        return false;
    for (size_t i = 0; i < perf->size; i++)
        counts[i] = (long long)reading.values[i];
    if (reading.running_ns < reading.enabled_ns)
        (void)snprintf(reason, COUNTER_REASON_BYTES,
                       "too low: counted for %.1f %% of the time, others held the counters",
                       100 * (double)reading.running_ns / (double)reading.enabled_ns);
    return true;
}

static bool open_event(PerfGroup *group, const char *name, char *reason)
{
    const PerfEvent *event = find_event(name);
    struct perf_event_attr attributes = {
        .type = event->type,
        .config = event->config,
        .disabled = group->size == 0, // members follow their leader
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .read_format =
            PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
    };
    const int descriptor = perf_call_open(&attributes, group->size ? group->descriptors[0] : -1);
    if (descriptor < 0)
        perf_call_explain(errno, reason, COUNTER_REASON_BYTES);
    else
        group->descriptors[group->size++] = descriptor;
    return descriptor >= 0;
}

// The kernel refuses most groups that cannot be; where it does not (a counter that the watchdog
// holds), a trial shows that the group does not run all the time.
static bool add_event(void *group, const char *name, char *reason)
{
    PerfGroup *perf = group;
    long long counts[COUNTER_GROUP_LIMIT];
    reason[0] = '\0';
    if (!open_event(perf, name, reason))
        return false;
    if (start_group(perf, reason)) {
        counter_exercise();
        if (stop_group(perf, counts, reason) && !reason[0])
            return true;
    }
    drop_last(perf);
    return false;
}

// Misses in every cache and TLB and of the branch predictor: loads of one word a page, in an order
// that a prefetcher does not follow, out of more memory than caches hold.
static void miss_everywhere(void)
{
    const size_t page_bytes = 4096;
    const size_t pages = 16384;
    uint32_t state = 1;
    volatile uint32_t odd = 0;
    unsigned char *memory =
        mmap(NULL, pages * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
    memset(memory, 1, pages * page_bytes);
    for (size_t i = 0; i < 4 * pages; i++) {
        state = state * 1664525U + 1013904223U;
        const volatile unsigned char *at = memory + (state >> 8) % (pages * page_bytes);
        if ((*at + (state >> 16)) & 1)
            odd = odd + 1;
    }
    (void)munmap(memory, pages * page_bytes);
}

static bool count_alone(PerfGroup *group, void (*work)(void), long long *value, char *reason)
{
    if (!start_group(group, reason))
        return false;
    work();
    return stop_group(group, value, reason) && !reason[0];
}

// A counter that stays at 0 beside work which must move it is none.
static bool probe_event(const char *name, long long *value, char *reason)
{
    PerfGroup group = {.size = 0};
    reason[0] = '\0';
    *value = 0;
    if (!open_event(&group, name, reason))
        return false;
    bool counts = count_alone(&group, counter_exercise, value, reason);
    if (counts && *value == 0)
        counts = count_alone(&group, miss_everywhere, value, reason);
    if (counts && *value == 0) {
        (void)snprintf(reason, COUNTER_REASON_BYTES,
                       "opened, but reads 0 beside work that must "
                       "move it");
        counts = false;
    }
    drop_last(&group);
    return counts;
}

static const CounterBackend backend = {
    .check_event = "perf.instructions",
    .provenance = "pmu",
    .probe = probe_event,
    .create = create_group,
    .add = add_event,
    .start = start_group,
    .stop = stop_group,
    .destroy = destroy_group,
};

static bool measure_events(CounterValue *values, size_t count, const CounterWork *work,
                           Problem *problem)
{
    return counter_passes_measure(&backend, values, count, work, problem);
}

static size_t list_events(CounterEvent *events, size_t capacity)
{
    enum { COUNT = sizeof perf_events / sizeof perf_events[0] };
    for (size_t i = 0; i < COUNT && i < capacity; i++) {
        CounterEvent *event = &events[i];
        long long value = 0;
        *event = (CounterEvent){.probe_value = NAN, .provenance = "pmu"};
        (void)snprintf(event->name, sizeof event->name, "%s", perf_events[i].name);
        event->available = probe_event(event->name, &value, event->reason);
        if (!event->available)
            continue;
        event->probe_value = (double)value;
        (void)snprintf(event->native, sizeof event->native, "%s", perf_events[i].native);
    }
    return COUNT;
}

// Each event has its own obstacle.
static const char *find_no_obstacle(void)
{
    return NULL;
}

const CounterSource counter_source_perf = {
    .name = "perf",
    .help = "hardware counters of the CPU, through the kernel's generic events",
    .unavailable_reason = find_no_obstacle,
    .list = list_events,
    .knows = knows_event,
    .measure = measure_events,
};
