// SPDX-License-Identifier: Apache-2.0
// test_statistics_power.c - the smallest visible effect, tried out; when to stop measuring.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/splitmix.h"
#include "stats/mann_whitney.h"
#include "stats/power.h"
#include "stats/shift.h"
#include "stats/stability.h"

#include <math.h>

enum { MOST = 64 };

static double draw_normal(uint64_t *seed)
{
    const double radius = sqrt(-2 * log(splitmix_unit(seed)));
    return radius * cos(6.283185307179586477 * splitmix_unit(seed));
}

typedef struct PowerCase {
    size_t base_count, new_count;
    double variation, alpha, least_effect;
} PowerCase;

// How often that effect is seen, with normal noise instead of the model's and the real test.
static double try_effect(const PowerCase *asked, double effect, size_t trials)
{
    uint64_t seed = 12345;
    size_t seen = 0;
    for (size_t trial = 0; trial < trials; trial++) {
        double base[MOST];
        double latest[MOST];
        for (size_t i = 0; i < asked->base_count; i++)
            base[i] = 1000 * (1 + asked->variation * draw_normal(&seed));
        for (size_t i = 0; i < asked->new_count; i++)
            latest[i] = 1000 * (1 + effect) * (1 + asked->variation * draw_normal(&seed));
        const double p_value =
            stat_mann_whitney(base, asked->base_count, latest, asked->new_count, MANN_WHITNEY_AUTO)
                .p_value;
        const double ratio =
            stat_ratio(base, asked->base_count, latest, asked->new_count, 0.95).estimate;
        seen += p_value <= asked->alpha && ratio >= 1 + asked->least_effect;
    }
    return (double)seen / (double)trials;
}

static void check_share(double got, double want)
{
    if (fabs(got - want) > 0.03) // 2000 trials here, 2000 there: 1.3 % at 0.8
        fail_msg("seen in %g of the trials, promised %g", got, want);
}

static void visible_effect_is_seen_as_often_as_promised(void **state)
{
    (void)state;
    const PowerCase cases[] = {
        {20, 20, 0.02, 0.01, 0},     {10, 15, 0.01, 0.05, 0},    {24, 24, 0.02, 0.01 / 40, 0},
        {12, 12, 0.02, 0.001, 0.05}, {18, 18, 0.01, 0.01, 0.02},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const PowerCase *asked = &cases[i];
        PowerTrials trials;
        assert_true(
            stat_power_simulate(&trials, asked->base_count, asked->new_count, asked->alpha, i));
        const double likely =
            stat_visible_effect(&trials, asked->variation, asked->least_effect, 0.8);
        const double sure =
            stat_visible_effect(&trials, asked->variation, asked->least_effect, 0.95);
        assert_true(0 < likely && likely < sure);
        check_share(try_effect(asked, likely, 2000), 0.8);
        check_share(try_effect(asked, sure, 2000), 0.95);
        check_share(stat_power(&trials, asked->variation, asked->least_effect, sure), 0.95);
    }
}

static void too_few_samples_see_nothing(void **state)
{
    (void)state;
    PowerTrials trials; // the least p of 4 a side is 2 / 70
    assert_true(stat_power_simulate(&trials, 4, 4, 0.01, 1));
    assert_true(isinf(stat_visible_effect(&trials, 0.01, 0, 0.8)));
    assert_true(stat_power(&trials, 0.01, 0, 10) == 0);
}

static void needed_samples_are_the_fewest_that_do(void **state)
{
    (void)state;
    PowerGoal goal = {.effect = 0.05, .probability = 0.95, .least_effect = 0, .alpha = 0.01};
    const size_t needed = stat_samples_needed(&goal, 0.02, 1000, 1);
    assert_true(needed > 5 && needed < 20);
    PowerTrials trials;
    assert_true(stat_power_simulate(&trials, needed, needed, 0.01, 1));
    assert_true(stat_visible_effect(&trials, 0.02, 0, 0.95) <= 0.05);
    assert_true(stat_power_simulate(&trials, needed - 1, needed - 1, 0.01, 1));
    assert_true(stat_visible_effect(&trials, 0.02, 0, 0.95) > 0.05);
    assert_int_equal(stat_samples_needed(&goal, 0.02, 0, 1), 0);
    assert_int_equal(stat_samples_needed(&goal, 0.02, needed - 1, 1), 0);
    assert_int_equal(stat_samples_needed(&goal, 0.02, needed, 1), needed);
    goal.least_effect = 0.05;
    assert_int_equal(stat_samples_needed(&goal, 0.02, 100, 1), 0);
}

static void warm_up_is_dropped(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t trial = 0; trial < 50; trial++) {
        double times[MOST];
        for (size_t i = 0; i < MOST; i++)
            times[i] = 100 + draw_normal(&seed) + (i < 8 ? 40 : 0) + (i == 50 ? 1000 : 0);
        const WarmUp warm_up = stat_warm_up(times, MOST);
        assert_true(warm_up.stable);
        assert_true(warm_up.discard >= 8 && warm_up.discard < 32);
    }
}

static void a_drifting_series_is_not_stable(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (size_t trial = 0; trial < 50; trial++) {
        double times[MOST];
        for (size_t i = 0; i < MOST; i++)
            times[i] = 1000 - 5 * (double)i + draw_normal(&seed);
        assert_false(stat_warm_up(times, MOST).stable);
    }
    const double few[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    assert_false(stat_warm_up(few, 9).stable);
    const double unknown[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, NAN};
    assert_false(stat_warm_up(unknown, 10).stable);
}

static void a_steady_series_keeps_most_values(void **state)
{
    (void)state;
    const double equal[] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    assert_true(stat_warm_up(equal, 10).stable);
    assert_int_equal(stat_warm_up(equal, 10).discard, 0);
    uint64_t seed = 7;
    size_t stable = 0;
    size_t discarded = 0;
    for (size_t trial = 0; trial < 1000; trial++) {
        double times[MOST];
        for (size_t i = 0; i < MOST; i++)
            times[i] = 100 + draw_normal(&seed);
        const WarmUp warm_up = stat_warm_up(times, MOST);
        stable += warm_up.stable;
        discarded += warm_up.discard;
    }
    print_message("steady: %zu of 1000 stable, %.1f values dropped\n", stable,
                  (double)discarded / 1000);
    assert_true(stable > 850);
    assert_true(discarded < 1000 * MOST / 8);
}

static void precision_stops_when_the_interval_is_narrow(void **state)
{
    (void)state;
    const double times[] = {99, 100, 101, 98, 102, 100};
    const Precision wide = stat_precision(times, 6, 0.95, 0.01);
    assert_true(fabs(wide.half_width - 0.02) < 1e-12);
    assert_false(wide.reached);
    assert_int_equal(wide.needed, 24);
    assert_true(stat_precision(times, 6, 0.95, 0.02).reached);
    const Precision none = stat_precision(times, 5, 0.95, 0.02);
    assert_true(isnan(none.half_width) && !none.reached && none.needed == 0);
    const double zero[] = {0, 0, 0, 0, 0, 0};
    assert_false(stat_precision(zero, 6, 0.95, 0.02).reached);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visible_effect_is_seen_as_often_as_promised),
        cmocka_unit_test(too_few_samples_see_nothing),
        cmocka_unit_test(needed_samples_are_the_fewest_that_do),
        cmocka_unit_test(warm_up_is_dropped),
        cmocka_unit_test(a_drifting_series_is_not_stable),
        cmocka_unit_test(a_steady_series_keeps_most_values),
        cmocka_unit_test(precision_stops_when_the_interval_is_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
