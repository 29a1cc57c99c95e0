// SPDX-License-Identifier: Apache-2.0
// test_statistics.c - order statistics and intervals against small instances.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/statistics.h"

#include <math.h>

static void check_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want))))
        fail_msg("got %.17g, want %.17g", got, want);
}

static void quantiles_interpolate_between_order_statistics(void **state)
{
    (void)state;
    const double values[] = {5, 1, 4, 2};
    check_near(stat_quantile(values, 4, 0), 1);
    check_near(stat_quantile(values, 4, 1), 5);
    check_near(stat_quantile(values, 4, 0.25), 1.75);
    check_near(stat_median(values, 4), 3);
    check_near(stat_median(values, 3), 4);
}

static void ties_count_as_often_as_they_occur(void **state)
{
    (void)state;
    const double values[] = {2, 2, 2, 9, 1};
    check_near(stat_median(values, 5), 2);
    check_near(stat_quantile(values, 5, 0.75), 2);
    check_near(stat_mad(values, 5), 0);
}

static void spread_of_known_values(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3, 4, 10};
    check_near(stat_mad(values, 5), 1); // |x - 3| = 2 1 0 1 7
    // mean 4, squares 9 + 4 + 1 + 0 + 36 = 50
    check_near(stat_variation(values, 5), sqrt(50.0 / 4) / 4);
    const double negative[] = {-1, -2, -3};
    check_near(stat_variation(negative, 3), 0.5);
}

static void too_few_values_give_nan(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3, 4, 5};
    assert_true(isnan(stat_median(values, 0)));
    assert_true(isnan(stat_mad(values, 0)));
    assert_true(isnan(stat_variation(values, 1)));
    const double zero_mean[] = {-1, 1};
    assert_true(isnan(stat_variation(zero_mean, 2)));
    for (size_t count = 0; count <= 5; count++) {
        const Interval interval = stat_median_interval(values, count, 0.95);
        assert_true(isnan(interval.low) && isnan(interval.high));
    }
    // 5 values can say it with 1 - 2/32 = 93.75 %.
    const Interval range = stat_median_interval(values, 5, 0.93);
    check_near(range.low, 1);
    check_near(range.high, 5);
}

static void interval_covers_at_least_what_is_asked(void **state)
{
    (void)state;
    const double values[] = {6, 5, 4, 3, 2, 1, 9, 8, 7};
    const Interval six = stat_median_interval(values, 6, 0.95); // 1 - 2/64 = 96.9 %
    check_near(six.low, 1);
    check_near(six.high, 6);
    const Interval nine = stat_median_interval(values, 9, 0.95); // 1 - 2 x 10/512 = 96.1 %
    check_near(nine.low, 2);
    check_near(nine.high, 8);
    const Interval wider = stat_median_interval(values, 9, 0.97);
    check_near(wider.low, 1);
    check_near(wider.high, 9);
}

static void interval_of_many_values_does_not_underflow(void **state)
{
    (void)state;
    static double values[2000];
    for (size_t i = 0; i < 2000; i++)
        values[i] = (double)i;
    const Interval interval = stat_median_interval(values, 2000, 0.95);
    // Normal approximation: 1000 -+ 1.96 sqrt(2000)/2.
    assert_true(fabs(interval.low - (999.5 - 43.8)) < 1.5);
    assert_true(fabs(interval.high - (999.5 + 43.8)) < 1.5);
}

static void fences_count_mild_and_severe_values(void **state)
{
    (void)state;
    // Quartiles 3 and 9: mild beyond -6 and 18, severe beyond -15 and 27.
    const double values[] = {1, 2, 3, 4, 6, 8, 9, 20, 30};
    const TukeyCount tukey = stat_tukey(values, 9);
    check_near(tukey.mild_fence.low, -6);
    check_near(tukey.mild_fence.high, 18);
    check_near(tukey.severe_fence.high, 27);
    assert_int_equal(tukey.mild, 2);
    assert_int_equal(tukey.severe, 1);
    const double equal[] = {5, 5, 5, 5};
    assert_int_equal(stat_tukey(equal, 4).mild, 0);
    assert_int_equal(stat_tukey(equal, 0).mild, 0);
}

static void means_of_known_values(void **state)
{
    (void)state;
    const double values[] = {1, 4, 16};
    check_near(stat_mean(values, 3), 7);
    check_near(stat_geometric_mean(values, 3), 4);
    const double zero[] = {0, 4};
    assert_true(isnan(stat_geometric_mean(zero, 2)));
    // 3 * 0.1 / 3 is not 0.1 in doubles.
    const double equal[] = {0.1, 0.1, 0.1};
    assert_true(stat_mean(equal, 3) == 0.1);
    assert_true(stat_deviation(equal, 3) == 0);
}

static void values_that_are_not_finite_give_nan(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        const double values[] = {1, 2, bad[i], 4, 5, 6, 7};
        assert_true(isnan(stat_mean(values, 7)));
        assert_true(isnan(stat_deviation(values, 7)));
        assert_true(isnan(stat_geometric_mean(values, 7)));
        assert_true(isnan(stat_median(values, 7)));
        assert_true(isnan(stat_mad(values, 7)));
        assert_true(isnan(stat_median_interval(values, 7, 0.95).low));
        assert_true(isnan(stat_tukey(values, 7).mild_fence.low));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_interpolate_between_order_statistics),
        cmocka_unit_test(ties_count_as_often_as_they_occur),
        cmocka_unit_test(spread_of_known_values),
        cmocka_unit_test(too_few_values_give_nan),
        cmocka_unit_test(interval_covers_at_least_what_is_asked),
        cmocka_unit_test(interval_of_many_values_does_not_underflow),
        cmocka_unit_test(fences_count_mild_and_severe_values),
        cmocka_unit_test(means_of_known_values),
        cmocka_unit_test(values_that_are_not_finite_give_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
