// SPDX-License-Identifier: Apache-2.0
// test_sample.c - journal lines: what is written is read back, unknown stays unknown, a torn last
// line is dropped and every other bad line is refused with its place.
#define _POSIX_C_SOURCE 200809L
#include "record/journal.h"
#include "record/sample.h"

#include "common/json_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char journal_path[64];

static int make_path(void **state)
{
    (void)state;
    (void)strcpy(journal_path, "/tmp/hyperion-sample-XXXXXX");
    const int descriptor = mkstemp(journal_path);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(journal_path);
}

static Sample make_sample(void)
{
    Sample sample = sample_empty();
    sample.cell = 3;
    sample.round = 2;
    sample.task = SAMPLE_TIME;
    sample.ok = true;
    sample.iterations = 1000;
    sample.real_count = 2;
    sample.real_ns = calloc(2, sizeof *sample.real_ns);
    sample.cpu_ns = calloc(2, sizeof *sample.cpu_ns);
    assert_non_null(sample.real_ns);
    assert_non_null(sample.cpu_ns);
    sample.real_ns[0] = 1234.5678;
    sample.real_ns[1] = 0.25;
    sample.cpu_ns[0] = 1200;
    assert_true(sample_add_value(&sample, "PAPI_L1_DCM", NAN, "lines", "pmu", "no PMU"));
    assert_true(sample_add_value(&sample, "flops", 2e9, "FLOP", "model", ""));
    sample.started_unix_s = 1700000000.25;
    sample.worker_ns = 5e7;
    sample.cpu = 1;
    sample.minor_faults = 12;
    sample.peak_rss_kib = 4096;
    return sample;
}

static void sample_is_read_back_as_written(void **state)
{
    (void)state;
    Sample sample = make_sample();
    Sample read;
    Problem problem = {0};
    json_t *json = sample_to_json(&sample);
    assert_true(sample_from_json(json, &read, &problem));
    assert_int_equal(read.cell, 3);
    assert_int_equal(read.round, 2);
    assert_int_equal(read.task, SAMPLE_TIME);
    assert_true(read.ok);
    assert_int_equal(read.iterations, 1000);
    assert_int_equal(read.real_count, 2);
    assert_true(read.real_ns[0] == 1234.5678 && read.cpu_ns[0] == 1200);
    assert_int_equal(read.value_count, 2);
    assert_true(isnan(read.values[0].value));
    assert_string_equal(read.values[0].provenance, "unavailable");
    assert_string_equal(read.values[0].reason, "no PMU");
    assert_true(read.values[1].value == 2e9);
    assert_string_equal(read.values[1].reason, "");
    assert_true(read.started_unix_s == 1700000000.25 && read.worker_ns == 5e7);
    assert_int_equal(read.cpu, 1);
    assert_int_equal(read.minor_faults, 12);
    assert_int_equal(read.major_faults, -1);
    json_decref(json);
    sample_clear(&sample);
    sample_clear(&read);
}

static void unknown_is_null_in_json(void **state)
{
    (void)state;
    Sample sample = make_sample();
    json_t *json = sample_to_json(&sample);
    assert_true(json_is_null(json_object_get(json, "major_faults")));
    const json_t *value = json_array_get(json_object_get(json, "values"), 0);
    assert_true(json_is_null(json_object_get(value, "value")));
    json_decref(json);
    sample_clear(&sample);
}

static void reason_of_any_bytes_is_written(void **state)
{
    (void)state;
    Sample sample = sample_empty();
    (void)strcpy(sample.reason, "torn \xc3");
    json_t *json = sample_to_json(&sample);
    assert_string_equal(json_string_value(json_object_get(json, "reason")), "torn ?");
    json_decref(json);
}

// Each: what to put into a good line, and a word that the refusal must say.
static void bad_members_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        {"version", "2", "version"},
        {"cell", "-1", "cell"},
        {"task", "\"dance\"", "dance"},
        {"real_ns", "[1, \"x\"]", "real_ns"},
        {"real_ns", "[0, 1]", "real_ns"},
        {"cpu_ns", "[1]", "cpu_ns"},
        {"values", "3", "values"},
        {"values", "[{\"name\": 3}]", "name"},
        {"ok", "1", "ok"},
        {"iterations", "1.5", "iterations"},
        {"cpu", "-7", "cpu"},
        {"minor_faults", "\"many\"", "minor_faults"},
        {"ok", "false", "reason"},
        {"cpu", "99999999999", "cpu"},
    };
    Sample sample = make_sample();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Problem problem = {0};
        Sample read;
        json_t *json = sample_to_json(&sample);
        json_t *member = json_loads(bad[i][1], JSON_DECODE_ANY, NULL);
        assert_int_equal(json_object_set_new(json, bad[i][0], member), 0);
        assert_false(sample_from_json(json, &read, &problem));
        assert_non_null(strstr(problem.text, bad[i][2]));
        json_decref(json);
    }
    sample_clear(&sample);
}

static void append_samples(size_t count)
{
    Problem problem = {0};
    Journal journal;
    assert_true(journal_open(&journal, journal_path, &problem));
    for (size_t i = 0; i < count; i++) {
        Sample sample = make_sample();
        sample.cell = i;
        assert_true(journal_append(&journal, &sample, &problem));
        sample_clear(&sample);
    }
    journal_close(&journal);
}

static void append_text(const char *text)
{
    FILE *file = fopen(journal_path, "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void journal_drops_a_torn_last_line(void **state)
{
    (void)state;
    Problem problem = {0};
    JournalContent content;
    append_samples(3);
    append_text("{\"version\":1,\"ce");
    assert_true(journal_read(journal_path, 3, &content, &problem));
    assert_int_equal(content.sample_count, 3);
    assert_int_equal(content.torn_lines, 1);
    journal_clear(&content);
    // Opening for appending cuts it off, so that the next line is whole.
    append_samples(1);
    assert_true(journal_read(journal_path, 3, &content, &problem));
    assert_int_equal(content.sample_count, 4);
    assert_int_equal(content.torn_lines, 0);
    assert_int_equal(content.samples[2].cell, 2);
    journal_clear(&content);
}

static void journal_names_the_line_of_anything_else_bad(void **state)
{
    (void)state;
    Problem problem = {0};
    JournalContent content;
    append_samples(2);
    append_text("rubbish\n");
    append_samples(1);
    assert_false(journal_read(journal_path, 3, &content, &problem));
    assert_non_null(strstr(problem.text, journal_path));
    assert_non_null(strstr(problem.text, ":3: "));
}

static void journal_refuses_cells_that_the_plan_has_not(void **state)
{
    (void)state;
    Problem problem = {0};
    JournalContent content;
    append_samples(2);
    assert_false(journal_read(journal_path, 1, &content, &problem));
    assert_non_null(strstr(problem.text, ":2: cell 1"));
}

static void missing_journal_is_empty(void **state)
{
    (void)state;
    Problem problem = {0};
    JournalContent content;
    assert_true(journal_read("/tmp/hyperion/no/such/journal", 1, &content, &problem));
    assert_int_equal(content.sample_count, 0);
    assert_false(journal_read("/tmp", 1, &content, &problem));
    assert_non_null(strstr(problem.text, "/tmp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_is_read_back_as_written),
        cmocka_unit_test(unknown_is_null_in_json),
        cmocka_unit_test(reason_of_any_bytes_is_written),
        cmocka_unit_test(bad_members_are_refused_by_name),
        cmocka_unit_test_setup_teardown(journal_drops_a_torn_last_line, make_path, remove_path),
        cmocka_unit_test_setup_teardown(journal_names_the_line_of_anything_else_bad, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(journal_refuses_cells_that_the_plan_has_not, make_path,
                                        remove_path),
        cmocka_unit_test(missing_journal_is_empty),
    };
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
