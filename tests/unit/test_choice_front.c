// SPDX-License-Identifier: Apache-2.0
// test_choice_front.c - choices among options in time and bytes, against all there are.
#include "memory/choice_front.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 6, OPTIONS = 4 };

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void make_items(uint32_t *seed, HypChoiceItem *items)
{
    for (int i = 0; i < ITEMS; i++) {
        items[i].option_count = 1 + (int)(next_random(seed) % OPTIONS);
        for (int j = 0; j < items[i].option_count; j++)
            items[i].options[j] =
                (HypChoiceOption){.kept_bytes = (size_t)64 * (next_random(seed) % 8),
                                  .scratch_bytes = (size_t)64 * (next_random(seed) % 8),
                                  .time_ns = 1 + next_random(seed) % 1000,
                                  .id = j};
    }
}

static HypFrontPoint measure(const HypChoiceItem *items, const int *chosen)
{
    HypFrontPoint point = {.bytes = 0};
    size_t scratch_bytes = 0;
    for (int i = 0; i < ITEMS; i++) {
        const HypChoiceOption *option = &items[i].options[chosen[i]];
        point.bytes += option->kept_bytes;
        point.time_ns += option->time_ns;
        scratch_bytes =
            option->scratch_bytes > scratch_bytes ? option->scratch_bytes : scratch_bytes;
    }
    point.bytes += scratch_bytes;
    return point;
}

// Least time of any choice within so many bytes; -1: none.
static double find_least_time(const HypChoiceItem *items, size_t bytes)
{
    int chosen[ITEMS] = {0};
    double least = -1;
    for (int turn = 0; turn < 4096; turn++) {
        int rest = turn;
        bool exists = true;
        for (int i = 0; i < ITEMS; i++, rest /= OPTIONS) {
            chosen[i] = rest % OPTIONS;
            exists &= chosen[i] < items[i].option_count;
        }
        if (!exists)
            continue;
        const HypFrontPoint point = measure(items, chosen);
        if (point.bytes <= bytes && (least < 0 || point.time_ns < least))
            least = point.time_ns;
    }
    return least;
}

static void each_limit_has_the_fastest_choice_of_all(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int turn = 0; turn < 40; turn++) {
        HypChoiceItem items[ITEMS];
        HypChoiceFront front;
        make_items(&seed, items);
        assert_true(hyp_choice_front_create(&front, items, ITEMS));
        for (size_t bytes = 0; bytes < (size_t)64 * 8 * (ITEMS + 1); bytes += 192) {
            const int found = hyp_choice_front_within(&front, bytes);
            const double time_ns = found < 0 ? -1 : front.points[found].time_ns;
            // Times are whole numbers: more than rounding would be a slower choice.
            const double least = find_least_time(items, bytes);
            assert_true(time_ns >= least - 0.5 && time_ns <= least + 0.5 + least * 1e-4);
        }
        hyp_choice_front_free(&front);
    }
}

static void points_are_what_their_options_add_up_to(void **state)
{
    (void)state;
    uint32_t seed = 11;
    HypChoiceItem items[ITEMS];
    HypChoiceFront front;
    make_items(&seed, items);
    assert_true(hyp_choice_front_create(&front, items, ITEMS));
    assert_true(front.count > 2);
    for (int i = 0; i < front.count; i++) {
        int chosen[ITEMS];
        for (int j = 0; j < ITEMS; j++)
            chosen[j] = front.points[i].options[j];
        const HypFrontPoint point = measure(items, chosen);
        assert_int_equal(point.bytes, front.points[i].bytes);
        assert_true(i == 0 || (front.points[i].bytes > front.points[i - 1].bytes &&
                               front.points[i].time_ns < front.points[i - 1].time_ns));
    }
    hyp_choice_front_free(&front);
}

static void the_knee_is_where_bytes_stop_to_pay(void **state)
{
    (void)state;
    HypChoiceFront front;
    // 5 % more bytes for 10 % less time pay; 100 % more for 1 % do not.
    const HypChoiceItem items[] = {
        {.options = {{0, 0, 100, 0}, {50, 0, 90, 1}}, .option_count = 2},
        {.options = {{0, 0, 100, 0}, {1000, 0, 99, 1}}, .option_count = 2}};
    assert_true(hyp_choice_front_create(&front, items, 2));
    assert_int_equal(front.count, 3);
    assert_int_equal(front.points[hyp_choice_front_knee(&front, 1000)].bytes, 50);
    // In a model of a million bytes both do.
    assert_int_equal(front.points[hyp_choice_front_knee(&front, 1000000)].bytes, 1050);
    hyp_choice_front_free(&front);
}

static void nothing_to_choose_is_one_point(void **state)
{
    (void)state;
    HypChoiceFront front;
    assert_true(hyp_choice_front_create(&front, NULL, 0));
    assert_int_equal(front.count, 1);
    assert_int_equal(front.points[0].bytes, 0);
    assert_int_equal(hyp_choice_front_within(&front, 0), 0);
    assert_int_equal(hyp_choice_front_knee(&front, 0), 0);
    hyp_choice_front_free(&front);
}

// The lesser of two times, of which -1 is none.
static double lesser(double a, double b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void merged_fronts_have_the_fastest_of_both(void **state)
{
    (void)state;
    enum { MORE_BYTES = 128, SOURCE = 3 };
    uint32_t seed = 5;
    for (int turn = 0; turn < 20; turn++) {
        HypChoiceItem items[2][ITEMS];
        HypChoiceFront fronts[2];
        for (int i = 0; i < 2; i++) {
            make_items(&seed, items[i]);
            assert_true(hyp_choice_front_create(&fronts[i], items[i], ITEMS));
        }
        assert_true(hyp_choice_front_merge(&fronts[0], &fronts[1], MORE_BYTES, SOURCE));
        for (size_t bytes = 0; bytes < 4096; bytes += 64) {
            const double other =
                bytes < MORE_BYTES ? -1 : find_least_time(items[1], bytes - MORE_BYTES);
            const double expected = lesser(find_least_time(items[0], bytes), other);
            const int point = hyp_choice_front_within(&fronts[0], bytes);
            assert_int_equal(point < 0, expected < 0);
            if (point < 0)
                continue;
            const HypFrontPoint *found = &fronts[0].points[point];
            assert_true(fabs(found->time_ns - expected) <= 1e-3 * expected);
            assert_true(found->source == 0 || found->source == SOURCE);
            assert_true(found->source == 0 || found->bytes >= MORE_BYTES);
        }
        hyp_choice_front_free(&fronts[0]);
        hyp_choice_front_free(&fronts[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_has_the_fastest_choice_of_all),
        cmocka_unit_test(points_are_what_their_options_add_up_to),
        cmocka_unit_test(the_knee_is_where_bytes_stop_to_pay),
        cmocka_unit_test(merged_fronts_have_the_fastest_of_both),
        cmocka_unit_test(nothing_to_choose_is_one_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
