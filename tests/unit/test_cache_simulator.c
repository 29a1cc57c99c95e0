// SPDX-License-Identifier: Apache-2.0
// test_cache_simulator.c - counts that can be worked out by hand, and laws of LRU on random traces.
#include "hyperion/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LINE = 64 };

static HyperionSimulator *create_level(size_t lines, int ways)
{
    const HyperionCacheTopology topology = {1, {{lines * LINE, LINE, ways, 1}}};
    HyperionSimulator *simulator = hyperionCreateSimulator(&topology, 1, NULL);
    assert_non_null(simulator);
    return simulator;
}

static void touch_number(HyperionSimulator *simulator, uint64_t line, HyperionTouch kind)
{
    hyperionSimulatorTouch(simulator, (uintptr_t)line * LINE, 1, kind);
}

static void scan(HyperionSimulator *simulator, uint64_t lines, int rounds, HyperionTouch kind)
{
    for (int round = 0; round < rounds; round++)
        for (uint64_t line = 0; line < lines; line++)
            touch_number(simulator, line, kind);
}

static HyperionCacheLevelStats finish(HyperionSimulator *simulator)
{
    const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
    assert_true(stats.valid);
    assert_int_equal(stats.tier, HYPERION_CACHE_TIER_REPLAY);
    hyperionFreeSimulator(simulator);
    return stats.levels[0];
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// 12 lines as 1, 3 and 12 ways, searched and hashed (96 of 96), and 3 sets, as some L3s have.
static const struct {
    size_t lines;
    int ways;
} shapes[] = {{16, 1}, {16, 4}, {16, 16}, {12, 4}, {33, 11}, {96, -1}, {96, 96}, {7, 7}};

enum { SHAPE_COUNT = sizeof shapes / sizeof shapes[0] };

static void scan_within_capacity_hits_after_the_first_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        HyperionSimulator *simulator = create_level(shapes[i].lines, shapes[i].ways);
        scan(simulator, shapes[i].lines, 5, HYPERION_TOUCH_READ);
        const HyperionCacheLevelStats level = finish(simulator);
        assert_int_equal(level.accesses, 5 * shapes[i].lines);
        assert_int_equal(level.misses, shapes[i].lines);
        assert_int_equal(level.hits, 4 * shapes[i].lines);
        assert_int_equal(level.fills, shapes[i].lines);
        assert_int_equal(level.write_backs, 0);
    }
}

// One line more than the capacity puts ways + 1 lines into one set: that set never hits.
static void scan_one_line_past_capacity_misses_in_one_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        const uint64_t lines = shapes[i].lines;
        const uint64_t ways = shapes[i].ways > 0 ? (uint64_t)shapes[i].ways : lines;
        HyperionSimulator *simulator = create_level(lines, shapes[i].ways);
        scan(simulator, lines + 1, 5, HYPERION_TOUCH_READ);
        const HyperionCacheLevelStats level = finish(simulator);
        assert_int_equal(level.misses, lines + 1 + 4 * (ways + 1));
    }
}

static void lines_of_one_set_conflict(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create_level(64, 4); // 16 sets
    for (int round = 0; round < 3; round++)
        for (uint64_t i = 0; i < 5; i++)
            touch_number(simulator, 16 * i + 3, HYPERION_TOUCH_READ);
    assert_int_equal(finish(simulator).misses, 15);
}

static void least_recently_used_goes_first(void **state)
{
    (void)state;
    static const int ways[] = {3, -1};
    for (size_t i = 0; i < 2; i++) {
        HyperionSimulator *simulator = create_level(3, ways[i]);
        static const uint64_t trace[] = {0, 1, 2, 0, 3, 0, 2, 1}; // 3 evicts 1; 1 misses again
        for (size_t t = 0; t < sizeof trace / sizeof trace[0]; t++)
            touch_number(simulator, trace[t], HYPERION_TOUCH_READ);
        assert_int_equal(finish(simulator).misses, 5);
    }
}

static void dirty_lines_are_written_back_once_when_evicted(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        const uint64_t lines = shapes[i].lines;
        HyperionSimulator *simulator = create_level(lines, shapes[i].ways);
        scan(simulator, lines, 2, HYPERION_TOUCH_WRITE);
        for (uint64_t line = 0; line < 2 * lines; line++)
            touch_number(simulator, lines + line, HYPERION_TOUCH_READ);
        const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
        assert_int_equal(stats.memory_read_bytes, 3 * lines * LINE);
        assert_int_equal(stats.memory_write_bytes, lines * LINE);
        assert_int_equal(finish(simulator).write_backs, lines);
    }
}

// L1 of 1 line over L2 of 4: the dirty line goes to L2, and from there to memory.
static void write_back_travels_outward(void **state)
{
    (void)state;
    const HyperionCacheTopology topology = {2, {{LINE, LINE, 1, 1}, {256, LINE, 4, 4}}};
    HyperionSimulator *simulator = hyperionCreateSimulator(&topology, 1, NULL);
    touch_number(simulator, 0, HYPERION_TOUCH_WRITE);
    touch_number(simulator, 1, HYPERION_TOUCH_READ);
    HyperionCacheStats stats = hyperionSimulatorStats(simulator);
    assert_int_equal(stats.levels[0].write_backs, 1);
    assert_int_equal(stats.levels[1].write_backs, 0);
    assert_int_equal(stats.memory_write_bytes, 0);
    for (uint64_t line = 2; line < 5; line++)
        touch_number(simulator, line, HYPERION_TOUCH_READ);
    stats = hyperionSimulatorStats(simulator);
    assert_int_equal(stats.levels[0].write_backs, 1);
    assert_int_equal(stats.levels[1].write_backs, 1);
    assert_int_equal(stats.memory_write_bytes, LINE);
    assert_false(stats.levels[0].shared);
    assert_true(stats.levels[1].shared);
    hyperionFreeSimulator(simulator);
}

// The line stays in L1 by hits that L2 does not see, and L2 drops it before it is written back.
static void write_back_without_a_copy_outside_goes_to_memory(void **state)
{
    (void)state;
    for (int ways = 2; ways >= -1; ways -= 3) {
        const HyperionCacheTopology topology = {2, {{128, LINE, 2, 1}, {128, LINE, ways, 1}}};
        HyperionSimulator *simulator = hyperionCreateSimulator(&topology, 1, NULL);
        static const uint64_t trace[] = {1, 0, 2, 0, 3, 4};
        for (size_t i = 0; i < sizeof trace / sizeof trace[0]; i++)
            touch_number(simulator, trace[i],
                         trace[i] ? HYPERION_TOUCH_READ : HYPERION_TOUCH_WRITE);
        const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
        assert_int_equal(stats.levels[0].write_backs, 1);
        assert_int_equal(stats.levels[1].write_backs, 0);
        assert_int_equal(stats.memory_write_bytes, LINE);
        hyperionFreeSimulator(simulator);
    }
}

static void prefetch_fills_and_is_not_an_access(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create_level(8, 8);
    scan(simulator, 4, 2, HYPERION_TOUCH_PREFETCH);
    scan(simulator, 6, 1, HYPERION_TOUCH_READ);
    assert_int_equal(hyperionSimulatorStats(simulator).prefetches, 8);
    const HyperionCacheLevelStats level = finish(simulator);
    assert_int_equal(level.accesses, 6);
    assert_int_equal(level.hits, 4);
    assert_int_equal(level.misses, 2);
    assert_int_equal(level.fills, 6);
}

static void bytes_touch_every_line_they_lie_in(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create_level(64, 4);
    hyperionSimulatorTouch(simulator, 63, 0, HYPERION_TOUCH_READ);
    hyperionSimulatorTouch(simulator, 63, 1, HYPERION_TOUCH_READ);   // line 0
    hyperionSimulatorTouch(simulator, 63, 2, HYPERION_TOUCH_READ);   // lines 0 1
    hyperionSimulatorTouch(simulator, 128, 64, HYPERION_TOUCH_READ); // line 2
    hyperionSimulatorTouch(simulator, 190, 67, HYPERION_TOUCH_READ); // lines 2 3 4
    const HyperionCacheLevelStats level = finish(simulator);
    assert_int_equal(level.accesses, 5);
    assert_int_equal(level.misses, 5);
}

static void warm_caches_keep_their_contents_over_a_reset(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create_level(16, 4);
    scan(simulator, 16, 1, HYPERION_TOUCH_READ);
    hyperionSimulatorResetCounters(simulator);
    scan(simulator, 16, 1, HYPERION_TOUCH_READ);
    const HyperionCacheLevelStats level = finish(simulator);
    assert_int_equal(level.accesses, 16);
    assert_int_equal(level.misses, 0);
    assert_true(level.hit_rate == 1.0);
}

static void no_access_has_hit_rate_zero(void **state)
{
    (void)state;
    const HyperionCacheLevelStats level = finish(create_level(16, 4));
    assert_int_equal(level.accesses, 0);
    assert_true(level.hit_rate == 0.0);
}

// A level that is no whole number of sets is cut: 10 lines of 4 ways are 2 sets.
static void size_is_cut_to_whole_sets(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create_level(10, 4);
    scan(simulator, 8, 2, HYPERION_TOUCH_READ);
    assert_int_equal(finish(simulator).misses, 8);
    simulator = create_level(10, 4);
    scan(simulator, 10, 2, HYPERION_TOUCH_READ);
    assert_int_equal(finish(simulator).misses, 20);
}

// Searched and hashed sets are two implementations of one thing.
static void searched_and_hashed_sets_agree(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 20; round++) {
        const size_t lines = 1 + next_random(&seed) % 64;
        HyperionSimulator *searched = create_level(lines, (int)lines);
        // 65 ways and more are hashed: give it the same capacity by occupying the rest with lines
        // that are touched after every access and so never leave.
        const uint64_t held = 65 - lines % 65;
        HyperionSimulator *hashed = create_level(lines + held, -1);
        for (int i = 0; i < 3000; i++) {
            const uint64_t line = 1000 + next_random(&seed) % (lines + lines / 2 + 2);
            const HyperionTouch kind =
                next_random(&seed) % 3 ? HYPERION_TOUCH_READ : HYPERION_TOUCH_WRITE;
            touch_number(searched, line, kind);
            touch_number(hashed, line, kind);
            for (uint64_t h = 0; h < held; h++)
                touch_number(hashed, h, HYPERION_TOUCH_READ);
        }
        const HyperionCacheLevelStats a = finish(searched);
        const HyperionCacheLevelStats b = finish(hashed);
        assert_int_equal(a.misses, b.misses - held);
        assert_int_equal(a.write_backs, b.write_backs);
    }
}

// With the same sets, more ways hold a superset of the lines (Mattson et al. 1970), and an outer
// level never has more demand misses than accesses, which are the misses of the level before.
static void statistics_obey_the_laws_of_lru(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 10; round++) {
        const uint64_t sets = 1 + next_random(&seed) % 13;
        const uint64_t span = 1 + next_random(&seed) % 400;
        const uint64_t trace_seed = next_random(&seed);
        uint64_t fewer = UINT64_MAX;
        for (int ways = 1; ways < 20; ways++) {
            const HyperionCacheTopology topology = {
                2, {{sets * (size_t)ways * LINE, LINE, ways, 1}, {12800, LINE, 8, 1}}};
            HyperionSimulator *simulator = hyperionCreateSimulator(&topology, 1, NULL);
            uint64_t trace = trace_seed;
            for (int i = 0; i < 4000; i++)
                touch_number(simulator, next_random(&trace) % span, (HyperionTouch)(i % 2));
            const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
            for (int l = 0; l < 2; l++) {
                const HyperionCacheLevelStats *level = &stats.levels[l];
                assert_int_equal(level->hits + level->misses, level->accesses);
                assert_int_equal(level->fills, level->misses);
                assert_true(level->write_backs <= level->fills);
            }
            assert_int_equal(stats.levels[1].accesses, stats.levels[0].misses);
            assert_int_equal(stats.memory_read_bytes, stats.levels[1].fills * LINE);
            assert_true(stats.levels[0].misses <= fewer);
            fewer = stats.levels[0].misses;
            hyperionFreeSimulator(simulator);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_within_capacity_hits_after_the_first_round),
        cmocka_unit_test(scan_one_line_past_capacity_misses_in_one_set),
        cmocka_unit_test(lines_of_one_set_conflict),
        cmocka_unit_test(least_recently_used_goes_first),
        cmocka_unit_test(dirty_lines_are_written_back_once_when_evicted),
        cmocka_unit_test(write_back_travels_outward),
        cmocka_unit_test(write_back_without_a_copy_outside_goes_to_memory),
        cmocka_unit_test(prefetch_fills_and_is_not_an_access),
        cmocka_unit_test(bytes_touch_every_line_they_lie_in),
        cmocka_unit_test(warm_caches_keep_their_contents_over_a_reset),
        cmocka_unit_test(no_access_has_hit_rate_zero),
        cmocka_unit_test(size_is_cut_to_whole_sets),
        cmocka_unit_test(searched_and_hashed_sets_agree),
        cmocka_unit_test(statistics_obey_the_laws_of_lru),
    };
    return cmocka_run_group_tests_name("cache_simulator", tests, NULL, NULL);
}
