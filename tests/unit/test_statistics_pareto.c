// SPDX-License-Identifier: Apache-2.0
// test_statistics_pareto.c - areas under fronts of memory and time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/splitmix.h"
#include "stats/pareto.h"

#include <math.h>
#include <stdbool.h>

static void check_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want))))
        fail_msg("got %.17g, want %.17g", got, want);
}

static const ParetoPoint corner = {10, 10};

static void area_of_known_fronts(void **state)
{
    (void)state;
    const ParetoPoint points[] = {{6, 2}, {2, 6}, {7, 7}, {2, 8}, {11, 1}, {1, 10}};
    check_near(stat_hypervolume(points, 1, corner), 4 * 8);
    check_near(stat_hypervolume(points, 2, corner), 4 * 8 + 4 * 4);
    check_near(stat_hypervolume(points, 6, corner), 4 * 8 + 4 * 4); // dominated, or outside
    check_near(stat_hypervolume(points, 0, corner), 0);
    check_near(stat_hypervolume(points + 4, 2, corner), 0);
}

static void area_is_that_of_the_covered_squares(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t trial = 0; trial < 100; trial++) {
        ParetoPoint points[8];
        const size_t count = splitmix_below(&seed, 9);
        for (size_t i = 0; i < count; i++)
            points[i] =
                (ParetoPoint){(double)splitmix_below(&seed, 13), (double)splitmix_below(&seed, 13)};
        int squares = 0;
        for (int x = 0; x < 10; x++)
            for (int y = 0; y < 10; y++) {
                bool covered = false;
                for (size_t i = 0; i < count; i++)
                    covered |= points[i].x <= x && points[i].y <= y;
                squares += covered;
            }
        check_near(stat_hypervolume(points, count, corner), squares);
    }
}

static void what_is_lost_is_not_paid_by_what_is_gained(void **state)
{
    (void)state;
    const ParetoPoint base[] = {{2, 6}, {6, 2}};
    const ParetoPoint latest[] = {{2, 7}, {6, 1}};
    const ParetoChange change = stat_pareto_change(base, 2, latest, 2, corner);
    check_near(change.lost, 4.0 / 48);
    check_near(change.gained, 4.0 / 48);
    const ParetoChange none = stat_pareto_change(base, 2, base, 2, corner);
    check_near(none.lost, 0);
    check_near(none.gained, 0);
    check_near(stat_pareto_change(base, 2, latest, 0, corner).lost, 1);
}

static void unusable_points_give_nan(void **state)
{
    (void)state;
    const ParetoPoint bad[] = {{1, NAN}, {INFINITY, 1}};
    const ParetoPoint good = {1, 1};
    assert_true(isnan(stat_hypervolume(bad, 1, corner)));
    assert_true(isnan(stat_hypervolume(bad + 1, 1, corner)));
    assert_true(isnan(stat_hypervolume(&good, 1, bad[0])));
    assert_true(isnan(stat_pareto_change(&good, 1, bad, 1, corner).lost));
    assert_true(isnan(stat_pareto_change(&good, 0, &good, 1, corner).lost));
}

static void front_is_what_no_point_beats(void **state)
{
    (void)state;
    const ParetoPoint points[] = {{1, 5}, {2, 5}, {2, 3}, {2, 3}, {4, 4}, {5, 1}, {NAN, 0}};
    static const bool expected[] = {true, false, true, true, false, true, false};
    bool on_front[7];
    stat_pareto_front(points, 7, on_front);
    for (size_t i = 0; i < 7; i++)
        assert_true(on_front[i] == expected[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(front_is_what_no_point_beats),
        cmocka_unit_test(area_of_known_fronts),
        cmocka_unit_test(area_is_that_of_the_covered_squares),
        cmocka_unit_test(what_is_lost_is_not_paid_by_what_is_gained),
        cmocka_unit_test(unusable_points_give_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
