// SPDX-License-Identifier: Apache-2.0
// test_false_alarms.c - the file that counts A/A comparisons of a machine.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compare/false_alarms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Fixture {
    char folder[64], root[96], path[160];
} Fixture;

static int make_folder(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/hyperion-alarms-XXXXXX");
    if (!mkdtemp(fixture->folder))
        return -1;
    (void)snprintf(fixture->root, sizeof fixture->root, "%s/results/baseline", fixture->folder);
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/key/false-alarms.json", fixture->root);
    *state = fixture;
    return 0;
}

static int remove_folder(void **state)
{
    Fixture *fixture = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture->folder);
    const int status = system(command);
    free(fixture);
    return status;
}

static void a_missing_file_counts_nothing(void **state)
{
    const Fixture *fixture = *state;
    FalseAlarms alarms;
    Problem problem = {0};
    assert_true(false_alarms_load(fixture->root, "key", &alarms, &problem));
    assert_int_equal(alarms.counts[ALARMS_INTERLEAVED].comparisons, 0);
    char text[256];
    false_alarms_describe(alarms.counts[ALARMS_STORED], ALARMS_STORED, text, sizeof text);
    assert_non_null(strstr(text, "not measured on this machine"));
    assert_non_null(strstr(text, "(stored A/A)"));
}

static void counts_add_up_apart_for_each_kind(void **state)
{
    const Fixture *fixture = *state;
    FalseAlarms alarms;
    Problem problem = {0};
    const char *root = fixture->root;
    assert_true(false_alarms_add(root, "key", ALARMS_INTERLEAVED, (AlarmCount){150, 0}, &problem));
    assert_true(false_alarms_add(root, "key", ALARMS_STORED, (AlarmCount){10, 3}, &problem));
    assert_true(false_alarms_add(root, "key", ALARMS_INTERLEAVED, (AlarmCount){50, 0}, &problem));
    assert_true(false_alarms_load(root, "key", &alarms, &problem));
    assert_int_equal(alarms.counts[ALARMS_INTERLEAVED].comparisons, 200);
    assert_int_equal(alarms.counts[ALARMS_STORED].alarms, 3);
    // 1 - 0.025^(1/200)
    const Interval interval = false_alarms_interval(alarms.counts[ALARMS_INTERLEAVED]);
    assert_true(interval.low == 0 && fabs(interval.high - 0.018275) < 1e-6);
    char text[256];
    false_alarms_describe(alarms.counts[ALARMS_INTERLEAVED], ALARMS_INTERLEAVED, text, sizeof text);
    assert_string_equal(text, "measured false-alarm rate (interleaved A/A): 0 of 200, 95 % "
                              "interval 0 to 1.8 %");
}

static void bad_files_are_refused_and_left_alone(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"{", "false-alarms.json:1:"},
        {"{\"schema\": \"other\", \"machine_key\": \"key\"}", "schema: expected"},
        {"{\"schema\": \"hyperion-false-alarms-1\", \"machine_key\": \"x\"}", "machine_key: exp"},
        {"{\"schema\": \"hyperion-false-alarms-1\"}", "machine_key"},
        {"{\"schema\": \"hyperion-false-alarms-1\", \"machine_key\": \"key\", \"stored\": "
         "{\"comparisons\": 3, \"alarms\": 4}}",
         "alarms"},
    };
    const Fixture *fixture = *state;
    Problem problem = {0};
    assert_true(
        false_alarms_add(fixture->root, "key", ALARMS_STORED, (AlarmCount){1, 0}, &problem));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *file = fopen(fixture->path, "w");
        assert_non_null(file);
        assert_true(fputs(cases[i].text, file) >= 0 && fclose(file) == 0);
        problem = (Problem){0};
        FalseAlarms alarms;
        assert_false(false_alarms_load(fixture->root, "key", &alarms, &problem));
        assert_non_null(strstr(problem.text, cases[i].reason));
        assert_false(
            false_alarms_add(fixture->root, "key", ALARMS_STORED, (AlarmCount){1, 0}, &problem));
    }
}

static void a_root_that_cannot_be_made_is_named(void **state)
{
    const Fixture *fixture = *state;
    Problem problem = {0};
    FILE *file = fopen(fixture->root, "w");
    assert_null(file);
    char blocked[128];
    (void)snprintf(blocked, sizeof blocked, "%s/results", fixture->folder);
    file = fopen(blocked, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_false(
        false_alarms_add(fixture->root, "key", ALARMS_STORED, (AlarmCount){1, 0}, &problem));
    assert_non_null(strstr(problem.text, blocked));
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_missing_file_counts_nothing),
        WITH_FOLDER(counts_add_up_apart_for_each_kind),
        WITH_FOLDER(bad_files_are_refused_and_left_alone),
        WITH_FOLDER(a_root_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
