// SPDX-License-Identifier: Apache-2.0
// test_google_files.c - Google Benchmark files as sides of a comparison and the rows of compare.py,
// on small files and on ../shared/data/benchmark-json.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/command.h"
#include "common/lenient_json.h"
#include "compare/comparison.h"
#include "compare/measured_google.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHARED HYPERION_SOURCE_DIR "/../shared/data/benchmark-json/"

static char folder[] = "/tmp/hyperion-google-XXXXXX";

static const char *write_file(const char *name, const char *text)
{
    static char path[2][128];
    static int turn;
    char *chosen = path[turn++ % 2];
    (void)snprintf(chosen, sizeof path[0], "%s/%s", folder, name);
    FILE *file = fopen(chosen, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
    return chosen;
}

static MeasuredSide *load(const char *path)
{
    Problem problem = {0};
    MeasuredSide *side = measured_side_load(path, &problem);
    if (!side)
        fail_msg("%s", problem.text);
    return side;
}

static MeasuredSide *load_text(const char *text)
{
    return load(write_file("file.json", text));
}

typedef struct Pair {
    MeasuredSide *base, *latest;
    Comparison *comparison;
} Pair;

static Pair compare(MeasuredSide *base, MeasuredSide *latest)
{
    const ComparisonOptions options = {.least_time_effect = NAN};
    const Pair pair = {base, latest, comparison_make(base, latest, &options)};
    assert_non_null(pair.comparison);
    return pair;
}

static void clear(Pair pair)
{
    comparison_free(pair.comparison);
    measured_side_free(pair.base);
    measured_side_free(pair.latest);
}

static void numbers_that_are_none_become_null_outside_of_texts(void **state)
{
    (void)state;
    const char *path = write_file(
        "lenient.json",
        "{\"a\": NaN, \"b\": [-Infinity,inf, -nan, nan(0x8) ,+INF], \"NaN \\\" nan\": \"-inf\","
        " \"c\": null, \"d\": -1e3, \"a\": 2}");
    Problem problem = {0};
    json_t *json = lenient_json_read(path, &problem);
    if (!json)
        fail_msg("%s", problem.text);
    const json_t *list = json_object_get(json, "b");
    assert_int_equal(json_array_size(list), 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(json_is_null(json_array_get(list, i)));
    assert_string_equal(json_string_value(json_object_get(json, "NaN \" nan")), "-inf");
    assert_true(json_number_value(json_object_get(json, "d")) == -1000);
    json_decref(json);
    static const char *const bad[] = {"{\"a\": nano}", "{\"a\": \"nan", "[infinite]", "", "[nan(1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        problem = (Problem){0};
        assert_null(lenient_json_read(write_file("bad.json", bad[i]), &problem));
        assert_non_null(strstr(problem.text, "bad.json:1:"));
    }
}

#define ROW(name, kind, time, unit)                                                                \
    "{\"name\": \"" name "\", \"run_type\": \"" kind "\", \"real_time\": " time                    \
    ", \"cpu_time\": 1, \"time_unit\": \"" unit "\"}"

static void repetitions_are_samples_in_nanoseconds(void **state)
{
    (void)state;
    MeasuredSide *side = load_text(
        "{\"context\": {\"hyperion_scenario\": \"s\", \"hyperion_machine_key\": \"k\"}, "
        "\"benchmarks\": [" ROW("b/real_time", "iteration", "2", "us") "," ROW(
            "a", "iteration", "3", "ms") "," ROW("b/real_time", "iteration", "4",
                                                 "us") "," ROW("c", "aggregate", "5",
                                                               "s") ", {\"name\": \"d_BigO\", "
                                                                    "\"run_type\": "
                                                                    "\"aggregate\"}, {\"name\": "
                                                                    "\"e\", \"error_occurred\": "
                                                                    "true, \"error_message\": "
                                                                    "\"boom\"}]}");
    assert_int_equal(side->cell_count, 4);
    assert_string_equal(side->cells[0].id, "b"); // as the run directory calls it
    double values[4];
    assert_int_equal(measured_values(side, &side->cells[0], COMPARED_TIME, values), 2);
    assert_true(values[0] == 2000 && values[1] == 4000);
    assert_int_equal(measured_values(side, &side->cells[1], COMPARED_TIME, values), 1);
    assert_true(values[0] == 3e6);
    assert_true(side->cells[2].failed);
    assert_string_equal(side->cells[2].reason, "boom");
    assert_string_equal(side->cells[3].id, "c"); // aggregates come last
    assert_int_equal(measured_values(side, &side->cells[3], COMPARED_TIME, NULL), 0);
    assert_string_equal(side->machine_key, "k");
    assert_false(measured_google_is_exploration(side));
    measured_side_free(side);
}

static void other_documents_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"[]", "no Google Benchmark file"},
        {"{\"benchmarks\": {}}", "no Google Benchmark file"},
        {"{\"benchmarks\": [3]}", "benchmarks[0]: expected an object with a \"name\""},
        {"{\"benchmarks\": [{\"name\": \"a\", \"time_unit\": \"h\"}]}", "time_unit: expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Problem problem = {0};
        assert_null(measured_side_load(write_file("other.json", cases[i].text), &problem));
        assert_non_null(strstr(problem.text, "other.json: "));
        assert_non_null(strstr(problem.text, cases[i].reason));
    }
}

static void two_empty_files_are_inconclusive(void **state)
{
    (void)state;
    const Pair pair = compare(load_text("{\"benchmarks\": []}"), load_text("{\"benchmarks\": []}"));
    assert_int_equal(comparison_exit_code(pair.comparison), EXIT_INCONCLUSIVE);
    clear(pair);
}

static Pair compare_shared(const char *base, const char *latest)
{
    char paths[2][512];
    (void)snprintf(paths[0], sizeof paths[0], "%s%s", SHARED, base);
    (void)snprintf(paths[1], sizeof paths[1], "%s%s", SHARED, latest);
    if (access(paths[0], R_OK) != 0) {
        print_message("skipped: %s is not there\n", paths[0]);
        skip();
    }
    return compare(load(paths[0]), load(paths[1]));
}

static void five_percent_slower_in_every_repetition_is_a_regression(void **state)
{
    (void)state;
    const Pair pair = compare_shared("contract_base.json", "contract_slow5pct.json");
    for (size_t i = 0; i < pair.comparison->row_count; i++) {
        const ComparedRow *row = &pair.comparison->rows[i];
        assert_int_equal(row->verdict, VERDICT_SLOWER);
        assert_true(row->corrected_p < 0.001);
        assert_true(fabs(row->ratio.estimate - 1.05) < 0.01);
    }
    assert_int_equal(comparison_exit_code(pair.comparison), EXIT_REGRESSION);
    clear(pair);
}

static void bare_nan_and_errors_are_read(void **state)
{
    (void)state;
    const Pair nan_file = compare_shared("nan_cv.json", "nan_cv.json");
    assert_true(nan_file.comparison->row_count > 0);
    clear(nan_file);
    const Pair errors = compare_shared("error_and_threads.json", "error_and_threads.json");
    assert_int_equal(errors.comparison->rows[0].verdict, VERDICT_FAILED);
    assert_string_equal(errors.comparison->rows[0].reason, "boom");
    assert_int_equal(comparison_exit_code(errors.comparison), EXIT_CELL);
    clear(errors);
}

typedef struct Printed {
    const char *name, *time, *cpu;
} Printed;

// As compare.py's own tests expect them.
static void check_rows(const GoogleReport *report, const Printed *printed, size_t count)
{
    assert_int_equal(report->row_count, count);
    for (size_t i = 0; i < count; i++) {
        const GoogleReportRow *row = &report->rows[i];
        const bool test = row->kind == GOOGLE_P_VALUES;
        char time[32];
        char cpu[32];
        (void)snprintf(time, sizeof time, test ? "%.4f" : "%+.4f",
                       test ? row->test.real_p : row->real_change);
        (void)snprintf(cpu, sizeof cpu, test ? "%.4f" : "%+.4f",
                       test ? row->test.cpu_p : row->cpu_change);
        assert_string_equal(row->name, printed[i].name);
        assert_string_equal(time, printed[i].time);
        assert_string_equal(cpu, printed[i].cpu);
    }
}

static void rows_of_single_repetitions_are_those_of_compare_py(void **state)
{
    (void)state;
    static const Printed printed[] = {
        {"BM_SameTimes", "+0.0000", "+0.0000"},
        {"BM_2xFaster", "-0.5000", "-0.5000"},
        {"BM_2xSlower", "+1.0000", "+1.0000"},
        {"BM_1PercentFaster", "-0.0100", "-0.0100"},
        {"BM_1PercentSlower", "+0.0100", "+0.0100"},
        {"BM_10PercentFaster", "-0.1000", "-0.1000"},
        {"BM_10PercentSlower", "+0.1000", "+0.1000"},
        {"BM_100xSlower", "+99.0000", "+99.0000"},
        {"BM_100xFaster", "-0.9900", "-0.9900"},
        {"BM_10PercentCPUToTime", "+0.1000", "-0.1000"},
        {"BM_ThirdFaster", "-0.3333", "-0.3334"},
        {"BM_NotBadTimeUnit", "-0.9000", "+0.2000"},
        {"BM_hasLabel", "+0.0000", "+0.0000"},
        {"OVERALL_GEOMEAN", "-0.8113", "-0.7779"},
    };
    const Pair pair =
        compare_shared("google-benchmark/test1_run1.json", "google-benchmark/test1_run2.json");
    check_rows(pair.comparison->google, printed, sizeof printed / sizeof *printed);
    clear(pair);
}

// compare.py sorts the rows that call themselves aggregates behind the others before it pairs them.
static void rows_of_repetitions_have_p_values_as_compare_py(void **state)
{
    (void)state;
    static const Printed printed[] = {
        {"BM_Two", "-0.2222", "-0.2000"},
        {"BM_Two", "+0.2500", "+0.0349"},
        {"BM_Two", "1.0000", "0.6667"},
        {"medium", "-0.3750", "-0.3375"},
        {"BM_One", "-0.1000", "+0.1000"},
        {"short", "+99.0000", "-0.9875"},
        {"short", "-0.1250", "-0.0260"},
        {"short", "0.7671", "0.2000"},
        {"OVERALL_GEOMEAN", "+1.6405", "-0.6985"},
    };
    const Pair pair =
        compare_shared("google-benchmark/test3_run0.json", "google-benchmark/test3_run1.json");
    check_rows(pair.comparison->google, printed, sizeof printed / sizeof *printed);
    clear(pair);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command); // NOLINT: a fixed command in a private folder
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_are_none_become_null_outside_of_texts),
        cmocka_unit_test(repetitions_are_samples_in_nanoseconds),
        cmocka_unit_test(other_documents_are_refused),
        cmocka_unit_test(two_empty_files_are_inconclusive),
        cmocka_unit_test(five_percent_slower_in_every_repetition_is_a_regression),
        cmocka_unit_test(bare_nan_and_errors_are_read),
        cmocka_unit_test(rows_of_single_repetitions_are_those_of_compare_py),
        cmocka_unit_test(rows_of_repetitions_have_p_values_as_compare_py),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
