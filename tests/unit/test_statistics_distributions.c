// SPDX-License-Identifier: Apache-2.0
// test_statistics_distributions.c - distributions, their inverses and the intervals made from them,
// against closed forms and defining sums.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/distributions.h"
#include "stats/intervals.h"

#include <math.h>

static void check_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-10 * fabs(want)))
        fail_msg("got %.17g, want %.17g", got, want);
}

static void normal_distribution_and_quantile(void **state)
{
    (void)state;
    check_near(stat_normal_cdf(0), 0.5);
    check_near(stat_normal_cdf(-1.959963984540054), 0.025);
    check_near(stat_normal_quantile(0.975), 1.959963984540054);
    check_near(stat_normal_quantile(0.5), 0);
    for (int power = -250; power < 0; power++)
        check_near(stat_normal_cdf(stat_normal_quantile(pow(10, power))), pow(10, power));
    assert_true(isinf(stat_normal_quantile(0)) && isinf(stat_normal_quantile(1)));
    assert_true(isnan(stat_normal_quantile(-0.1)) && isnan(stat_normal_quantile(NAN)));
}

static void t_distribution_has_its_closed_forms(void **state)
{
    (void)state;
    const double pi = acos(-1);
    for (int power = -12; power <= 18; power++) {
        const double t = pow(3, power);
        check_near(stat_t_cdf(-t, 1), atan2(1, t) / pi); // Cauchy
        const double root = sqrt(2 + t * t);
        check_near(stat_t_cdf(-t, 2), 1 / (root * (root + t))); // 1/2 - t / (2 root)
        check_near(stat_t_cdf(t, 1), 1 - atan2(1, t) / pi);
    }
    check_near(stat_t_cdf(0, 7.5), 0.5);
    check_near(stat_t_cdf(-3, INFINITY), stat_normal_cdf(-3));
    // With n degrees of freedom the density differs by a factor of about 1 + (t^4 - 2 t^2 - 1) /
    // 4n.
    assert_true(fabs(stat_t_cdf(-3, 1e9) / stat_normal_cdf(-3) - 1) < 1e-7);
    assert_true(stat_t_cdf(INFINITY, 3) == 1 && stat_t_cdf(-INFINITY, 3) == 0);
    assert_true(isnan(stat_t_cdf(1, 0)) && isnan(stat_t_cdf(NAN, 1)));
}

static void t_quantile_inverts_the_distribution(void **state)
{
    (void)state;
    check_near(stat_t_quantile(0.975, 1), 12.706204736432095);
    check_near(stat_t_quantile(0.975, 4), 2.7764451051977987);
    check_near(stat_t_quantile(0.5, 4), 0);
    static const double freedoms[] = {0.7, 1, 2.5, 9, 100, 12345.6};
    for (size_t i = 0; i < sizeof freedoms / sizeof *freedoms; i++)
        for (int power = -40; power < 0; power++) {
            const double p = pow(2, power);
            check_near(stat_t_cdf(stat_t_quantile(p, freedoms[i]), freedoms[i]), p);
        }
    assert_true(isnan(stat_t_quantile(0.5, -1)));
}

static void f_distribution_agrees_with_t(void **state)
{
    (void)state;
    for (int tenths = 1; tenths < 200; tenths += 7) {
        const double t = tenths / 10.0;
        check_near(stat_f_cdf(t * t, 1, 6), 1 - 2 * stat_t_cdf(-t, 6));
        check_near(stat_f_cdf(t, 2, 2), t / (1 + t));
    }
    assert_true(stat_f_cdf(0, 3, 4) == 0 && stat_f_cdf(INFINITY, 3, 4) == 1);
    assert_true(isnan(stat_f_cdf(1, 0, 4)));
}

// P(first <= X <= last) of a binomial distribution, term by term.
static double sum_binomial(int first, int last, int n, double p)
{
    double sum = 0;
    for (int i = first; i <= last; i++)
        sum += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) +
                   (n - i) * log1p(-p));
    return sum;
}

static void beta_distribution_has_its_closed_forms(void **state)
{
    (void)state;
    for (int percent = 1; percent < 90; percent += 9) {
        const double x = percent / 100.0;
        check_near(stat_beta_cdf(x, 1, 3), 1 - pow(1 - x, 3));
        check_near(stat_beta_cdf(x, 2.5, 1), pow(x, 2.5));
        check_near(stat_beta_cdf(x, 3, 4), 1 - stat_beta_cdf(1 - x, 4, 3));
        check_near(stat_beta_quantile(stat_beta_cdf(x, 3, 4), 3, 4), x);
    }
    check_near(stat_beta_cdf(0.3, 251, 750), sum_binomial(251, 1000, 1000, 0.3));
    check_near(stat_beta_cdf(0.2, 251, 750), sum_binomial(251, 1000, 1000, 0.2));
    assert_true(isnan(stat_beta_cdf(0.5, 0, 1)) && isnan(stat_beta_quantile(2, 1, 1)));
}

static void proportion_interval_has_its_tails(void **state)
{
    (void)state;
    const Interval none = stat_proportion_interval(0, 200, 0.95);
    assert_true(none.low == 0);
    check_near(none.high, 1 - pow(0.025, 1.0 / 200));
    const Interval all = stat_proportion_interval(10, 10, 0.95);
    check_near(all.low, pow(0.025, 1.0 / 10));
    assert_true(all.high == 1);
    const Interval some = stat_proportion_interval(4, 200, 0.95);
    check_near(sum_binomial(0, 4, 200, some.high), 0.025);
    check_near(sum_binomial(4, 200, 200, some.low), 0.025);
}

static void mean_intervals_of_known_values(void **state)
{
    (void)state;
    const double values[] = {4, 5};
    const Interval mean = stat_mean_interval(values, 2, 0.95);
    check_near(mean.high - mean.low, 12.706204736432095); // t * sqrt(1/2) / sqrt(2), twice
    check_near((mean.high + mean.low) / 2, 4.5);
    const double powers[] = {exp(4), exp(5)};
    const Interval geometric = stat_geometric_interval(powers, 2, 0.95);
    check_near(geometric.low, exp(mean.low));
    check_near(geometric.high, exp(mean.high));
    assert_true(isnan(stat_mean_interval(values, 1, 0.95).low));
    assert_true(isnan(stat_geometric_interval(values, 1, 0.95).low));
    const double zero[] = {0, 1, 2};
    assert_true(isnan(stat_geometric_interval(zero, 3, 0.95).high));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_distribution_and_quantile),
        cmocka_unit_test(t_distribution_has_its_closed_forms),
        cmocka_unit_test(t_quantile_inverts_the_distribution),
        cmocka_unit_test(f_distribution_agrees_with_t),
        cmocka_unit_test(beta_distribution_has_its_closed_forms),
        cmocka_unit_test(proportion_interval_has_its_tails),
        cmocka_unit_test(mean_intervals_of_known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
