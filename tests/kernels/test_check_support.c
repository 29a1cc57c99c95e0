// SPDX-License-Identifier: Apache-2.0
// test_check_support.c - guards, bounds and samples of the kernel checks.
#include "check/check_support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// Meant to hit a guard, where the address sanitizer would stop first.
__attribute__((noinline, no_sanitize_address)) static void spill(float *place)
{
    *place = 0.0F;
}

static void guards_find_writes_on_both_sides(void **state)
{
    (void)state;
    for (size_t offset = 0; offset < HYP_CHECK_WIDEST_LANES; offset++) {
        HypCheckReport report;
        HypCheckRun run = hyp_check_start(&report, 1);
        HypCheckBuffer buffer;
        assert_true(hyp_check_allocate(&run, &buffer, 5, offset));
        assert_int_equal((uintptr_t)buffer.data % 64, offset * sizeof(float));
        hyp_check_fill(&run, &buffer, -1, 1);
        assert_true(hyp_check_guards(&run, &buffer, "x"));
        spill(buffer.data + 5);
        assert_false(hyp_check_guards(&run, &buffer, "x"));
        assert_non_null(strstr(report.failure, "x written 1 floats past its end"));
        run = hyp_check_start(&report, 1);
        spill(buffer.data - 2);
        assert_false(hyp_check_guards(&run, &buffer, "x"));
        assert_non_null(strstr(report.failure, "x written 2 floats before its start"));
        hyp_check_release(&buffer);
    }
}

static void fresh_contents_are_untouched_nans(void **state)
{
    (void)state;
    HypCheckReport report;
    HypCheckRun run = hyp_check_start(&report, 1);
    HypCheckBuffer buffer;
    assert_true(hyp_check_allocate(&run, &buffer, 9, 3));
    assert_true(isnan(buffer.data[0]) && isnan(buffer.data[8]));
    assert_true(hyp_check_untouched(&run, &buffer, 0, 9, "x"));
    buffer.data[4] = 0;
    assert_true(hyp_check_untouched(&run, &buffer, 0, 4, "x"));
    assert_true(hyp_check_untouched(&run, &buffer, 5, 4, "x"));
    assert_false(hyp_check_untouched(&run, &buffer, 0, 9, "x"));
    assert_non_null(strstr(report.failure, "x[4]"));
    hyp_check_release(&buffer);
}

static void impossible_arrays_are_reported(void **state)
{
    (void)state;
    HypCheckReport report;
    HypCheckRun run = hyp_check_start(&report, 1);
    HypCheckBuffer buffer;
    assert_false(hyp_check_allocate(&run, &buffer, SIZE_MAX / 2, 0));
    assert_non_null(strstr(report.failure, "does not fit"));
    hyp_check_release(&buffer);
}

static void errors_are_counted_in_bounds(void **state)
{
    (void)state;
    HypCheckReport report;
    HypCheckRun run = hyp_check_start(&report, 1);
    hyp_check_begin_case(&run, "n=%d", 3);
    assert_true(hyp_check_value(&run, 1.5, 1.0, 1.0, "c"));
    assert_true(report.worst == 0.5);
    assert_true(hyp_check_value(&run, NAN, NAN, 0, "c"));
    assert_true(hyp_check_value(&run, -INFINITY, -INFINITY, 0, "c"));
    assert_true(hyp_check_value(&run, 2, 2, 0, "c"));
    assert_true(report.worst == 0.5);
    assert_false(hyp_check_value(&run, 4.0, 1.0, 1.0, "c[%d]", 7));
    assert_string_equal(report.failure, "n=3: c[7] got 4, want 1, bound 1");
    assert_true(report.worst == 3);
    assert_int_equal(report.case_count, 1);
}

static void what_has_no_ratio_fails_with_a_finite_worst(void **state)
{
    (void)state;
    const double pairs[][2] = {
        {NAN, 1}, {1, NAN}, {INFINITY, 1}, {1, INFINITY}, {INFINITY, -INFINITY}, {1, 2}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        HypCheckReport report;
        HypCheckRun run = hyp_check_start(&report, 1);
        assert_false(hyp_check_value(&run, pairs[i][0], pairs[i][1], 0, "c"));
        assert_true(isfinite(report.worst) && report.worst > 1);
    }
}

static void first_failure_is_kept(void **state)
{
    (void)state;
    HypCheckReport report;
    HypCheckRun run = hyp_check_start(&report, 1);
    hyp_check_begin_case(&run, "case");
    assert_false(hyp_check_fail(&run, "first"));
    assert_false(hyp_check_fail(&run, "second"));
    assert_string_equal(report.failure, "case: first");
}

static void seed_repeats_the_numbers(void **state)
{
    (void)state;
    HypCheckReport report;
    HypCheckRun a = hyp_check_start(&report, 42);
    HypCheckRun b = hyp_check_start(&report, 42);
    HypCheckRun other = hyp_check_start(&report, 43);
    bool differs = false;
    for (int i = 0; i < 1000; i++) {
        const float value = hyp_check_uniform(&a, -2, 3);
        assert_true(value >= -2 && value < 3);
        assert_true(value == hyp_check_uniform(&b, -2, 3));
        differs = differs || value != hyp_check_uniform(&other, -2, 3);
    }
    assert_true(differs);
}

static void samples_hold_both_ends(void **state)
{
    (void)state;
    HypCheckReport report;
    HypCheckRun run = hyp_check_start(&report, 1);
    assert_int_equal(hyp_check_sample_count(7, 10), 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(hyp_check_sample(&run, 7, 10, i), i);
    assert_int_equal(hyp_check_sample_count(1000, 10), 10);
    assert_int_equal(hyp_check_sample(&run, 1000, 10, 0), 0);
    assert_int_equal(hyp_check_sample(&run, 1000, 10, 1), 999);
    for (size_t i = 2; i < 10; i++)
        assert_true(hyp_check_sample(&run, 1000, 10, i) < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_find_writes_on_both_sides),
        cmocka_unit_test(fresh_contents_are_untouched_nans),
        cmocka_unit_test(impossible_arrays_are_reported),
        cmocka_unit_test(errors_are_counted_in_bounds),
        cmocka_unit_test(what_has_no_ratio_fails_with_a_finite_worst),
        cmocka_unit_test(first_failure_is_kept),
        cmocka_unit_test(seed_repeats_the_numbers),
        cmocka_unit_test(samples_hold_both_ends),
    };
    return cmocka_run_group_tests_name("check support", tests, NULL, NULL);
}
