// SPDX-License-Identifier: Apache-2.0
// test_statistics_two_samples.c - tests and effects of two samples, against enumeration.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/splitmix.h"
#include "stats/mann_whitney.h"
#include "stats/multiple_tests.h"
#include "stats/shift.h"
#include "stats/t_test.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 12, MANY = 10000 };

static void check_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12 * fmax(1e-3, fabs(want))))
        fail_msg("got %.17g, want %.17g", got, want);
}

// Few different values: many ties.
static void fill(double *values, size_t count, size_t different, uint64_t *seed)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (double)splitmix_below(seed, different);
}

static double count_u(const double *x, size_t x_count, const double *y, size_t y_count)
{
    double u = 0;
    for (size_t i = 0; i < x_count; i++)
        for (size_t j = 0; j < y_count; j++)
            u += x[i] > y[j] ? 1 : x[i] == y[j] ? 0.5 : 0;
    return u;
}

// Every way to choose x_count of the pooled values, by bit masks.
static double enumerate_p(const double *pooled, size_t x_count, size_t y_count)
{
    const double mean = (double)(x_count * y_count) / 2;
    const double observed = fabs(count_u(pooled, x_count, pooled + x_count, y_count) - mean);
    double all = 0;
    double extreme = 0;
    for (unsigned mask = 0; mask < 1u << (x_count + y_count); mask++) {
        double x[MOST];
        double y[MOST];
        size_t xs = 0;
        size_t ys = 0;
        for (size_t i = 0; i < x_count + y_count; i++)
            *(mask >> i & 1 ? &x[xs++] : &y[ys++]) = pooled[i];
        if (xs != x_count)
            continue;
        all++;
        extreme += fabs(count_u(x, xs, y, ys) - mean) >= observed;
    }
    return extreme / all;
}

static void exact_p_is_that_of_all_permutations(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t trial = 0; trial < 60; trial++) {
        double pooled[MOST];
        const size_t x_count = 1 + splitmix_below(&seed, 6);
        const size_t y_count = 1 + splitmix_below(&seed, MOST - x_count);
        fill(pooled, x_count + y_count, 2 + trial % 20, &seed);
        const MannWhitney test =
            stat_mann_whitney(pooled, x_count, pooled + x_count, y_count, MANN_WHITNEY_EXACT);
        assert_true(test.exact);
        check_near(test.u, count_u(pooled, x_count, pooled + x_count, y_count));
        check_near(test.p_value, enumerate_p(pooled, x_count, y_count));
    }
}

static void equal_values_are_no_evidence(void **state)
{
    (void)state;
    const double equal[] = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
    for (MannWhitneyMethod method = MANN_WHITNEY_AUTO; method <= MANN_WHITNEY_SCIPY; method++) {
        const MannWhitney test = stat_mann_whitney(equal, 10, equal, 9, method);
        check_near(test.u, 45);
        if (method == MANN_WHITNEY_NORMAL_PLAIN)
            assert_true(isnan(test.p_value));
        else
            check_near(test.p_value, 1);
    }
    check_near(stat_mann_whitney(equal, 1, equal, 1, MANN_WHITNEY_AUTO).p_value, 1);
    const Shift shift = stat_shift(equal, 10, equal, 10, 0.95);
    assert_true(shift.estimate == 0 && shift.interval.low == 0 && shift.interval.high == 0);
    assert_true(!signbit(shift.estimate));
    assert_true(stat_cliffs_delta(equal, 10, equal, 10) == 0);
}

static void unusable_samples_give_nan(void **state)
{
    (void)state;
    const double good[] = {1, 2, 3, 4};
    const double bad[] = {1, NAN, 3, 4};
    const double infinite[] = {1, INFINITY, 3, 4};
    const struct {
        const double *x;
        size_t x_count;
        const double *y;
        size_t y_count;
    } cases[] = {{good, 0, good, 4}, {good, 4, good, 0},     {good, 4, bad, 4},
                 {bad, 4, good, 4},  {infinite, 4, good, 4}, {good, 0, good, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double *x = cases[i].x;
        const double *y = cases[i].y;
        const size_t x_count = cases[i].x_count;
        const size_t y_count = cases[i].y_count;
        const MannWhitney test = stat_mann_whitney(x, x_count, y, y_count, MANN_WHITNEY_AUTO);
        assert_true(isnan(test.u) && isnan(test.p_value));
        assert_true(isnan(stat_shift(x, x_count, y, y_count, 0.95).estimate));
        assert_true(isnan(stat_ratio(x, x_count, y, y_count, 0.95).estimate));
        assert_true(isnan(stat_cliffs_delta(x, x_count, y, y_count)));
        assert_true(isnan(stat_welch(x, x_count, y, y_count).p_value));
        assert_true(isnan(stat_student(x, x_count, y, y_count).p_value));
    }
    const double zero[] = {1, 0, 3, 4};
    assert_true(isnan(stat_ratio(good, 4, zero, 4, 0.95).estimate));
}

static void method_follows_the_sizes(void **state)
{
    (void)state;
    static double x[200];
    static double y[200];
    for (size_t i = 0; i < 200; i++) {
        x[i] = (double)(2 * i);
        y[i] = (double)(2 * i) + 25;
    }
    assert_true(stat_mann_whitney(x, 50, y, 50, MANN_WHITNEY_AUTO).exact);
    assert_false(stat_mann_whitney(x, 51, y, 50, MANN_WHITNEY_AUTO).exact);
    assert_true(stat_mann_whitney(x, 100, y, 100, MANN_WHITNEY_EXACT).exact);
    assert_false(stat_mann_whitney(x, 101, y, 100, MANN_WHITNEY_EXACT).exact);
    assert_true(stat_mann_whitney(x, 8, y, 200, MANN_WHITNEY_SCIPY).exact);
    assert_false(stat_mann_whitney(x, 9, y, 9, MANN_WHITNEY_SCIPY).exact);
    y[0] = x[0];
    assert_false(stat_mann_whitney(x, 8, y, 8, MANN_WHITNEY_SCIPY).exact);
    const double exact = stat_mann_whitney(x, 60, y, 60, MANN_WHITNEY_EXACT).p_value;
    const double normal = stat_mann_whitney(x, 60, y, 60, MANN_WHITNEY_NORMAL).p_value;
    if (normal < exact || normal > 1.25 * exact) // conservative in the tails
        fail_msg("exact %g, normal %g", exact, normal);
}

static size_t find_critical(size_t x_count, size_t y_count, double alpha)
{
    size_t critical;
    assert_true(stat_mann_whitney_critical(x_count, y_count, alpha, &critical));
    return critical;
}

static void critical_value_is_where_the_test_rejects(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 12; n++) {
        const double alpha = 0.05;
        const size_t critical = find_critical(n, n + 2, alpha);
        // x against y without ties: U of x is any whole number.
        for (size_t u = 0; u <= n * (n + 2) / 2; u++) {
            double x[MOST];
            double y[MOST + 2];
            for (size_t j = 0; j < n + 2; j++)
                y[j] = (double)j;
            size_t rest = u;
            for (size_t i = 0; i < n; i++) {
                const size_t above = rest < n + 2 ? rest : n + 2; // of the y below this x
                x[i] = (double)above - 0.5 - (double)(n - i) * 1e-3;
                rest -= above;
            }
            const MannWhitney test = stat_mann_whitney(x, n, y, n + 2, MANN_WHITNEY_AUTO);
            check_near(test.u, (double)u);
            assert_true((test.p_value <= alpha) == (u < critical));
        }
    }
    assert_int_equal(find_critical(3, 3, 0.09), 0); // 2 / 20 is the least p
    assert_int_equal(find_critical(3, 3, 0.11), 1);
}

static int compare_numbers(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void shift_is_the_median_of_all_differences(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (size_t trial = 0; trial < 200; trial++) {
        double x[MOST];
        double y[MOST];
        double differences[MOST * MOST];
        const size_t x_count = 1 + splitmix_below(&seed, MOST);
        const size_t y_count = 1 + splitmix_below(&seed, MOST);
        const size_t pairs = x_count * y_count;
        fill(x, x_count, 3 + trial, &seed);
        fill(y, y_count, 3 + trial, &seed);
        for (size_t i = 0; i < pairs; i++)
            differences[i] = y[i % y_count] - x[i / y_count];
        qsort(differences, pairs, sizeof *differences, compare_numbers);
        const Shift shift = stat_shift(x, x_count, y, y_count, 0.9);
        check_near(shift.estimate, (differences[pairs / 2] + differences[(pairs - 1) / 2]) / 2);
        const size_t critical = find_critical(x_count, y_count, 0.1);
        if (critical == 0) {
            assert_true(isnan(shift.interval.low) && isnan(shift.interval.high));
            continue;
        }
        check_near(shift.interval.low, differences[critical - 1]);
        check_near(shift.interval.high, differences[pairs - critical]);
    }
}

static void shift_interval_covers_the_shift(void **state)
{
    (void)state;
    uint64_t seed = 3;
    size_t covered = 0;
    for (size_t trial = 0; trial < 2000; trial++) {
        double x[MOST];
        double y[MOST];
        for (size_t i = 0; i < 10; i++) {
            x[i] = -log(splitmix_unit(&seed)); // skewed
            y[i] = 2 - log(splitmix_unit(&seed));
        }
        const Interval interval = stat_shift(x, 10, y, 10, 0.95).interval;
        covered += interval.low <= 2 && 2 <= interval.high;
    }
    // 95.67 % for 10 a side; three standard errors.
    assert_true(covered > 1913 - 28 && covered < 1913 + 28);
}

static void ratio_is_free_of_the_unit(void **state)
{
    (void)state;
    const double base[] = {100, 101, 102, 103, 104, 105};
    double latest[6];
    for (size_t i = 0; i < 6; i++)
        latest[i] = base[i] * 1.05;
    const Shift ratio = stat_ratio(base, 6, latest, 6, 0.95);
    check_near(ratio.estimate, 1.05);
    assert_true(ratio.interval.low > 1 && ratio.interval.low < 1.05);
    assert_true(ratio.interval.high > 1.05 && ratio.interval.high < 1.1);
}

static void delta_counts_pairs(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3};
    const double y[] = {2, 4};
    check_near(stat_cliffs_delta(x, 3, y, 2), (4.0 - 1.0) / 6); // one tie
    check_near(stat_cliffs_delta(y, 2, x, 3), -(4.0 - 1.0) / 6);
}

static void t_tests_of_known_samples(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3};
    const double y[] = {2, 4, 6};
    // Means 2 and 4, variances 1 and 4: t = -2 / sqrt(5/3), freedom = (5/3)^2 / (1/18 + 16/18).
    const TTest welch = stat_welch(x, 3, y, 3);
    check_near(welch.t, -2 / sqrt(5.0 / 3));
    check_near(welch.freedom, 25.0 / 9 / (17.0 / 18));
    const TTest student = stat_student(x, 3, y, 3);
    check_near(student.t, -2 / sqrt(5.0 / 3));
    check_near(student.freedom, 4);
    const double equal[] = {0.1, 0.1, 0.1};
    const double other[] = {0.3, 0.3, 0.3};
    assert_true(isinf(stat_welch(equal, 3, other, 3).t));
    assert_true(stat_welch(equal, 3, other, 3).p_value == 0);
    assert_true(isnan(stat_welch(equal, 3, equal, 3).p_value));
    assert_true(isnan(stat_welch(x, 3, y, 1).p_value));
}

static void corrections_leave_unknown_values_out(void **state)
{
    (void)state;
    const double p_values[] = {0.02, NAN, 0.01, 0.9, NAN, 0.5};
    const double holm[] = {0.06, NAN, 0.04, 1, NAN, 1};
    const double hochberg[] = {0.04, NAN, 0.04, 0.9, NAN, 2.0 / 3};
    double adjusted[6];
    assert_true(stat_holm(p_values, 6, adjusted));
    for (size_t i = 0; i < 6; i++)
        isnan(holm[i]) ? assert_true(isnan(adjusted[i])) : check_near(adjusted[i], holm[i]);
    assert_true(stat_benjamini_hochberg(p_values, 6, adjusted));
    for (size_t i = 0; i < 6; i++)
        isnan(hochberg[i]) ? assert_true(isnan(adjusted[i])) : check_near(adjusted[i], hochberg[i]);
    assert_true(stat_holm(p_values, 0, adjusted));
    assert_true(stat_benjamini_hochberg(p_values, 0, adjusted));
}

// 10,000 a side have 10^8 differences: neither their time nor their memory may be spent. They take
// some milliseconds; the limit allows for sanitizers and neighbours.
static void large_samples_are_fast(void **state)
{
    (void)state;
    static double x[MANY];
    static double y[MANY];
    uint64_t seed = 4;
    for (size_t i = 0; i < MANY; i++) {
        x[i] = 100 + splitmix_unit(&seed);
        y[i] = 100.25 + splitmix_unit(&seed);
    }
    const clock_t begin = clock();
    const MannWhitney test = stat_mann_whitney(x, MANY, y, MANY, MANN_WHITNEY_AUTO);
    const Shift shift = stat_shift(x, MANY, y, MANY, 0.99);
    const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    assert_true(test.p_value < 1e-100);
    assert_true(fabs(shift.estimate - 0.25) < 0.02);
    assert_true(shift.interval.low < shift.estimate && shift.estimate < shift.interval.high);
    if (seconds > 1)
        fail_msg("took %g s", seconds);
    print_message("10,000 a side: %.1f ms\n", seconds * 1e3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_p_is_that_of_all_permutations),
        cmocka_unit_test(equal_values_are_no_evidence),
        cmocka_unit_test(unusable_samples_give_nan),
        cmocka_unit_test(method_follows_the_sizes),
        cmocka_unit_test(critical_value_is_where_the_test_rejects),
        cmocka_unit_test(shift_is_the_median_of_all_differences),
        cmocka_unit_test(shift_interval_covers_the_shift),
        cmocka_unit_test(ratio_is_free_of_the_unit),
        cmocka_unit_test(delta_counts_pairs),
        cmocka_unit_test(t_tests_of_known_samples),
        cmocka_unit_test(corrections_leave_unknown_values_out),
        cmocka_unit_test(large_samples_are_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
