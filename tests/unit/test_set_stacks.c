// SPDX-License-Identifier: Apache-2.0
// test_set_stacks.c - caches told of runs of lines miss what caches told line by line do.
#include "cache/set_stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_LINES = 2048, RUNS = 3000 };

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13; // xorshift64
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

// Line by line: of a set after the other its ways, the most recent first; 0: none, else a line + 1.
typedef struct Cache {
    size_t sets, ways, lines[MOST_LINES];
} Cache;

static size_t touch_line(Cache *cache, size_t line)
{
    size_t *set = &cache->lines[line % cache->sets * cache->ways];
    size_t way = 0;
    while (way + 1 < cache->ways && set[way] != line + 1)
        way++;
    const size_t missed = set[way] != line + 1;
    memmove(set + 1, set, way * sizeof *set);
    set[0] = line + 1;
    return missed;
}

static size_t touch_lines(Cache *cache, size_t first, size_t lines)
{
    size_t missed = 0;
    for (size_t i = 0; i < lines; i++)
        missed += touch_line(cache, first + i);
    return missed;
}

typedef struct Run {
    unsigned kind;
    size_t first, lines;
} Run;

// A few arrays, of which some runs are short.
static Run draw_run(uint64_t *random)
{
    const uint64_t array = draw(random, 5);
    return (Run){.kind = (unsigned)draw(random, HYP_STACK_KINDS),
                 .first = 100000 * array + draw(random, 400),
                 .lines = 1 + draw(random, draw(random, 2) ? 4 : 100)};
}

static HypSetStacks open_stacks(const Cache *cache)
{
    const HypCacheShape shape = {(double)cache->sets, (double)cache->ways, 16};
    HypSetStacks stacks;
    assert_true(hyp_stacks_open(&stacks, &shape));
    return stacks;
}

static void compare(size_t sets, size_t ways, const HypStackLoops *loops)
{
    Cache cache = {.sets = sets, .ways = ways};
    HypSetStacks stacks = open_stacks(&cache);
    if (loops)
        stacks.loops = loops;
    uint64_t random = 5 + sets;
    for (int i = 0; i < RUNS; i++) {
        const Run run = draw_run(&random);
        hyp_stacks_touch(&stacks, run.kind, run.first, run.lines);
        const size_t missed = touch_lines(&cache, run.first, run.lines);
        const HypStackMisses misses = hyp_stacks_take(&stacks);
        assert_true(misses.all == (double)missed);
        assert_true(misses.of[run.kind] == (double)missed);
    }
    hyp_stacks_close(&stacks);
}

static void runs_miss_as_lines_do(void **state)
{
    (void)state;
    static const size_t geometries[][2] = {{64, 12}, {64, 8}, {16, 4}, {48, 3}, {256, 4},
                                           {1, 8},   {11, 5}, {24, 2}, {128, 1}};
    for (size_t i = 0; i < sizeof geometries / sizeof geometries[0]; i++)
        compare(geometries[i][0], geometries[i][1], NULL);
}

static void every_processor_finds_the_same(void **state)
{
    (void)state;
    compare(64, 12, &hyp_stack_loops_plain);
    HypSetStacks stacks = open_stacks(&(Cache){.sets = 64, .ways = 12});
    const HypStackLoops *fastest = stacks.loops;
    hyp_stacks_close(&stacks);
    if (fastest == &hyp_stack_loops_plain) {
        print_message("skipped: this processor has no AVX2\n");
        skip();
    }
    compare(64, 12, fastest);
}

// Runs wait for one another while they are in sets of their own: what is taken later is the same.
static void what_is_taken_seldom_is_the_same(void **state)
{
    (void)state;
    Cache cache = {.sets = 64, .ways = 8};
    HypSetStacks stacks = open_stacks(&cache);
    uint64_t random = 3;
    double missed = 0;
    for (int i = 0; i < RUNS; i++) {
        const Run run = draw_run(&random);
        hyp_stacks_touch(&stacks, run.kind, run.first, run.lines);
        missed += (double)touch_lines(&cache, run.first, run.lines);
    }
    assert_true(hyp_stacks_take(&stacks).all == missed);
    assert_true(hyp_stacks_take(&stacks).all == 0);
    hyp_stacks_close(&stacks);
}

// Rows of an array, of which some are longer than the distance between them.
static void rows_miss_as_their_lines_do(void **state)
{
    (void)state;
    enum { LINE_SHIFT = 4 };
    Cache cache = {.sets = 64, .ways = 8};
    HypSetStacks stacks = open_stacks(&cache);
    uint64_t random = 11;
    for (int i = 0; i < RUNS; i++) {
        const HypStackRows rows = {.start = draw(&random, 20000),
                                   .width = 1 + draw(&random, 100),
                                   .stride = 1 + draw(&random, 300),
                                   .count = draw(&random, 9),
                                   .line_shift = LINE_SHIFT};
        size_t missed = 0;
        for (size_t row = 0; row < rows.count; row++) {
            const size_t start = rows.start + row * rows.stride;
            const size_t first = start >> LINE_SHIFT;
            const size_t last = (start + rows.width - 1) >> LINE_SHIFT;
            missed += touch_lines(&cache, first, last - first + 1);
        }
        hyp_stacks_touch_rows(&stacks, 1, &rows);
        assert_true(hyp_stacks_take(&stacks).of[1] == (double)missed);
    }
    hyp_stacks_close(&stacks);
}

static void weights_multiply_what_is_told(void **state)
{
    (void)state;
    const Cache cache = {.sets = 64, .ways = 8};
    HypSetStacks stacks = open_stacks(&cache);
    hyp_stacks_touch(&stacks, 0, 0, 10);
    hyp_stacks_weigh(&stacks, 3);
    hyp_stacks_touch(&stacks, 0, 5, 10); // five of them new
    hyp_stacks_weigh(&stacks, 0);
    hyp_stacks_touch(&stacks, 0, 1000, 10);
    hyp_stacks_weigh(&stacks, 1);
    hyp_stacks_touch(&stacks, 0, 1000, 11);
    assert_true(hyp_stacks_take(&stacks).all == 10 + 3 * 5 + 1);
    hyp_stacks_close(&stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_miss_as_lines_do),
        cmocka_unit_test(every_processor_finds_the_same),
        cmocka_unit_test(what_is_taken_seldom_is_the_same),
        cmocka_unit_test(rows_miss_as_their_lines_do),
        cmocka_unit_test(weights_multiply_what_is_told),
    };
    return cmocka_run_group_tests_name("set_stacks", tests, NULL, NULL);
}
