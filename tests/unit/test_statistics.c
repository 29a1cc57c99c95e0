// SPDX-License-Identifier: Apache-2.0
// test_statistics.c - order statistics and intervals against small instances and scipy's answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/statistics.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

enum { MOST_VALUES = 64 };

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

static double number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("reference_stats.json: no number '%s'", key);
    return json_number_value(value);
}

static void check_reference(const json_t *reference)
{
    double values[MOST_VALUES];
    const json_t *list = json_object_get(reference, "x");
    const size_t count = json_array_size(list);
    assert_true(count <= MOST_VALUES);
    for (size_t i = 0; i < count; i++)
        values[i] = json_number_value(json_array_get(list, i));
    check_near(stat_median(values, count), number_at(reference, "median"));
    check_near(stat_mad(values, count), number_at(reference, "mad_raw"));
    check_near(stat_variation(values, count),
               number_at(reference, "sd_sample") / number_at(reference, "mean"));
    static const double parts[] = {0.05, 0.25, 0.75, 0.9, 0.95, 0.99};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "q%g_type7", parts[i]);
        check_near(stat_quantile(values, count, parts[i]), number_at(reference, key));
    }
    const Interval interval = stat_median_interval(values, count, 0.95);
    const json_t *wanted = json_object_get(reference, "median_ci95_order_stats");
    if (json_is_null(wanted)) {
        assert_true(isnan(interval.low) && isnan(interval.high));
        return;
    }
    check_near(interval.low, json_number_value(json_array_get(wanted, 0)));
    check_near(interval.high, json_number_value(json_array_get(wanted, 1)));
}

static void agrees_with_scipy(void **state)
{
    (void)state;
    json_error_t error;
    json_t *file =
        json_load_file(HYPERION_SOURCE_DIR "/../shared/data/stats/reference_stats.json", 0, &error);
    if (!file) {
        print_message("skipped: shared/data/stats/reference_stats.json: %s\n", error.text);
        skip();
    }
    const json_t *list = json_object_get(file, "one_sample");
    assert_true(json_array_size(list) > 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        check_reference(json_array_get(list, i));
    json_decref(file);
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
        cmocka_unit_test(agrees_with_scipy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
