// SPDX-License-Identifier: Apache-2.0
// test_statistics_bootstrap.c - bootstrap intervals, exact and sampled.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/bootstrap.h"

#include <math.h>

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.17g, want %.17g", got, want);
}

static void two_values_have_four_resamples(void **state)
{
    (void)state;
    const double values[] = {4, 5};
    // Means 4, 4.5 twice, 5.
    const Bootstrap narrow = stat_bootstrap_exact(values, 2, stat_mean, 0.4);
    check_near(narrow.interval.low, 4.5, 0); // a share of 0.3 is above 1/4
    check_near(narrow.interval.high, 4.5, 0);
    check_near(narrow.deviation, sqrt(0.125), 1e-15);
    const Bootstrap half = stat_bootstrap_exact(values, 2, stat_mean, 0.5);
    check_near(half.interval.low, 4, 0); // 1/4 does
    check_near(half.interval.high, 4.5, 0);
}

static void exact_deviation_of_the_mean_is_known(void **state)
{
    (void)state;
    const double values[] = {3, 1, 4, 1, 5, 9, 2, 6, 5};
    for (size_t count = 1; count <= BOOTSTRAP_EXACT_MOST; count++) {
        const double mean = stat_mean(values, count);
        double squares = 0;
        for (size_t i = 0; i < count; i++)
            squares += (values[i] - mean) * (values[i] - mean);
        const Bootstrap bootstrap = stat_bootstrap_exact(values, count, stat_mean, 0.95);
        check_near(bootstrap.deviation, sqrt(squares) / (double)count, 1e-12);
    }
}

static void sampling_approaches_the_exact_distribution(void **state)
{
    (void)state;
    const double values[] = {3.1, 2.9, 3.0, 3.3, 2.8, 3.7};
    const Bootstrap exact = stat_bootstrap_exact(values, 6, stat_mean, 0.9);
    const Bootstrap sampled = stat_bootstrap(values, 6, stat_mean, 0.9, 20000, 1);
    check_near(sampled.deviation, exact.deviation, 0.002);
    check_near(sampled.interval.low, exact.interval.low, 0.02);
    check_near(sampled.interval.high, exact.interval.high, 0.02);
}

static void a_seed_gives_one_interval(void **state)
{
    (void)state;
    double values[40];
    for (size_t i = 0; i < 40; i++)
        values[i] = sqrt((double)(i * 7 % 40));
    const Interval first = stat_bootstrap(values, 40, stat_mean, 0.95, 500, 9).interval;
    const Interval again = stat_bootstrap(values, 40, stat_mean, 0.95, 500, 9).interval;
    const Interval other = stat_bootstrap(values, 40, stat_mean, 0.95, 500, 10).interval;
    assert_true(first.low == again.low && first.high == again.high);
    assert_true(first.low != other.low);
}

static void bca_follows_the_skewness(void **state)
{
    (void)state;
    double skewed[30];
    double even[30];
    for (size_t i = 0; i < 30; i++) {
        even[i] = (double)i;
        skewed[i] = exp((double)i / 6);
    }
    const Interval plain = stat_bootstrap(skewed, 30, stat_mean, 0.95, 4000, 1).interval;
    const Interval bca = stat_bootstrap_bca(skewed, 30, stat_mean, 0.95, 4000, 1);
    assert_true(bca.low > plain.low && bca.high > plain.high);
    const Interval plain_even = stat_bootstrap(even, 30, stat_mean, 0.95, 4000, 1).interval;
    const Interval bca_even = stat_bootstrap_bca(even, 30, stat_mean, 0.95, 4000, 1);
    check_near(bca_even.low, plain_even.low, 0.4);
    check_near(bca_even.high, plain_even.high, 0.4);
}

static void equal_values_are_their_own_interval(void **state)
{
    (void)state;
    const double equal[] = {7, 7, 7, 7, 7};
    const Interval intervals[] = {
        stat_bootstrap_exact(equal, 5, stat_median, 0.95).interval,
        stat_bootstrap(equal, 5, stat_median, 0.95, 100, 1).interval,
        stat_bootstrap_bca(equal, 5, stat_median, 0.95, 100, 1),
        stat_bootstrap_exact(equal, 1, stat_median, 0.95).interval,
    };
    for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++)
        assert_true(intervals[i].low == 7 && intervals[i].high == 7);
}

static void unusable_values_give_nan(void **state)
{
    (void)state;
    const double values[] = {1, 2, NAN, 4, 5, 6, 7, 8, 9, 10};
    assert_true(isnan(stat_bootstrap_exact(values, 0, stat_mean, 0.95).deviation));
    assert_true(isnan(stat_bootstrap_exact(values, 3, stat_mean, 0.95).interval.low));
    assert_true(isnan(stat_bootstrap_exact(values, 10, stat_mean, 0.95).interval.low));
    assert_true(isnan(stat_bootstrap(values, 4, stat_mean, 0.95, 100, 1).interval.high));
    assert_true(isnan(stat_bootstrap(values, 2, stat_mean, 0.95, 0, 1).interval.high));
    assert_true(isnan(stat_bootstrap_bca(values, 4, stat_mean, 0.95, 100, 1).high));
    assert_true(isnan(stat_bootstrap_bca(values, 1, stat_mean, 0.95, 100, 1).high));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_values_have_four_resamples),
        cmocka_unit_test(exact_deviation_of_the_mean_is_known),
        cmocka_unit_test(sampling_approaches_the_exact_distribution),
        cmocka_unit_test(a_seed_gives_one_interval),
        cmocka_unit_test(bca_follows_the_skewness),
        cmocka_unit_test(equal_values_are_their_own_interval),
        cmocka_unit_test(unusable_values_give_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
