// SPDX-License-Identifier: Apache-2.0
// test_common.c - names to numbers, arenas, growing arrays, distances of texts.
#include "common/arena.h"
#include "common/array.h"
#include "common/name_map.h"
#include "common/text.h"

#include "hyperion/error.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void name_map_finds_every_name_and_no_other(void **state)
{
    (void)state;
    enum { NAME_COUNT = 1000 };
    static char names[NAME_COUNT][16];
    HypNameMap map = {0};
    assert_int_equal(hyp_name_map_get(&map, "absent"), -1);
    for (int i = 0; i < NAME_COUNT; i++) {
        (void)snprintf(names[i], sizeof names[i], "name%d", i);
        assert_true(hyp_name_map_reserve(&map));
        hyp_name_map_set(&map, names[i], i);
    }
    for (int i = 0; i < NAME_COUNT; i++)
        assert_int_equal(hyp_name_map_get(&map, names[i]), i);
    assert_int_equal(hyp_name_map_get(&map, "name1000"), -1);
    hyp_name_map_set(&map, "name7", 70);
    assert_int_equal(hyp_name_map_get(&map, "name7"), 70);
    assert_int_equal(map.count, NAME_COUNT);
    hyp_name_map_free(&map);
    assert_int_equal(hyp_name_map_get(&map, "name7"), -1);
}

static void arena_gives_aligned_zeros_that_do_not_overlap(void **state)
{
    (void)state;
    HypArena arena = {0};
    unsigned char *places[200];
    for (size_t i = 0; i < 200; i++) {
        places[i] = hyp_arena_allocate(&arena, i * 7 % 500, 3);
        assert_non_null(places[i]);
        assert_int_equal((uintptr_t)places[i] % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < i * 7 % 500 * 3; j++)
            assert_int_equal(places[i][j], 0);
        memset(places[i], 0xff, i * 7 % 500 * 3);
    }
    assert_non_null(hyp_arena_allocate(&arena, 1, 1000000));
    assert_null(hyp_arena_allocate(&arena, SIZE_MAX / 2, 3));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    assert_null(hyp_arena_allocate(&arena, SIZE_MAX - 20, 1));
    hyp_arena_free(&arena);
    hyp_arena_free(&arena);
}

static void array_grows_and_keeps_its_items(void **state)
{
    (void)state;
    int capacity = 0;
    int *items = NULL;
    for (int i = 0; i < 100; i++) {
        items = hyp_array_reserve(items, &capacity, (size_t)i + 1, sizeof *items);
        assert_non_null(items);
        assert_true(capacity > i);
        items[i] = i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(items[i], i);
    assert_null(hyp_array_reserve(items, &capacity, (size_t)INT_MAX + 1, sizeof *items));
    assert_int_equal(items[99], 99);
    free(items);
}

static void distance_counts_changes(void **state)
{
    (void)state;
    assert_int_equal(hyp_text_distance("hidden", "hidden"), 0);
    assert_int_equal(hyp_text_distance("hiden", "hidden"), 1);
    assert_int_equal(hyp_text_distance("kitten", "sitting"), 3);
    assert_int_equal(hyp_text_distance("", "abc"), 3);
    char longer[100];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(hyp_text_distance(longer, "a"), 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_map_finds_every_name_and_no_other),
        cmocka_unit_test(arena_gives_aligned_zeros_that_do_not_overlap),
        cmocka_unit_test(array_grows_and_keeps_its_items),
        cmocka_unit_test(distance_counts_changes),
    };
    return cmocka_run_group_tests_name("common", tests, NULL, NULL);
}
