// SPDX-License-Identifier: Apache-2.0
// test_baseline.c - baseline files: sessions added and replaced, what is refused, and what several
// sessions allow to say.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/command.h"
#include "common/file.h"
#include "compare/baseline_file.h"
#include "compare/comparison.h"
#include "compare/session_alarms.h"
#include "synthetic_run.h"

#include <unistd.h>

enum { FILE_BYTES = 1 << 20 };

typedef struct Fixture {
    char folder[64], path[160];
} Fixture;

static int make_folder(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/hyperion-baseline-XXXXXX");
    if (!mkdtemp(fixture->folder))
        return -1;
    Problem problem = {0};
    char *path = baseline_path(fixture->folder, "test-machine", "synthetic", &problem);
    (void)snprintf(fixture->path, sizeof fixture->path, "%s", path);
    free(path);
    *state = fixture;
    return 0;
}

static int remove_folder(void **state)
{
    Fixture *fixture = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture->folder);
    const int status = system(command); // NOLINT: a fixed command in a private folder
    free(fixture);
    return status;
}

// A run at another time, with all times scaled.
static SyntheticRun *make_session(size_t index, double factor)
{
    SyntheticRun *session = synthetic_make(8);
    for (size_t i = 0; i < session->run.sample_count; i++) {
        session->samples[i].started_unix_s += 1000.25 * (double)index;
        for (size_t j = 0; j < session->samples[i].real_count; j++)
            session->samples[i].real_ns[j] *= factor;
    }
    return session;
}

static bool add(const char *path, size_t index, double factor, Problem *problem)
{
    SyntheticRun *session = make_session(index, factor);
    const bool added = baseline_add(path, &session->run, problem);
    synthetic_free(session);
    return added;
}

typedef struct Outcome {
    ComparedRow row; // time of cell 0; its texts are gone
    Verdict overall;
    int exit_code;
    size_t sessions;
    double first_sample; // of cell 0
} Outcome;

static Outcome compare_with(const char *path, size_t index, double factor)
{
    Problem problem = {0};
    SyntheticRun *session = make_session(index, factor);
    MeasuredSide *base = measured_side_load(path, &problem);
    if (!base)
        fail_msg("%s", problem.text);
    MeasuredSide *latest = measured_side_of_run(&session->run);
    const ComparisonOptions options = {.least_time_effect = NAN};
    Comparison *comparison = comparison_make(base, latest, &options);
    assert_non_null(comparison);
    assert_true(comparison->by_sessions);
    const Outcome outcome = {comparison->rows[0], comparison_overall(comparison),
                             comparison_exit_code(comparison), base->session_count,
                             base->cells[0].series[COMPARED_TIME].sessions[0].values[0]};
    comparison_free(comparison);
    measured_side_free(latest);
    measured_side_free(base);
    synthetic_free(session);
    return outcome;
}

static void one_session_is_at_most_inconclusive(void **state)
{
    const Fixture *fixture = *state;
    Problem problem = {0};
    assert_true(add(fixture->path, 0, 1, &problem));
    for (int i = 0; i < 3; i++) {
        const Outcome outcome = compare_with(fixture->path, 50, (double[]){1, 2, 0.9}[i]);
        assert_int_equal(outcome.overall, VERDICT_INCONCLUSIVE);
        assert_int_equal(outcome.exit_code, EXIT_INCONCLUSIVE);
        assert_true(isnan(outcome.row.p_value) && isnan(outcome.row.ratio.interval.low));
    }
}

// Factors of five sessions that differ by 0.3 %; between samples there is 0.5 %.
static const double quiet[] = {1, 1.003, 0.997, 1.002, 0.998};

static void several_sessions_tell_a_slowdown_from_a_session(void **state)
{
    const Fixture *fixture = *state;
    Problem problem = {0};
    for (size_t i = 0; i < 5; i++)
        assert_true(add(fixture->path, i, quiet[i], &problem));
    const Outcome slower = compare_with(fixture->path, 50, 1.1);
    assert_int_equal(slower.sessions, 5);
    assert_int_equal(slower.row.verdict, VERDICT_SLOWER);
    assert_int_equal(slower.exit_code, EXIT_REGRESSION);
    // By hand: logarithms of the factors deviate by s = 0.0025497; with 4 degrees of freedom
    // t = ln(1.1 / 0.999997) / (s * sqrt(1 + 1 / 5)).
    assert_true(fabs(slower.row.ratio.estimate - 1.1) < 1e-4);
    assert_true(fabs(slower.row.p_value - 4.4e-6) < 1e-7);
    const Outcome same = compare_with(fixture->path, 50, 1.001);
    assert_int_equal(same.row.verdict, VERDICT_SAME);
    assert_int_equal(same.exit_code, EXIT_OK);
}

static void sessions_that_differ_hide_the_same_slowdown(void **state)
{
    const Fixture *fixture = *state;
    Problem problem = {0};
    for (size_t i = 0; i < 5; i++)
        assert_true(add(fixture->path, i, 1 + 20 * (quiet[i] - 1), &problem));
    assert_int_equal(compare_with(fixture->path, 50, 1.1).row.verdict, VERDICT_INCONCLUSIVE);
}

static void accepting_starts_anew_and_keeps_the_reason(void **state)
{
    const Fixture *fixture = *state;
    Problem problem = {0};
    for (size_t i = 0; i < 3; i++)
        assert_true(add(fixture->path, i, 1, &problem));
    SyntheticRun *session = make_session(9, 2);
    assert_false(baseline_accept(fixture->path, &session->run, "", &problem));
    problem = (Problem){0};
    assert_true(baseline_accept(fixture->path, &session->run, "checks \"bounds\"", &problem));
    synthetic_free(session);
    const Outcome outcome = compare_with(fixture->path, 50, 2);
    assert_int_equal(outcome.sessions, 1);
    assert_true(fabs(outcome.first_sample - 128e6) < 100);
    json_t *document = json_load_file(fixture->path, JSON_REJECT_DUPLICATES, NULL);
    const json_t *record = json_array_get(json_object_get(document, "history"), 0);
    assert_string_equal(json_string_value(json_object_get(record, "reason")), "checks \"bounds\"");
    assert_int_equal(json_integer_value(json_object_get(record, "replaced_sessions")), 3);
    json_decref(document);
    assert_true(add(fixture->path, 10, 2, &problem));
    assert_int_equal(compare_with(fixture->path, 50, 2).sessions, 2);
}

static void a_new_session_leaves_the_lines_of_others_alone(void **state)
{
    const Fixture *fixture = *state;
    Problem problem = {0};
    size_t before_bytes = 0;
    size_t after_bytes = 0;
    assert_true(add(fixture->path, 0, 1, &problem));
    char *before = file_read(fixture->path, FILE_BYTES, &before_bytes, &problem);
    assert_true(add(fixture->path, 1, 1, &problem));
    char *after = file_read(fixture->path, FILE_BYTES, &after_bytes, &problem);
    assert_true(before && after && after_bytes > before_bytes);
    assert_int_equal(memcmp(before, after, before_bytes - 4), 0); // but for "]}\n" and a comma
    assert_true(before_bytes < 400 + SYNTHETIC_CELLS * 400);
    free(before);
    free(after);
}

static void unfit_runs_are_refused_and_change_nothing(void **state)
{
    const Fixture *fixture = *state;
    Problem problem = {0};
    assert_true(add(fixture->path, 0, 1, &problem));
    assert_false(add(fixture->path, 0, 1, &problem));
    assert_non_null(strstr(problem.text, "in already"));
    SyntheticRun *session = make_session(1, 1);
    session->samples[3].ok = false;
    (void)snprintf(session->samples[3].reason, sizeof session->samples[3].reason, "signal 11");
    problem = (Problem){0};
    assert_false(baseline_add(fixture->path, &session->run, &problem));
    assert_non_null(strstr(problem.text, "signal 11"));
    session->samples[3].ok = true;
    synthetic_stop_early(session, 2);
    problem = (Problem){0};
    assert_false(baseline_add(fixture->path, &session->run, &problem));
    assert_non_null(strstr(problem.text, "fixed beforehand"));
    synthetic_free(session);
    session = make_session(1, 1);
    assert_int_equal(json_object_set_new(session->run.machine, "key", json_string("x")), 0);
    problem = (Problem){0};
    assert_false(baseline_add(fixture->path, &session->run, &problem));
    assert_non_null(strstr(problem.text, "on machine test-machine; the run is of"));
    session->run.sample_count = 0;
    problem = (Problem){0};
    assert_false(baseline_add(fixture->path, &session->run, &problem));
    assert_non_null(strstr(problem.text, "no samples"));
    synthetic_free(session);
    assert_int_equal(compare_with(fixture->path, 50, 1).sessions, 1);
}

static AlarmCount count_alarms(const char *path, size_t index, double factor, const char *commit,
                               bool modified)
{
    Problem problem = {0};
    AlarmCount count;
    SyntheticRun *session = make_session(index, factor);
    json_t *build = json_pack("{s:s, s:b}", "commit", commit, "modified", modified);
    assert_int_equal(json_object_set_new(session->run.machine, "build", build), 0);
    if (!session_alarms_count(path, &session->run, &count, &problem) ||
        (index < 50 && !baseline_add(path, &session->run, &problem)))
        fail_msg("%s", problem.text);
    synthetic_free(session);
    return count;
}

static void sessions_of_one_program_count_false_alarms(void **state)
{
    const Fixture *fixture = *state;
    for (size_t i = 0; i < 4; i++) {
        const AlarmCount count =
            count_alarms(fixture->path, i, 1 + 0.001 * (double)i, "0123456789ab", false);
        assert_int_equal(count.comparisons, i >= 2);
        assert_int_equal(count.alarms, 0);
    }
    const AlarmCount alarm = count_alarms(fixture->path, 50, 2, "0123456789ab", false);
    assert_int_equal(alarm.comparisons, 1);
    assert_int_equal(alarm.alarms, 1);
    assert_int_equal(count_alarms(fixture->path, 50, 2, "abcdefabcdef", false).comparisons, 0);
    assert_int_equal(count_alarms(fixture->path, 50, 2, "0123456789ab", true).comparisons, 0);
}

static void a_broken_baseline_counts_no_alarms(void **state)
{
    const Fixture *fixture = *state;
    Problem problem = {0};
    AlarmCount count;
    SyntheticRun *session = make_session(0, 1);
    assert_true(baseline_add(fixture->path, &session->run, &problem));
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    assert_int_equal(fputs("{\"schema\"", file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    assert_false(session_alarms_count(fixture->path, &session->run, &count, &problem));
    assert_non_null(strstr(problem.text, fixture->path));
    synthetic_free(session);
}

static void bad_files_are_named_with_the_place(void **state)
{
#define HEAD "{\"schema\": \"hyperion-baseline-1\", \"scenario\": \"s\", \"machine_key\": \"k\", "
#define SESSION                                                                                    \
    HEAD "\"sessions\": [{\"first_sample_unix_s\": 1, \"commit\": \"\", "                          \
         "\"environment_digest\": \"\", \"cells\": "
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"{\"schema\": \"hyperion-baseline-2\"}", "scenario"},
        {"{\"schema\": \"hyperion-baseline-2\", \"scenario\": \"s\", \"machine_key\": \"k\"}",
         "schema: expected"},
        {HEAD "\"sessions\": []}", "at least one"},
        {HEAD "\"sessions\": [3]}", "sessions[0]"},
        {SESSION "[]}]}", "cells: expected an object"},
        {SESSION "{\"a\": 3}}]}", "a: expected an object"},
        {SESSION "{\"a\": {\"sweep\": \"x\", \"tim\": [1]}}}]}", "tim: expected \"sweep\""},
        {SESSION "{\"a\": {\"sweep\": \"x\", \"time\": [1, -1]}}}]}", "numbers above 0"},
        {SESSION "{\"a\": {\"sweep\": \"x\", \"time\": []}}}]}", "numbers above 0"},
        {SESSION "{\"a\": {\"sweep\": \"x\", \"instructions\": [1, 2]}}}]}", "one number"},
        {SESSION "{\"a\": {\"time\": [1]}}}]}", "sweep"},
        {HEAD, "baseline.json:1"},
    };
    const Fixture *fixture = *state;
    char path[160];
    (void)snprintf(path, sizeof path, "%s/baseline.json", fixture->folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(cases[i].text, file) >= 0 && fclose(file) == 0);
        Problem problem = {0};
        assert_null(measured_side_load(path, &problem));
        if (!strstr(problem.text, cases[i].reason))
            fail_msg("%s: expected '%s', given '%s'", cases[i].text, cases[i].reason, problem.text);
    }
}

static void only_names_make_paths(void **state)
{
    (void)state;
    Problem problem = {0};
    assert_null(baseline_path("root", "", "scenario", &problem));
    assert_null(baseline_path("root", "../key", "scenario", &problem));
    assert_null(baseline_path("root", "key", "a/b", &problem));
    assert_non_null(strstr(problem.text, "expected a machine key"));
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(one_session_is_at_most_inconclusive),
        WITH_FOLDER(several_sessions_tell_a_slowdown_from_a_session),
        WITH_FOLDER(sessions_that_differ_hide_the_same_slowdown),
        WITH_FOLDER(accepting_starts_anew_and_keeps_the_reason),
        WITH_FOLDER(a_new_session_leaves_the_lines_of_others_alone),
        WITH_FOLDER(unfit_runs_are_refused_and_change_nothing),
        WITH_FOLDER(sessions_of_one_program_count_false_alarms),
        WITH_FOLDER(a_broken_baseline_counts_no_alarms),
        WITH_FOLDER(bad_files_are_named_with_the_place),
        cmocka_unit_test(only_names_make_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
