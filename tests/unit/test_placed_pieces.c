// SPDX-License-Identifier: Apache-2.0
// test_placed_pieces.c - lines of pieces counted set by set, against counting them one by one.
#include "cache/placed_pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SETS = 64, LINE_FLOATS = 16 };

static const HypCacheShape cache = {.sets = SETS, .ways = 4, .line_floats = LINE_FLOATS};

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13; // xorshift64
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

static double find_chance(const HypPlacedWindow *window, const HypCacheShape *shape)
{
    const HypAccount account = {.caches = shape, .level_count = 1};
    return hyp_placed_chances(&account, window).miss[0];
}

static void count(const HypPieces *pieces, size_t shift, size_t sets, int *lines)
{
    for (int i = 0; i < pieces->count; i++)
        for (size_t j = 0; j < pieces->pieces[i].lines; j++)
            lines[(pieces->pieces[i].start + j + shift) % sets]++;
}

// Share of the first piece's lines that have `ways` others in their set, over all shifts of the
// moving pieces.
static double count_misses(const HypPlacedWindow *window, size_t sets, int ways)
{
    const HypPiece *own = &window->still.pieces[0];
    double misses = 0;
    for (size_t shift = 0; shift < sets; shift++) {
        int lines[4 * SETS] = {0};
        count(&window->still, 0, sets, lines);
        count(&window->moving, shift, sets, lines);
        for (size_t j = 0; j < own->lines; j++)
            misses += lines[(own->start + j) % sets] > ways;
    }
    return misses / (double)(sets * own->lines);
}

static void draw_pieces(uint64_t *random, HypPieces *pieces, uint64_t most)
{
    double start = (double)draw(random, 300);
    for (uint64_t i = 1 + draw(random, most); i > 0; i--) {
        const double lines = 1 + (double)draw(random, 90);
        hyp_pieces_add(pieces, start, lines);
        start += lines + 1 + (double)draw(random, 40);
    }
}

static void chances_are_those_of_lines_counted_one_by_one(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252U;
    static const size_t sets[] = {SETS, 96, 256}; // one is no power of two
    int between = 0;                              // neither all nor none evicted
    for (int i = 0; i < 300; i++) {
        HypCacheShape shape = cache;
        shape.sets = (double)sets[i % 3];
        HypPlacedWindow window;
        hyp_placed_start(&window);
        draw_pieces(&random, &window.still, 6);
        if (i % 2)
            draw_pieces(&random, &window.moving, 5);
        const double want = count_misses(&window, sets[i % 3], (int)shape.ways);
        assert_float_equal(find_chance(&window, &shape), want, 1e-9);
        between += want > 0 && want < 1;
    }
    assert_true(between > 50);
}

static void pieces_that_meet_are_one(void **state)
{
    (void)state;
    HypPieces pieces = {.count = 0};
    hyp_pieces_add(&pieces, 10, 5);
    hyp_pieces_add(&pieces, 15, 5); // the first piece stays alone
    hyp_pieces_add(&pieces, 20, 2.5);
    hyp_pieces_add(&pieces, 22.5, 1); // begins in the line in which the one before ends
    hyp_pieces_add(&pieces, 40, 0);
    assert_int_equal(pieces.count, 2);
    assert_int_equal(pieces.pieces[0].lines, 5);
    assert_int_equal(pieces.pieces[1].start, 15);
    assert_int_equal(pieces.pieces[1].lines, 9);
}

// A row every 64 lines: all in the same sets.
static void rows_a_way_apart_fall_into_the_same_sets(void **state)
{
    (void)state;
    HypPlacedWindow window;
    hyp_placed_start(&window);
    hyp_pieces_add(&window.still, 0, SETS);
    window.rows = (HypPlacedRows){.of = {{0, 2}, {0, 1}},
                                  .row_floats = (size_t)8 * LINE_FLOATS,
                                  .stride_floats = (size_t)SETS * LINE_FLOATS};
    assert_float_equal(find_chance(&window, &cache), 0, 0); // 3 rows
    window.rows.of[1].count = 2;
    assert_float_equal(find_chance(&window, &cache), 8.0 / SETS, 1e-9);
    window.rows.of[1].first = 7; // wherever they begin
    assert_float_equal(find_chance(&window, &cache), 8.0 / SETS, 1e-9);
}

// Two rows of each array beside one line in every set are too many only where they meet.
static void arrays_lie_as_far_apart_as_they_are_known_to(void **state)
{
    (void)state;
    static const struct {
        ptrdiff_t apart_lines;
        double share; // of the sets in which rows of both meet
    } cases[] = {{0, 8}, {3, 5}, {-3, 5}, {8, 0}, {-8, 0}, {SETS + 1, 7}, {-SETS, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        HypPlacedWindow window;
        hyp_placed_start(&window);
        hyp_pieces_add(&window.still, 0, SETS);
        window.rows = (HypPlacedRows){.of = {{0, 2}, {0, 2}},
                                      .row_floats = (size_t)8 * LINE_FLOATS,
                                      .stride_floats = (size_t)SETS * LINE_FLOATS,
                                      .apart_known = true,
                                      .apart_floats = cases[i].apart_lines * LINE_FLOATS};
        assert_float_equal(find_chance(&window, &cache), cases[i].share / SETS, 1e-9);
    }
}

static void regions_elsewhere_count_too(void **state)
{
    (void)state;
    HypPlacedWindow window;
    hyp_placed_start(&window);
    hyp_pieces_add(&window.still, 0, 2 * SETS);
    hyp_window_add(&window.others, 2 * SETS, 1, 0);
    assert_float_equal(find_chance(&window, &cache), 0, 0);
    hyp_window_add(&window.others, SETS / 4.0, 1, 0);
    assert_float_equal(find_chance(&window, &cache), 0.25, 1e-9);
    hyp_window_add(&window.others, 3 * SETS, 1, 0);
    assert_float_equal(find_chance(&window, &cache), 1, 0);
}

static void caches_too_large_to_count_compare_sizes(void **state)
{
    (void)state;
    const HypCacheShape large = {.sets = 8192, .ways = 2, .line_floats = LINE_FLOATS};
    HypPlacedWindow window;
    hyp_placed_start(&window);
    hyp_pieces_add(&window.still, 0, 10);
    for (int i = 0; i < 3; i++)
        hyp_pieces_add(&window.still, 8192.0 * (i + 1), 10);
    assert_float_equal(find_chance(&window, &large), 0, 0);
    hyp_pieces_add(&window.still, 8192.0 * 5, 16384);
    assert_float_equal(find_chance(&window, &large), 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chances_are_those_of_lines_counted_one_by_one),
        cmocka_unit_test(pieces_that_meet_are_one),
        cmocka_unit_test(rows_a_way_apart_fall_into_the_same_sets),
        cmocka_unit_test(arrays_lie_as_far_apart_as_they_are_known_to),
        cmocka_unit_test(regions_elsewhere_count_too),
        cmocka_unit_test(caches_too_large_to_count_compare_sizes),
    };
    return cmocka_run_group_tests_name("placed_pieces", tests, NULL, NULL);
}
