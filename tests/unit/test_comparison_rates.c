// SPDX-License-Identifier: Apache-2.0
// test_comparison_rates.c - how often the verdict is right, on seeded log-normal noise: alarms
// where nothing changed, slowdowns that are found, and the effect that it says it could have seen.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/splitmix.h"
#include "compare/comparison.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 20, SAMPLES = 20, COMPARISONS = 100, AA_COMPARISONS = 200 };

static double draw(uint64_t *state, double variation)
{
    const double radius = sqrt(-2 * log(splitmix_unit(state)));
    const double normal = radius * cos(6.283185307179586477 * splitmix_unit(state));
    return 1e6 * exp(normal * sqrt(log1p(variation * variation)));
}

// Cell 0 takes 1 + effect times as long.
static MeasuredSide *make_side(uint64_t *state, double variation, double effect)
{
    MeasuredSide *side = measured_side_create(SIDE_RUN, "noise", CELLS, 1);
    assert_non_null(side);
    for (size_t i = 0; i < CELLS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "cell/%zu", i);
        side->cells[i].id = strdup(id);
        side->cells[i].group = strdup("sweep");
        double *times = measured_series_add(side, &side->cells[i], COMPARED_TIME, 0, SAMPLES);
        assert_non_null(times);
        for (size_t j = 0; j < SAMPLES; j++)
            times[j] = draw(state, variation) * (i == 0 ? 1 + effect : 1);
    }
    assert_true(measured_side_index(side));
    return side;
}

typedef struct Rates {
    size_t alarms;  // comparisons in which a cell without a change was called
    size_t found;   // in which cell 0 was called slower
    size_t settled; // exit code 0
    double visible; // of cell 0, mean
} Rates;

static Rates run(size_t comparisons, double variation, double effect, uint64_t seed)
{
    const ComparisonOptions options = {.least_time_effect = NAN};
    Rates rates = {0};
    for (size_t i = 0; i < comparisons; i++) {
        MeasuredSide *base = make_side(&seed, variation, 0);
        MeasuredSide *latest = make_side(&seed, variation, effect);
        Comparison *comparison = comparison_make(base, latest, &options);
        assert_non_null(comparison);
        bool alarm = false;
        for (size_t j = effect > 0; j < CELLS; j++)
            alarm = alarm || comparison->rows[j].verdict == VERDICT_SLOWER ||
                    comparison->rows[j].verdict == VERDICT_FASTER;
        rates.alarms += alarm;
        rates.found += comparison->rows[0].verdict == VERDICT_SLOWER;
        rates.settled += comparison_exit_code(comparison) == 0;
        rates.visible += comparison->rows[0].visible / (double)comparisons;
        comparison_free(comparison);
        measured_side_free(latest);
        measured_side_free(base);
    }
    return rates;
}

static void noise_alone_alarms_in_at_most_2_percent_of_comparisons(void **state)
{
    (void)state;
    const Rates rates = run(AA_COMPARISONS, 0.03, 0, 7);
    print_message("A/A at CV 3 %%: %zu alarms in %d comparisons, %zu settled\n", rates.alarms,
                  AA_COMPARISONS, rates.settled);
    assert_true(rates.alarms <= AA_COMPARISONS / 50);
    // A gate that says "inconclusive" all the time is of no use either.
    assert_true(rates.settled >= AA_COMPARISONS * 8 / 10);
}

static void a_slowdown_of_5_percent_is_found_at_a_variation_of_2_percent(void **state)
{
    (void)state;
    const Rates rates = run(COMPARISONS, 0.02, 0.05, 11);
    print_message("5 %% slower at CV 2 %%: found in %zu of %d\n", rates.found, COMPARISONS);
    assert_true(rates.found >= 95);
    assert_true(rates.alarms <= 2);
}

static void the_visible_effect_is_seen_4_of_5_times(void **state)
{
    (void)state;
    const double visible = run(10, 0.03, 0, 13).visible;
    const Rates rates = run(COMPARISONS, 0.03, visible, 17);
    print_message("%.2f %% slower at CV 3 %%: found in %zu of %d\n", visible * 100, rates.found,
                  COMPARISONS);
    // Three standard errors of 0.8 in 100 trials: 12.
    assert_in_range(rates.found, 68, 92);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_alone_alarms_in_at_most_2_percent_of_comparisons),
        cmocka_unit_test(a_slowdown_of_5_percent_is_found_at_a_variation_of_2_percent),
        cmocka_unit_test(the_visible_effect_is_seen_4_of_5_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
