// SPDX-License-Identifier: Apache-2.0
// test_conditions.c - load of others, stolen time and throttling, from captured trees; frequency
// with a clock of which every reading is known.
#define _DEFAULT_SOURCE
#include "run/conditions.h"
#include "run/frequency.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

static void make_folder(const char *path)
{
    char whole[256];
    (void)snprintf(whole, sizeof whole, "%s%s", root, path);
    if (mkdir(whole, 0777) != 0)
        fail_msg("%s", whole);
}

static void put_file(const char *path, const char *text)
{
    char whole[256];
    (void)snprintf(whole, sizeof whole, "%s%s", root, path);
    FILE *file = fopen(whole, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *const files[] = {
    "/sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count",
    "/sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count",
    "/proc/stat",
};
static const char *const folders[] = {
    "",
    "/proc",
    "/sys",
    "/sys/devices",
    "/sys/devices/system",
    "/sys/devices/system/cpu",
    "/sys/devices/system/cpu/cpu1",
    "/sys/devices/system/cpu/cpu1/thermal_throttle",
};
enum { FILES = sizeof files / sizeof *files, FOLDERS = sizeof folders / sizeof *folders };

static int make_tree(void **state)
{
    (void)state;
    (void)strcpy(root, "/tmp/hyperion-conditions-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    for (size_t i = 1; i < FOLDERS; i++)
        make_folder(folders[i]);
    return 0;
}

static int remove_tree(void **state)
{
    (void)state;
    char path[256];
    for (size_t i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof path, "%s%s", root, files[i]);
        (void)unlink(path);
    }
    for (size_t i = FOLDERS; i-- > 0;) {
        (void)snprintf(path, sizeof path, "%s%s", root, folders[i]);
        if (rmdir(path) != 0)
            return -1;
    }
    return 0;
}

// Ticks are of 10 ms where the kernel is configured as everywhere.
static double ticks(double count)
{
    return count * 1e9 / (double)sysconf(_SC_CLK_TCK);
}

static const char before_text[] = "cpu  100 10 50 1000 5 3 2 20 7 0\n"
                                  "cpu0 60 5 25 500 2 1 1 15 3 0\n"
                                  "cpu1 40 5 25 500 3 2 1 5 4 0\n"
                                  "intr 12345 0 0\nctxt 99\n";
static const char after_text[] = "cpu  160 10 60 1100 5 3 2 30 7 0\n"
                                 "cpu0 110 5 30 550 2 1 1 17 3 0\n"
                                 "cpu1 50 5 30 550 3 2 1 13 4 0\n"
                                 "intr 12345 0 0\nctxt 99\n";

static void times_are_of_all_cpus_and_stolen_ones_of_those_watched(void **state)
{
    (void)state;
    const int watched[] = {1};
    put_file("/proc/stat", before_text);
    const Conditions all = conditions_read(root, NULL, 0);
    assert_true(all.busy_ns == ticks(100 + 10 + 50 + 3 + 2 + 20));
    assert_true(all.stolen_ns == ticks(20));
    assert_int_equal(all.watched, 2);
    const Conditions before = conditions_read(root, watched, 1);
    assert_true(before.stolen_ns == ticks(5));
    put_file("/proc/stat", after_text);
    const Conditions after = conditions_read(root, watched, 1);
    const Disturbance between = conditions_between(&before, &after, ticks(30), ticks(100));
    // 80 ticks busy, 30 of them the worker's, in 100.
    assert_true(fabs(between.other_cpus - 0.5) < 1e-12);
    assert_true(fabs(between.steal - 0.08) < 1e-12);
}

static void throttling_is_counted_where_the_driver_tells(void **state)
{
    (void)state;
    const int watched[] = {1};
    put_file("/proc/stat", before_text);
    const Conditions silent = conditions_read(root, watched, 1);
    assert_true(isnan(silent.throttle_events));
    put_file(files[0], "3\n");
    put_file(files[1], "10\n");
    const Conditions before = conditions_read(root, watched, 1);
    assert_true(before.throttle_events == 13);
    put_file(files[1], "12\n");
    const Conditions after = conditions_read(root, watched, 1);
    assert_true(conditions_between(&before, &after, 0, 1e9).throttle_events == 2);
    assert_true(isnan(conditions_between(&silent, &after, 0, 1e9).throttle_events));
    const int other[] = {0};
    assert_true(isnan(conditions_read(root, other, 1).throttle_events));
}

static void unknown_stays_unknown(void **state)
{
    (void)state;
    const Conditions nothing = conditions_read(root, NULL, 0);
    assert_true(isnan(nothing.busy_ns) && isnan(nothing.stolen_ns));
    const Disturbance between = conditions_between(&nothing, &nothing, 0, 1e9);
    assert_true(isnan(between.other_cpus) && isnan(between.steal));
    put_file("/proc/stat", "cpu  1 2 3\n");
    assert_true(isnan(conditions_read(root, NULL, 0).busy_ns));
    put_file("/proc/stat", before_text);
    const Conditions known = conditions_read(root, NULL, 0);
    assert_true(isnan(conditions_between(&known, &known, 0, 0).other_cpus));
}

static void steps_of_the_clock_make_nothing_negative(void **state)
{
    (void)state;
    put_file("/proc/stat", before_text);
    const Conditions known = conditions_read(root, NULL, 0);
    const Disturbance between = conditions_between(&known, &known, 5e6, 1e9);
    assert_true(between.other_cpus == 0 && between.steal == 0);
}

static void this_machine_is_read(void **state)
{
    (void)state;
    const Conditions first = conditions_read("", NULL, 0);
    if (isnan(first.busy_ns)) {
        print_message("skipped: /proc/stat does not tell the load\n");
        skip();
    }
    const Conditions again = conditions_read("", NULL, 0);
    assert_true(first.busy_ns > 0 && again.busy_ns >= first.busy_ns);
    assert_true(first.watched > 0);
}

// Each chain lasts as long as the next entry says.
static double now;
static const double *next_length;
static size_t readings;

static double read_fake_clock(void)
{
    if (readings++ % 2)
        now += *next_length++;
    return now;
}

static void frequency_is_additions_a_nanosecond_of_the_fastest_chain(void **state)
{
    (void)state;
    static const double lengths[] = {30000, 25000, 99e6, 20000, 20001, 40000, 1e6, 50000, 3e5, 3e5};
    next_length = lengths;
    readings = 0;
    const double ghz = frequency_measure_ghz(read_fake_clock);
#if defined(__x86_64__) || defined(__aarch64__)
    assert_true(fabs(ghz - 60000 / 20000.0) < 1e-12);
#else
    assert_true(isnan(ghz));
#endif
}

static void clock_that_stands_still_tells_no_frequency(void **state)
{
    (void)state;
    static const double lengths[10] = {0};
    next_length = lengths;
    readings = 0;
    assert_true(isnan(frequency_measure_ghz(read_fake_clock)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(times_are_of_all_cpus_and_stolen_ones_of_those_watched,
                                        make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(throttling_is_counted_where_the_driver_tells, make_tree,
                                        remove_tree),
        cmocka_unit_test_setup_teardown(unknown_stays_unknown, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(steps_of_the_clock_make_nothing_negative, make_tree,
                                        remove_tree),
        cmocka_unit_test(this_machine_is_read),
        cmocka_unit_test(frequency_is_additions_a_nanosecond_of_the_fastest_chain),
        cmocka_unit_test(clock_that_stands_still_tells_no_frequency),
    };
    return cmocka_run_group_tests_name("conditions", tests, NULL, NULL);
}
