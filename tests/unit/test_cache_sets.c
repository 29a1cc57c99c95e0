// SPDX-License-Identifier: Apache-2.0
// test_cache_sets.c - sets under LRU, however they are kept, do what a list of lines does; and so
// does a simulator that leaves look-ups out.
#include "cache/cache_sets.h"
#include "hyperion/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_WAYS = 20, MOST_SETS = 16, TOUCHES = 20000 };

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13; // xorshift64
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

// Entries as in cache_sets.h, the most recent first.
typedef struct Lists {
    size_t sets, ways;
    uint64_t entries[MOST_SETS][MOST_WAYS];
} Lists;

static uint64_t *list_of(Lists *lists, uint64_t line)
{
    return lists->entries[line % lists->sets];
}

static size_t find(const Lists *lists, const uint64_t *list, uint64_t line)
{
    size_t way = 0;
    while (way < lists->ways && list[way] >> 1 != line + 1)
        way++;
    return way;
}

// Puts an entry first, in place of that at `way`.
static void put_first(uint64_t *list, size_t way, uint64_t entry)
{
    memmove(list + 1, list, way * sizeof *list);
    list[0] = entry;
}

static bool access_list(Lists *lists, uint64_t line, uint64_t dirty, uint64_t *victim)
{
    uint64_t *list = list_of(lists, line);
    const size_t way = find(lists, list, line);
    const bool hit = way < lists->ways;
    if (!hit)
        *victim = list[lists->ways - 1];
    put_first(list, hit ? way : lists->ways - 1, hit ? list[way] | dirty : (line + 1) << 1 | dirty);
    return hit;
}

static uint64_t take_from_list(Lists *lists, uint64_t line)
{
    uint64_t *list = list_of(lists, line);
    const size_t way = find(lists, list, line);
    if (way == lists->ways)
        return 0;
    const uint64_t entry = list[way];
    memmove(list + way, list + way + 1, (lists->ways - way - 1) * sizeof *list);
    list[lists->ways - 1] = 0;
    return entry;
}

// Some lines more than there is room for; some 2^32 apart.
static uint64_t draw_line(uint64_t *random, const Lists *lists)
{
    const uint64_t line = draw(random, lists->sets * (lists->ways + 2));
    return draw(random, 8) ? line : line + ((uint64_t)1 << 32) * lists->sets;
}

static void compare_sets(size_t sets, size_t ways)
{
    const HyperionCacheLevel level = {sets * ways * 64, 64, (int)ways, 1};
    Lists lists = {.sets = sets, .ways = ways};
    HypCacheSets cache;
    uint64_t random = 1 + sets * 100 + ways;
    assert_true(hyp_cache_sets_open(&cache, &level, HYPERION_REPLACEMENT_LRU));
    for (int i = 0; i < TOUCHES; i++) {
        const uint64_t line = draw_line(&random, &lists);
        uint64_t victim = 0;
        uint64_t expected = 0;
        switch (draw(&random, 8)) {
        case 0: assert_int_equal(hyp_cache_take(&cache, line), take_from_list(&lists, line)); break;
        case 1: {
            uint64_t *list = list_of(&lists, line);
            const size_t way = find(&lists, list, line);
            assert_int_equal(hyp_cache_find(&cache, line), way < ways ? list[way] : 0);
            break;
        }
        default: {
            const uint64_t dirty = draw(&random, 2);
            const bool hit = access_list(&lists, line, dirty, &expected);
            assert_true(hyp_cache_access(&cache, line, dirty, &victim) == hit);
            assert_int_equal(victim, expected);
        }
        }
        if (i == TOUCHES / 2) {
            hyp_cache_sets_empty(&cache);
            memset(lists.entries, 0, sizeof lists.entries);
        }
    }
    hyp_cache_sets_close(&cache);
}

static void sets_do_what_lists_do(void **state)
{
    (void)state;
    static const size_t sets[] = {1, 3, 16};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        for (size_t ways = 1; ways <= MOST_WAYS; ways++)
            compare_sets(sets[i], ways);
}

typedef struct Counts {
    uint64_t accesses, misses, fills, write_backs, prefetches;
} Counts;

// What a touch counts for that is not the one before again.
static void count_touch(Counts *counts, Lists *lists, uint64_t line, HyperionTouch kind)
{
    const bool demand = kind != HYPERION_TOUCH_PREFETCH;
    if (kind == HYPERION_TOUCH_STREAM) {
        (void)take_from_list(lists, line);
        return;
    }
    uint64_t victim = 0;
    counts->accesses += demand;
    if (access_list(lists, line, kind == HYPERION_TOUCH_WRITE, &victim))
        return;
    counts->misses += demand;
    counts->fills++;
    counts->write_backs += victim & 1;
}

// Few lines, often in turn.
static void simulators_leave_nothing_out(void **state)
{
    (void)state;
    const HyperionCacheTopology topology = {1, {{(size_t)16 * 4 * 64, 64, 4, 1}}};
    Lists lists = {.sets = 16, .ways = 4};
    Counts counts = {0};
    uint64_t random = 7;
    uint64_t lines[3] = {0, 1, 2};
    uint64_t last = UINT64_MAX;
    HyperionTouch last_kind = HYPERION_TOUCH_READ;
    HyperionSimulator *simulator = hyperionCreateSimulator(&topology, 1, NULL);
    assert_non_null(simulator);
    for (int i = 0; i < 5 * TOUCHES; i++) {
        if (draw(&random, 6) == 0)
            lines[draw(&random, 3)] = draw(&random, 200);
        const uint64_t line = lines[draw(&random, 3)];
        const uint64_t any = draw(&random, 12);
        const HyperionTouch kind = any < 4 ? (HyperionTouch)any : HYPERION_TOUCH_READ;
        hyperionSimulatorTouch(simulator, line * 64, 64, kind);
        counts.prefetches += kind == HYPERION_TOUCH_PREFETCH;
        const bool read_again = kind == HYPERION_TOUCH_READ && last_kind == HYPERION_TOUCH_WRITE;
        if (line != last || (kind != last_kind && !read_again))
            count_touch(&counts, &lists, line, kind);
        if (line != last || !read_again) {
            last = line;
            last_kind = kind;
        }
    }
    const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
    assert_int_equal(stats.levels[0].accesses, counts.accesses);
    assert_int_equal(stats.levels[0].misses, counts.misses);
    assert_int_equal(stats.levels[0].fills, counts.fills);
    assert_int_equal(stats.levels[0].write_backs, counts.write_backs);
    assert_int_equal(stats.prefetches, counts.prefetches);
    hyperionFreeSimulator(simulator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_do_what_lists_do),
        cmocka_unit_test(simulators_leave_nothing_out),
    };
    return cmocka_run_group_tests_name("cache_sets", tests, NULL, NULL);
}
