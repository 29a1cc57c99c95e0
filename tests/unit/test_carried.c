// SPDX-License-Identifier: Apache-2.0
// test_carried.c - what layers find in a cache of 64 lines, of what those before them left.
#include "cache/carried.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const size_t line_bytes = 64;

typedef struct Layers {
    HypCarried carried;
    HypCacheShape cache;
    HypAccount account;
} Layers;

static int setup(void **state)
{
    static Layers layers;
    layers = (Layers){.cache = {.sets = 8, .ways = 8, .line_floats = 16},
                      .account = {.caches = &layers.cache, .level_count = 1}};
    hyp_carried_open(&layers.carried, (double)line_bytes);
    *state = &layers;
    return 0;
}

static int teardown(void **state)
{
    Layers *layers = *state;
    hyp_carried_close(&layers->carried);
    return 0;
}

// `lines` lines from line `first` on, all of which the layer touches.
static HypMemory lines_from(size_t first, size_t lines)
{
    return (HypMemory){
        .start = (first + 1) * line_bytes, .size_bytes = lines * line_bytes, .share = 1};
}

// Misses that are left of a layer which touches these, each line once but for those in place.
static double touch(Layers *layers, const HypMemory *memory, int count)
{
    const HypTraffic before = layers->account.traffic;
    for (int i = 0; i < count; i++)
        layers->account.traffic.misses[0] +=
            memory[i].share * (double)memory[i].size_bytes / (double)line_bytes;
    assert_true(hyp_carried_take(&layers->carried, memory, count, &before, &layers->account));
    return layers->account.traffic.misses[0] - before.misses[0];
}

static double touch_lines(Layers *layers, size_t first, size_t lines)
{
    const HypMemory memory = lines_from(first, lines);
    return touch(layers, &memory, 1);
}

static void assert_misses(double found, double expected)
{
    if (found < expected - 1e-9 || found > expected + 1e-9)
        fail_msg("%g lines, expected %g", found, expected);
}

static void memory_that_was_never_touched_is_missed(void **state)
{
    assert_misses(touch_lines(*state, 0, 40), 40);
    assert_misses(touch_lines(*state, 40, 40), 40);
}

static void memory_comes_back_while_it_fits(void **state)
{
    (void)touch_lines(*state, 0, 30);
    (void)touch_lines(*state, 100, 30);
    assert_misses(touch_lines(*state, 0, 30), 0);
    assert_misses(touch_lines(*state, 100, 30), 0);
}

// One after another, the oldest goes first: nothing is left of more than fits.
static void nothing_comes_back_of_more_than_fits(void **state)
{
    (void)touch_lines(*state, 0, 80);
    assert_misses(touch_lines(*state, 0, 80), 80);
}

static void only_distinct_lines_lie_between(void **state)
{
    (void)touch_lines(*state, 0, 20);
    for (int i = 0; i < 10; i++)
        (void)touch_lines(*state, 100, 20);
    assert_misses(touch_lines(*state, 0, 20), 0);
}

static void parts_of_memory_are_known_apart(void **state)
{
    (void)touch_lines(*state, 0, 32);
    (void)touch_lines(*state, 8, 8); // cuts it in two
    (void)touch_lines(*state, 100, 40);
    // 72 lines in all: of those touched last before the 40 others, 8 and 24.
    assert_misses(touch_lines(*state, 8, 8), 0);
    Layers *layers = *state;
    assert_int_equal(layers->carried.run_count, 4);
    assert_misses(touch_lines(*state, 200, 10), 10);
}

static void results_in_place_are_found_again(void **state)
{
    const HypMemory memory[] = {
        lines_from(0, 100),
        {.start = line_bytes, .size_bytes = 100 * line_bytes, .share = 1, .in_place = true}};
    assert_misses(touch(*state, memory, 2), 100);
}

static void results_in_place_that_fall_behind_are_not(void **state)
{
    const HypMemory memory[] = {lines_from(0, 100),
                                {.start = line_bytes,
                                 .size_bytes = 50 * line_bytes,
                                 .share = 1,
                                 .in_place = true,
                                 .delay_bytes = 80 * (double)line_bytes}};
    assert_misses(touch(*state, memory, 2), 150);
}

static void inputs_given_twice_come_back_once(void **state)
{
    (void)touch_lines(*state, 0, 20);
    const HypMemory memory[] = {lines_from(0, 20), lines_from(0, 20)};
    assert_misses(touch(*state, memory, 2), 20);
}

// Used to the end, and from the beginning on again: what else the layers touch lies not between.
static void what_is_used_all_the_while_is_left_last(void **state)
{
    HypMemory memory[] = {lines_from(0, 50), lines_from(100, 20)};
    memory[1].all_the_while = true;
    assert_misses(touch(*state, memory, 2), 70);
    memory[0] = lines_from(200, 50);
    assert_misses(touch(*state, memory, 2), 50);
}

static void memory_that_goes_on_is_as_it_was(void **state)
{
    (void)touch_lines(*state, 0, 40);
    HypMemory part = lines_from(0, 40);
    part.share = 0.25;
    part.goes_on = true;
    assert_misses(touch(*state, &part, 1), 0);
    (void)touch_lines(*state, 100, 60);
    assert_misses(touch(*state, &part, 1), 10); // 10 and 60 lines lie between
}

// Rows that a band before has gathered come back after what came since, not after the rest.
static void rows_that_are_known_come_back_since_then(void **state)
{
    Layers *layers = *state;
    HypMemory rows = lines_from(0, 200);
    rows.share = 0.1;
    rows.goes_on = true;
    const HypCarriedMoment gathered = {layers->carried.layer, layers->carried.passed};
    assert_misses(touch(layers, &rows, 1), 20);
    (void)touch_lines(layers, 300, 10);
    rows.share = 0.05;
    HypMemory memory[] = {rows, rows};
    memory[0].known = &gathered;
    assert_misses(touch(layers, memory, 2), 10); // those that are not known were never touched
}

// Of a result that several bands have made, the first rows are older than the last.
static void results_of_bands_are_as_old_as_these(void **state)
{
    Layers *layers = *state;
    const HypCarriedMoment begun = {layers->carried.layer, layers->carried.passed};
    HypMemory rows = lines_from(0, 40);
    rows.share = 0.25;
    rows.goes_on = true;
    (void)touch(layers, &rows, 1);
    (void)touch_lines(layers, 300, 80);
    rows.goes_on = false;
    rows.begun = &begun;
    (void)touch(layers, &rows, 1);
    // After 90 others to after 40: 64 lines hold those after 64 or fewer.
    const double missed = touch_lines(layers, 0, 40);
    assert_true(missed > 10 && missed < 30);
}

static void write_lines(Layers *layers, size_t first, size_t lines)
{
    HypMemory memory = lines_from(first, lines);
    memory.written = true;
    (void)touch(layers, &memory, 1);
}

static void what_was_written_is_written_back_when_it_has_to_go(void **state)
{
    Layers *layers = *state;
    write_lines(layers, 0, 30);
    assert_misses(layers->account.traffic.write_backs[0], 0);
    (void)touch_lines(layers, 0, 30); // found, and as dirty as it was
    assert_misses(layers->account.traffic.write_backs[0], 0);
    (void)touch_lines(layers, 100, 200);
    (void)touch_lines(layers, 0, 30);
    assert_misses(layers->account.traffic.write_backs[0], 30);
    (void)touch_lines(layers, 100, 200);
    hyp_carried_finish(&layers->carried, &layers->account); // clean since it came back
    assert_misses(layers->account.traffic.write_backs[0], 30);
}

// Of 128 lines half are evicted while they are written, which the layer's formula counts.
static void what_the_layer_evicted_itself_is_not_counted_again(void **state)
{
    Layers *layers = *state;
    write_lines(layers, 0, 128);
    (void)touch_lines(layers, 200, 200);
    hyp_carried_finish(&layers->carried, &layers->account);
    assert_misses(layers->account.traffic.write_backs[0], 64);
}

static void what_is_still_there_at_the_end_is_not_written_back(void **state)
{
    Layers *layers = *state;
    write_lines(layers, 0, 20);
    (void)touch_lines(layers, 200, 20);
    hyp_carried_finish(&layers->carried, &layers->account);
    assert_misses(layers->account.traffic.write_backs[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_that_was_never_touched_is_missed, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_comes_back_while_it_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_comes_back_of_more_than_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(only_distinct_lines_lie_between, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_of_memory_are_known_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(results_in_place_are_found_again, setup, teardown),
        cmocka_unit_test_setup_teardown(results_in_place_that_fall_behind_are_not, setup, teardown),
        cmocka_unit_test_setup_teardown(inputs_given_twice_come_back_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_used_all_the_while_is_left_last, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_that_goes_on_is_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_that_are_known_come_back_since_then, setup, teardown),
        cmocka_unit_test_setup_teardown(results_of_bands_are_as_old_as_these, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_written_is_written_back_when_it_has_to_go, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_the_layer_evicted_itself_is_not_counted_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_still_there_at_the_end_is_not_written_back, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
