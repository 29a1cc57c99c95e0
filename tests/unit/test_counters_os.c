// SPDX-License-Identifier: Apache-2.0
// What the kernel counts for a thread, checked against work whose counts are known.
#define _GNU_SOURCE // RUSAGE_THREAD, MAP_ANONYMOUS, madvise
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters/counters.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { PAGES = 64, ITERATIONS = 5 };

// Touches PAGES pages for the first time, every time.
static void touch_fresh_pages(void *context)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    (void)context;
    char *memory =
        mmap(NULL, PAGES * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    (void)madvise(memory, PAGES * page_bytes, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < PAGES; i++)
        ((volatile char *)memory)[i * page_bytes] = 1;
    assert_int_equal(munmap(memory, PAGES * page_bytes), 0);
}

static void sleep_a_little(void *context)
{
    const struct timespec little = {0, 1000000};
    (void)context;
    (void)nanosleep(&little, NULL);
}

static void burn_a_millisecond(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    const double end = (double)now.tv_sec * 1e9 + (double)now.tv_nsec + 1e6;
    while ((double)now.tv_sec * 1e9 + (double)now.tv_nsec < end)
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
}

static double count_one(const char *name, void (*work)(void *context))
{
    Problem problem = {0};
    CounterValue value;
    assert_true(counters_measure(&name, 1, &(CounterWork){.work = work, .iterations = ITERATIONS},
                                 &value, &problem));
    assert_string_equal(value.provenance, "os");
    assert_string_equal(value.reason, "");
    return value.value;
}

// A sanitizer's shadow memory faults too, so the whole is taken from the kernel, not from PAGES.
static void page_faults_are_counted_an_iteration(void **state)
{
    (void)state;
    struct rusage before;
    struct rusage after;
    assert_int_equal(getrusage(RUSAGE_THREAD, &before), 0);
    const double faults = count_one("page_faults", touch_fresh_pages);
    assert_int_equal(getrusage(RUSAGE_THREAD, &after), 0);
    const double all = (double)(after.ru_minflt - before.ru_minflt);
    assert_true(faults >= PAGES && faults <= all / ITERATIONS);
    assert_true(faults > 0.9 * all / ITERATIONS); // the rest is the counting itself
}

static void sleeping_is_a_context_switch_and_no_cpu_time(void **state)
{
    (void)state;
    assert_true(count_one("context_switches", sleep_a_little) >= 1);
    assert_true(count_one("task_clock_ns", sleep_a_little) < 0.9e6);
}

static void task_clock_is_the_threads_cpu_time(void **state)
{
    (void)state;
    const double elapsed_ns = count_one("task_clock_ns", burn_a_millisecond);
    assert_true(elapsed_ns >= 1e6 && elapsed_ns < 5e6);
}

static void migrations_are_counted_or_refused_never_zero_for_want_of_rights(void **state)
{
    (void)state;
    static const char *const names[] = {"cpu_migrations"};
    Problem problem = {0};
    CounterValue value;
    assert_true(counters_measure(names, 1, &(CounterWork){.work = sleep_a_little, .iterations = 1},
                                 &value, &problem));
    if (isnan(value.value))
        assert_int_equal(strncmp(value.reason, "perf_event_open: ", 17), 0);
    else
        assert_string_equal(value.provenance, "os");
}

static void names_of_several_sources_keep_their_order(void **state)
{
    (void)state;
    static const char *const names[] = {"task_clock_ns", "PAPI_TOT_INS", "minor_faults", "nobody"};
    Problem problem = {0};
    CounterValue values[4];
    assert_true(counters_measure(names, 4, &(CounterWork){.work = sleep_a_little, .iterations = 1},
                                 values, &problem));
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(values[i].name, names[i]);
    assert_string_equal(values[0].provenance, "os");
    assert_string_equal(values[2].provenance, "os");
    // Without a PMU the first source refuses, and says why; with one it counts.
    assert_true(isnan(values[1].value) == (values[1].reason[0] != '\0'));
    assert_true(isnan(values[3].value));
}

static void every_default_event_has_a_source_that_lists_it(void **state)
{
    (void)state;
    json_t *facts = counters_describe();
    const json_t *events = json_object_get(facts, "events");
    for (size_t i = 0; counters_default[i]; i++) {
        size_t j = 0;
        while (j < json_array_size(events) &&
               strcmp(json_string_value(json_object_get(json_array_get(events, j), "name")),
                      counters_default[i]) != 0)
            j++;
        if (j == json_array_size(events))
            fail_msg("%s", counters_default[i]);
    }
    json_decref(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_faults_are_counted_an_iteration),
        cmocka_unit_test(sleeping_is_a_context_switch_and_no_cpu_time),
        cmocka_unit_test(task_clock_is_the_threads_cpu_time),
        cmocka_unit_test(migrations_are_counted_or_refused_never_zero_for_want_of_rights),
        cmocka_unit_test(names_of_several_sources_keep_their_order),
        cmocka_unit_test(every_default_event_has_a_source_that_lists_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
