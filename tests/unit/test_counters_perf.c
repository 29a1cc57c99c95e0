// SPDX-License-Identifier: Apache-2.0
// A kernel with a PMU, played by a stand-in for its system calls: the perf_call_* functions below
// come before the harness's at link time. Three counters; counts follow how often the work ran.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters/counters.h"
#include "counters/known_work.h"
#include "counters/perf_call.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTERS = 3, MOST_FILES = 64, ITERATIONS = 10 };

// Counts of one run of the work; the probes' own exercise counts as one.
static const struct {
    uint32_t type;
    uint64_t config;
    uint64_t rate;
} all_events[] = {
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 1000},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 500},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES, 64},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, 16},
    {PERF_TYPE_HW_CACHE, PERF_COUNT_HW_CACHE_DTLB | PERF_COUNT_HW_CACHE_RESULT_MISS << 16, 4},
};

// Known work takes as many instructions as one run of the work: every counter is to be trusted.
double known_work_count(KnownCount count)
{
    (void)count;
    return 1000;
}

const char *known_work_name(KnownCount count)
{
    (void)count;
    return "instructions";
}

void *known_work_open(KnownCount count)
{
    (void)count;
    return malloc(1);
}

void known_work_run(void *work)
{
    (void)work;
}

void known_work_close(void *work)
{
    free(work);
}

// What a test changes.
static struct {
    int open_error;       // of every open
    int busy;             // counters that somebody else holds; the kernel does not check them
    bool rotates;         // gives a group too large a part of the time
    bool always_in_parts; // every group runs for half of its time
    uint64_t mute_config; // this hardware event reads 0
    bool short_read;      // reads end early
    unsigned long broken_request; // of perf_call_control
} kernel;

static struct {
    bool live;
    int leader; // its own index: leads
    uint64_t rate;
} files[MOST_FILES];
static long long runs;        // of the work
static long long runs_before; // at the last enabling
static int live_files;
static int passes; // groups that the work ran in

int perf_call_open(struct perf_event_attr *attributes, int leader)
{
    assert_true(attributes->type == PERF_TYPE_SOFTWARE ||
                (attributes->exclude_kernel && attributes->exclude_hv));
    int members = 1;
    for (int i = 0; i < MOST_FILES; i++)
        members += files[i].live && leader >= 0 && files[i].leader == leader;
    errno = kernel.open_error ? kernel.open_error : members > COUNTERS ? EINVAL : 0;
    for (size_t i = 0; !errno && i < sizeof all_events / sizeof all_events[0]; i++) {
        if (all_events[i].type != attributes->type || all_events[i].config != attributes->config)
            continue;
        for (int file = 0; file < MOST_FILES; file++)
            if (!files[file].live) {
                files[file].live = true;
                files[file].leader = leader < 0 ? file : leader;
                files[file].rate = attributes->type == PERF_TYPE_HARDWARE &&
                                           kernel.mute_config == attributes->config
                                       ? 0
                                       : all_events[i].rate;
                live_files++;
                return file;
            }
    }
    errno = errno ? errno : EOPNOTSUPP;
    return -1;
}

bool perf_call_control(int leader, unsigned long request)
{
    assert_true(files[leader].live && files[leader].leader == leader);
    errno = EBADF;
    if (request == PERF_EVENT_IOC_ENABLE)
        runs_before = runs;
    return request != kernel.broken_request;
}

bool perf_call_read(int descriptor, void *buffer, size_t bytes)
{
    uint64_t *words = buffer;
    const uint64_t times = runs > runs_before ? (uint64_t)(runs - runs_before) : 1;
    size_t members = 0;
    for (int i = 0; i < MOST_FILES; i++)
        if (files[i].live && files[i].leader == descriptor)
            words[3 + members++] = files[i].rate * times;
    assert_int_equal(bytes, (3 + members) * sizeof words[0]);
    words[0] = members;
    words[1] = 1000;
    words[2] = kernel.always_in_parts ? 500 : 1000;
    if (members + (size_t)kernel.busy > COUNTERS)
        words[2] = kernel.rotates ? 500 : 0;
    passes += runs > runs_before;
    errno = 0;
    return !kernel.short_read;
}

void perf_call_close(int descriptor)
{
    assert_true(files[descriptor].live);
    files[descriptor].live = false;
    live_files--;
}

static void run_once(void *context)
{
    (void)context;
    runs++;
}

static int reset(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    kernel.mute_config = UINT64_MAX;
    kernel.broken_request = UINT64_MAX;
    runs = 0;
    passes = 0;
    return 0;
}

static int leave_nothing_open(void **state)
{
    (void)state;
    return live_files != 0;
}

static void count(const char *const *names, size_t how_many, CounterValue *values)
{
    Problem problem = {0};
    assert_true(counters_measure(names, how_many,
                                 &(CounterWork){.work = run_once, .iterations = ITERATIONS}, values,
                                 &problem));
    assert_int_equal(live_files, 0);
}

static void assert_value(const CounterValue *value, double expected, const char *reason)
{
    assert_string_equal(value->reason, reason);
    if (isnan(expected)) {
        assert_true(isnan(value->value));
        assert_string_equal(value->provenance, "unavailable");
    } else {
        assert_true(value->value == expected);
        assert_string_equal(value->provenance, "pmu");
    }
}

static const char *const five[] = {"perf.cycles", "perf.cache-references", "perf.cache-misses",
                                   "perf.dTLB-load-misses", "perf.instructions"};

static void events_go_into_groups_that_the_kernel_accepts(void **state)
{
    (void)state;
    CounterValue values[5];
    count(five, 5, values);
    assert_value(&values[0], 500, "");
    assert_value(&values[1], 64, "");
    assert_value(&values[2], 16, "");
    assert_value(&values[3], 4, "");
    assert_value(&values[4], 1000, "");
    assert_int_equal(passes, 2); // one of the three counters is for the instructions
}

static void a_counter_that_others_hold_makes_groups_smaller(void **state)
{
    (void)state;
    CounterValue values[5];
    kernel.busy = 1;
    count(five, 5, values);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(values[i].provenance, "pmu");
    assert_int_equal(passes, 4);
}

static void groups_that_would_be_multiplexed_are_split(void **state)
{
    (void)state;
    CounterValue values[5];
    kernel.busy = 1;
    kernel.rotates = true;
    count(five, 5, values);
    assert_value(&values[0], 500, "");
    assert_value(&values[3], 4, "");
    assert_int_equal(passes, 4);
}

static void counters_that_never_run_are_unavailable(void **state)
{
    (void)state;
    CounterValue values[5];
    kernel.busy = COUNTERS;
    count(five, 5, values);
    for (size_t i = 0; i < 5; i++)
        assert_value(&values[i], NAN, "the counters never ran: others hold the hardware's");
}

static void counts_of_a_part_of_the_time_do_not_pass_the_probe(void **state)
{
    (void)state;
    CounterValue values[1];
    kernel.always_in_parts = true;
    count(five, 1, values);
    assert_value(&values[0], NAN,
                 "too low: counted for 50.0 % of the time, others held the counters");
}

// Somebody takes the counters away while the work runs.
static void lose_counters(void *context)
{
    run_once(context);
    kernel.always_in_parts = true;
}

static void counts_that_became_partial_keep_the_doubt(void **state)
{
    (void)state;
    CounterValue values[1];
    Problem problem = {0};
    assert_true(counters_measure(five, 1,
                                 &(CounterWork){.work = lose_counters, .iterations = ITERATIONS},
                                 values, &problem));
    assert_value(&values[0], 500,
                 "too low: counted for 50.0 % of the time, others held the counters");
}

static void a_counter_that_stays_at_0_is_unavailable(void **state)
{
    (void)state;
    static const char *const names[] = {"perf.cache-misses", "perf.cycles"};
    CounterValue values[2];
    kernel.mute_config = PERF_COUNT_HW_CACHE_MISSES;
    count(names, 2, values);
    assert_value(&values[0], NAN, "opened, but reads 0 beside work that must move it");
    assert_value(&values[1], 500, "");
}

static void an_open_that_fails_gives_the_kernels_words(void **state)
{
    (void)state;
    static const struct {
        int error;
        const char *reason;
    } cases[] = {
        {ENOENT, "perf_event_open: No such file or directory (the kernel sees no hardware that "
                 "counts it)"},
        {EOPNOTSUPP,
         "perf_event_open: Operation not supported (the hardware here does not count it)"},
        {EACCES, "perf_event_open: Permission denied (see /proc/sys/kernel/perf_event_paranoid)"},
        {EMFILE, "perf_event_open: Too many open files"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CounterValue values[1];
        kernel.open_error = cases[i].error;
        count(five, 1, values);
        assert_value(&values[0], NAN, cases[i].reason);
    }
    kernel.open_error = 0;
    static const char *const absent[] = {"perf.LLC-load-misses"};
    CounterValue values[1];
    count(absent, 1, values);
    assert_value(&values[0], NAN, cases[1].reason);
}

static void calls_that_fail_give_the_reason(void **state)
{
    (void)state;
    CounterValue values[1];
    kernel.short_read = true;
    count(five, 1, values);
    assert_value(&values[0], NAN, "reading the counters: the read is short");
    kernel.short_read = false;
    kernel.broken_request = PERF_EVENT_IOC_ENABLE;
    count(five, 1, values);
    assert_value(&values[0], NAN, "starting the counters: Bad file descriptor");
    kernel.broken_request = PERF_EVENT_IOC_DISABLE;
    count(five, 1, values);
    assert_value(&values[0], NAN, "reading the counters: Bad file descriptor");
}

static void every_event_is_listed_with_its_mapping_or_the_reason(void **state)
{
    (void)state;
    json_t *facts = counters_describe();
    size_t i = 0;
    const json_t *event = NULL;
    int available = 0;
    int refused = 0;
    json_array_foreach(json_object_get(facts, "events"), i, event)
    {
        if (strcmp(json_string_value(json_object_get(event, "source")), "perf") != 0)
            continue;
        const char *native = json_string_value(json_object_get(event, "native"));
        if (json_is_true(json_object_get(event, "available"))) {
            assert_int_equal(strncmp(native, "PERF_COUNT_HW_", 14), 0);
            assert_non_null(strstr(native, ":u")); // user mode alone
            available++;
        } else {
            assert_non_null(json_object_get(event, "probe_value_reason"));
            refused++;
        }
    }
    assert_int_equal(available, 5);
    assert_int_equal(refused, 9);
    json_decref(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(events_go_into_groups_that_the_kernel_accepts, reset),
        cmocka_unit_test_setup(a_counter_that_others_hold_makes_groups_smaller, reset),
        cmocka_unit_test_setup(groups_that_would_be_multiplexed_are_split, reset),
        cmocka_unit_test_setup(counters_that_never_run_are_unavailable, reset),
        cmocka_unit_test_setup(counts_of_a_part_of_the_time_do_not_pass_the_probe, reset),
        cmocka_unit_test_setup(counts_that_became_partial_keep_the_doubt, reset),
        cmocka_unit_test_setup(a_counter_that_stays_at_0_is_unavailable, reset),
        cmocka_unit_test_setup(an_open_that_fails_gives_the_kernels_words, reset),
        cmocka_unit_test_setup(calls_that_fail_give_the_reason, reset),
        cmocka_unit_test_setup(every_event_is_listed_with_its_mapping_or_the_reason, reset),
    };
    return cmocka_run_group_tests(tests, NULL, leave_nothing_open);
}
