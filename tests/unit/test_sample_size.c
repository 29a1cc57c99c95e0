// SPDX-License-Identifier: Apache-2.0
// test_sample_size.c - how many samples a comparison takes.
#include "against/sample_size.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const SampleSizeGoal goal = {.effect = 0.05,
                                    .least_effect = 0.02,
                                    .probability = 0.95,
                                    .alpha = 0.01,
                                    .most = 200,
                                    .seed = 1};

static void variation_is_the_upper_end_of_its_confidence(void **state)
{
    (void)state;
    // Both sides: mean of logarithms apart, each with squares 4 * 0.01^2; 8 degrees of freedom, of
    // which chi squared's 0.2 quantile is 4.5936 (R: qchisq(0.2, 8)).
    double base[5];
    double latest[5];
    static const double steps[] = {-1, -1, 0, 1, 1};
    for (size_t i = 0; i < 5; i++) {
        base[i] = exp(3 + 0.01 * steps[i]);
        latest[i] = exp(5 + 0.01 * steps[i]);
    }
    const double expected = sqrt(expm1(8 * 0.01 * 0.01 / 4.5936));
    assert_true(fabs(sample_size_variation(base, 5, latest, 5) / expected - 1) < 0.005);
    assert_true(isnan(sample_size_variation(base, 1, latest, 5)));
    assert_true(isnan(sample_size_variation(base, 5, latest, 0)));
}

static void noise_and_cells_ask_for_more(void **state)
{
    (void)state;
    const SampleSize quiet = sample_size_choose(&goal, 0.002, 1);
    const SampleSize noisy = sample_size_choose(&goal, 0.02, 1);
    const SampleSize many = sample_size_choose(&goal, 0.02, 100);
    assert_int_equal(quiet.samples, SAMPLE_SIZE_LEAST);
    assert_true(noisy.samples > quiet.samples);
    assert_true(many.samples > noisy.samples);
    assert_true(noisy.visible_effect <= goal.effect);
    assert_true(many.visible_effect <= goal.effect);
}

static void bound_is_kept_and_costs_sight(void **state)
{
    (void)state;
    SampleSizeGoal bounded = goal;
    bounded.most = 12;
    const SampleSize size = sample_size_choose(&bounded, 0.05, 4);
    assert_int_equal(size.samples, 12);
    assert_true(size.visible_effect > goal.effect);
}

static void unknown_variation_takes_the_least(void **state)
{
    (void)state;
    assert_int_equal(sample_size_choose(&goal, NAN, 3).samples, SAMPLE_SIZE_LEAST);
    assert_int_equal(sample_size_choose(&goal, 0, 3).samples, SAMPLE_SIZE_LEAST);
    assert_true(isnan(sample_size_choose(&goal, NAN, 3).visible_effect));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variation_is_the_upper_end_of_its_confidence),
        cmocka_unit_test(noise_and_cells_ask_for_more),
        cmocka_unit_test(bound_is_kept_and_costs_sight),
        cmocka_unit_test(unknown_variation_takes_the_least),
    };
    return cmocka_run_group_tests_name("sample_size", tests, NULL, NULL);
}
