// SPDX-License-Identifier: Apache-2.0
// test_comparison.c - every verdict and exit code of comparing two synthetic runs.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/command.h"
#include "report/comparison.h"
#include "synthetic_run.h"

enum { OUTPUT_BYTES = 32768 };

static void scale_cell(SyntheticRun *synthetic, size_t cell, double factor)
{
    for (size_t i = 0; i < synthetic->run.sample_count; i++) {
        Sample *sample = &synthetic->samples[i];
        for (size_t j = 0; sample->cell == cell && j < sample->real_count; j++)
            sample->real_ns[j] *= factor;
    }
}

static Comparison *compare(const SyntheticRun *base, const SyntheticRun *latest)
{
    Comparison *comparison = comparison_make(&base->run, &latest->run, 0.05);
    assert_non_null(comparison);
    return comparison;
}

static void check_outcome(const Comparison *comparison, size_t cell, Verdict verdict, int exit_code)
{
    assert_string_equal(comparison_verdict_name(comparison->cells[cell].verdict),
                        comparison_verdict_name(verdict));
    assert_int_equal(comparison_exit_code(comparison), exit_code);
}

static void equal_runs_are_the_same(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(6);
    Comparison *comparison = compare(base, latest);
    assert_int_equal(comparison->cell_count, SYNTHETIC_CELLS);
    assert_int_equal(comparison->count_of[VERDICT_SAME], SYNTHETIC_CELLS);
    assert_true(comparison->cells[2].ratio == 1);
    check_outcome(comparison, 0, VERDICT_SAME, EXIT_OK);
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

static void ratio_decides_with_intervals_apart(void **state)
{
    (void)state;
    const struct {
        double factor;
        Verdict verdict;
        int exit_code;
    } wanted[] = {{1.06, VERDICT_SLOWER, EXIT_REGRESSION},
                  {1.04, VERDICT_SAME, EXIT_OK},
                  {0.96, VERDICT_SAME, EXIT_OK},
                  {0.90, VERDICT_FASTER, EXIT_OK}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        SyntheticRun *base = synthetic_make(6);
        SyntheticRun *latest = synthetic_make(6);
        scale_cell(latest, 1, wanted[i].factor);
        Comparison *comparison = compare(base, latest);
        check_outcome(comparison, 1, wanted[i].verdict, wanted[i].exit_code);
        assert_true(fabs(comparison->cells[1].ratio - wanted[i].factor) < 1e-12);
        comparison_free(comparison);
        synthetic_free(base);
        synthetic_free(latest);
    }
}

static void overlapping_intervals_are_inconclusive(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(6);
    scale_cell(latest, 1, 1.2);
    // One slow sample of 6 in BASE stretches its interval over that of NEW, not its median.
    Sample *last = &base->samples[8 + 6];
    assert_true(last->cell == 1 && last->task == SAMPLE_TIME);
    for (size_t j = 0; j < last->real_count; j++)
        last->real_ns[j] *= 1.5;
    Comparison *comparison = compare(base, latest);
    check_outcome(comparison, 1, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE);
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

static void too_few_samples_are_inconclusive(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(5);
    scale_cell(latest, 0, 3);
    Comparison *comparison = compare(base, latest);
    check_outcome(comparison, 0, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE);
    assert_string_equal(comparison->cells[0].reason, "fewer than 6 samples: no interval");
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

static void a_cell_failed_in_new_outweighs_a_regression(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(6);
    scale_cell(latest, 1, 2);
    latest->samples[3].ok = false;
    (void)snprintf(latest->samples[3].reason, sizeof latest->samples[3].reason, "signal 11");
    Comparison *comparison = compare(base, latest);
    check_outcome(comparison, 0, VERDICT_FAILED, EXIT_CELL);
    assert_string_equal(comparison->cells[0].reason, "signal 11");
    assert_int_equal(comparison->count_of[VERDICT_SLOWER], 1);
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

static void a_cell_failed_in_base_is_inconclusive(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(6);
    base->samples[3].ok = false;
    Comparison *comparison = compare(base, latest);
    check_outcome(comparison, 0, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE);
    assert_string_equal(comparison->cells[0].reason, "failed in BASE");
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

static void cells_of_one_side_are_listed(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(6);
    (void)snprintf(latest->ids[3], sizeof latest->ids[3], "kernel/op:gemm/other");
    Comparison *comparison = compare(base, latest);
    assert_int_equal(comparison->cell_count, SYNTHETIC_CELLS + 1);
    check_outcome(comparison, 3, VERDICT_ADDED, EXIT_CELL);
    check_outcome(comparison, 4, VERDICT_MISSING, EXIT_CELL);
    assert_string_equal(comparison->cells[4].id, base->ids[3]);
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

static void a_planned_cell_without_samples_is_missing(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(0);
    Comparison *comparison = compare(base, latest);
    check_outcome(comparison, 0, VERDICT_MISSING, EXIT_CELL);
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

static void times_above_the_roof_get_no_verdict(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(6);
    scale_cell(latest, 3, 0.1);
    Comparison *comparison = compare(base, latest);
    check_outcome(comparison, 3, VERDICT_EXCLUDED, EXIT_INCONCLUSIVE);
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

static void write_as(const char *format, const Comparison *comparison, char *text)
{
    memset(text, 0, OUTPUT_BYTES);
    FILE *out = fmemopen(text, OUTPUT_BYTES - 1, "w");
    assert_non_null(out);
    for (size_t i = 0; comparison_formats[i].name; i++)
        if (strcmp(comparison_formats[i].name, format) == 0)
            assert_true(comparison_formats[i].write(comparison, out));
    assert_int_equal(fclose(out), 0);
    assert_true(strlen(text) > 0 && strlen(text) < OUTPUT_BYTES - 2);
}

// A comparison with every kind of unknown in it.
static void every_format_writes_without_nan(void **state)
{
    (void)state;
    SyntheticRun *base = synthetic_make(6);
    SyntheticRun *latest = synthetic_make(5);
    latest->samples[1].ok = false;
    (void)snprintf(latest->samples[1].reason, sizeof latest->samples[1].reason, "a|b");
    (void)snprintf(latest->ids[3], sizeof latest->ids[3], "kernel/op:gemm/other");
    Comparison *comparison = compare(base, latest);
    char *text = malloc(OUTPUT_BYTES);
    assert_non_null(text);
    for (size_t i = 0; comparison_formats[i].name; i++) {
        write_as(comparison_formats[i].name, comparison, text);
        assert_false(synthetic_has_nan(text));
        assert_non_null(strstr(text, "inconclusive"));
        assert_non_null(strstr(text, "non-overlapping 95 % order-statistic"));
    }
    write_as("json", comparison, text);
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    assert_int_equal(json_integer_value(json_object_get(document, "exit_code")), EXIT_CELL);
    const json_t *cells = json_object_get(document, "cells");
    assert_int_equal(json_array_size(cells), SYNTHETIC_CELLS + 1);
    const json_t *added = json_array_get(cells, 3);
    assert_string_equal(json_string_value(json_object_get(added, "verdict")), "added");
    assert_true(json_is_null(json_object_get(added, "ratio")));
    assert_true(json_is_null(json_object_get(json_object_get(added, "base"), "median_ns")));
    json_decref(document);
    write_as("markdown", comparison, text);
    assert_non_null(strstr(text, "a\\|b"));
    free(text);
    comparison_free(comparison);
    synthetic_free(base);
    synthetic_free(latest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_runs_are_the_same),
        cmocka_unit_test(ratio_decides_with_intervals_apart),
        cmocka_unit_test(overlapping_intervals_are_inconclusive),
        cmocka_unit_test(too_few_samples_are_inconclusive),
        cmocka_unit_test(a_cell_failed_in_new_outweighs_a_regression),
        cmocka_unit_test(a_cell_failed_in_base_is_inconclusive),
        cmocka_unit_test(cells_of_one_side_are_listed),
        cmocka_unit_test(a_planned_cell_without_samples_is_missing),
        cmocka_unit_test(times_above_the_roof_get_no_verdict),
        cmocka_unit_test(every_format_writes_without_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
