// SPDX-License-Identifier: Apache-2.0
// test_statistics_google.c - compare.py's numbers for Google Benchmark's own comparison inputs
// (tools/gbench/Inputs/test1_run*.json and test3_run*.json, in seconds and nanoseconds).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/google_compare.h"

#include <math.h>

// As the report prints them.
static void check_printed(double got, double want)
{
    if (!(fabs(got - want) <= 0.5e-4))
        fail_msg("got %.6f, want %.4f", got, want);
}

static void changes_are_relative_to_the_base(void **state)
{
    (void)state;
    check_printed(google_change(50, 25), -0.5);
    check_printed(google_change(100, 1e4), 99);
    check_printed(google_change(100, 66.665), -0.3333); // printed -0.3333
    check_printed(google_change(0.5, 0.6), 0.2);
    check_printed(google_change(-4, -5), -0.25);
    check_printed(google_change(0, 0), 0);
    check_printed(google_change(0, 3), 2);
}

static void u_test_of_few_repetitions_is_exact_and_unreliable(void **state)
{
    (void)state;
    const double base_real[] = {9, 8};
    const double base_cpu[] = {90, 86};
    const double new_real[] = {10, 7};
    const double new_cpu[] = {89, 72};
    const GoogleUTest test =
        google_u_test((GoogleTimes){base_real, base_cpu, 2}, (GoogleTimes){new_real, new_cpu, 2});
    assert_true(test.made && !test.enough);
    check_printed(test.real_p, 1.0);
    check_printed(test.cpu_p, 0.6667);
}

static void u_test_with_ties_is_asymptotic(void **state)
{
    (void)state;
    const double base_real[] = {8, 8};
    const double base_cpu[] = {80, 77};
    const double new_real[] = {7, 4.54, 800};
    const double new_cpu[] = {75, 66.6, 1};
    const GoogleUTest test =
        google_u_test((GoogleTimes){base_real, base_cpu, 2}, (GoogleTimes){new_real, new_cpu, 3});
    assert_true(test.made && !test.enough);
    assert_true(fabs(test.real_p - 0.7670968684102772) < 1e-12);
    check_printed(test.cpu_p, 0.2);
}

static void u_test_needs_two_repetitions_and_wants_nine(void **state)
{
    (void)state;
    const double times[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const GoogleTimes one = {times, times, 1};
    const GoogleTimes eight = {times, times, 8};
    const GoogleTimes nine = {times, times, 9};
    assert_false(google_u_test(one, nine).made);
    assert_true(isnan(google_u_test(one, nine).real_p));
    assert_true(google_u_test(eight, nine).made && !google_u_test(eight, nine).enough);
    assert_true(google_u_test(nine, nine).made && google_u_test(nine, nine).enough);
}

static void overall_row_is_over_every_row_of_each_file(void **state)
{
    (void)state;
    const double base_real[] = {1e-8, 5e-8, 5e-8, 1e-7, 1e-7, 1e-7, 1e-7,
                                1e-7, 1e-5, 1e-7, 1e-7, 0.4,  1,    1};
    const double base_cpu[] = {1e-8, 5e-8, 5e-8, 1e-7, 1e-7, 1e-7, 1e-7,
                               1e-7, 1e-5, 1e-7, 1e-7, 0.5,  1,    1};
    const double new_real[] = {1e-8, 2.5e-8, 1e-7,   98.9999999e-9, 100.9999999e-9, 9e-8, 1.1e-7,
                               1e-5, 1e-7,   1.1e-7, 66.665e-9,     0.04,           1e-9, 1};
    const double new_cpu[] = {1e-8,   2.5e-8, 1e-7, 98.9999999e-9, 100.9999999e-9, 9e-8,
                              1.1e-7, 1e-5,   1e-7, 9e-8,          66.664e-9,      0.6,
                              1e-9,   1};
    const GoogleOverall first = google_overall((GoogleTimes){base_real, base_cpu, 14},
                                               (GoogleTimes){new_real, new_cpu, 14});
    assert_true(first.made);
    check_printed(first.real_change, -0.8113);
    check_printed(first.cpu_change, -0.7779);
    const double few_real[] = {9, 8, 8, 9};
    const double few_cpu[] = {90, 86, 80, 82};
    const double other_real[] = {9, 7, 800, 5};
    const double other_cpu[] = {110, 72, 1, 53};
    const GoogleOverall third = google_overall((GoogleTimes){few_real, few_cpu, 4},
                                               (GoogleTimes){other_real, other_cpu, 4});
    check_printed(third.real_change, 1.6405);
    check_printed(third.cpu_change, -0.6985);
}

static void overall_row_needs_times(void **state)
{
    (void)state;
    const double times[] = {1, 2};
    const double zeros[] = {0, 1};
    const GoogleTimes some = {times, times, 2};
    assert_false(google_overall(some, (GoogleTimes){times, times, 0}).made);
    assert_false(google_overall((GoogleTimes){zeros, zeros, 2}, some).made);
    const GoogleOverall half = google_overall((GoogleTimes){zeros, times, 2}, some);
    assert_true(half.made && half.real_change == 2 && half.cpu_change == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_relative_to_the_base),
        cmocka_unit_test(u_test_of_few_repetitions_is_exact_and_unreliable),
        cmocka_unit_test(u_test_with_ties_is_asymptotic),
        cmocka_unit_test(u_test_needs_two_repetitions_and_wants_nine),
        cmocka_unit_test(overall_row_is_over_every_row_of_each_file),
        cmocka_unit_test(overall_row_needs_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
