// SPDX-License-Identifier: Apache-2.0
// test_simulator_policies.c - the simulator under assumptions other than one thread and LRU: counts
// that can be worked out by hand, laws, refusals.
#include "hyperion/error.h"
#include "hyperion/parallel.h"
#include "hyperion/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LINE = 64 };

static HyperionSimulator *create(const HyperionCacheTopology *topology, int threads,
                                 HyperionCacheAssumptions assumptions)
{
    HyperionSimulator *simulator = hyperionCreateSimulator(topology, threads, &assumptions);
    assert_non_null(simulator);
    return simulator;
}

static void touch(HyperionSimulator *simulator, uintptr_t line, HyperionTouch kind)
{
    hyperionSimulatorTouch(simulator, line * LINE, LINE, kind);
}

static void read_lines(HyperionSimulator *simulator, const char *letters)
{
    for (; *letters; letters++)
        touch(simulator, (uintptr_t)*letters, HYPERION_TOUCH_READ);
}

static uint64_t misses_of(HyperionReplacement replacement, int ways, const char *letters)
{
    const HyperionCacheTopology one_set = {1, {{(size_t)ways * LINE, LINE, ways, 1}}};
    HyperionSimulator *simulator =
        create(&one_set, 1, (HyperionCacheAssumptions){.replacement = replacement});
    read_lines(simulator, letters);
    const uint64_t misses = hyperionSimulatorStats(simulator).levels[0].misses;
    hyperionFreeSimulator(simulator);
    return misses;
}

// Four ways a b c d, then a: the bits point to the half of c and d, there to c. LRU would lose b.
static void tree_points_away_from_the_half_used_last(void **state)
{
    (void)state;
    assert_int_equal(misses_of(HYPERION_REPLACEMENT_TREE_PLRU, 4,
                               "abcda"
                               "e"
                               "bdae"),
                     5);
    assert_int_equal(misses_of(HYPERION_REPLACEMENT_TREE_PLRU, 4,
                               "abcda"
                               "e"
                               "c"),
                     6);
    assert_int_equal(misses_of(HYPERION_REPLACEMENT_LRU, 4,
                               "abcda"
                               "e"
                               "b"),
                     6);
}

// Three ways: the fourth leaf is missing, so the right half has only c, whatever its bit says.
static void padded_tree_never_chooses_missing_ways(void **state)
{
    (void)state;
    assert_int_equal(misses_of(HYPERION_REPLACEMENT_TREE_PLRU, 3,
                               "abc"
                               "a"
                               "d"
                               "abd"),
                     4);
    assert_int_equal(misses_of(HYPERION_REPLACEMENT_TREE_PLRU, 3,
                               "abc"
                               "d"
                               "bcd"),
                     4);
}

// New lines have age 1, so the fifth finds none of age 3 but those that aging left: with four ways
// the first line's next miss ages the others to 3, and the lowest way of age 3 goes.
static void qlru_gives_up_the_first_of_the_oldest(void **state)
{
    (void)state;
    // a b c d are in ways 0 to 3. After d, all but d have age 3; e takes the place of a.
    assert_int_equal(misses_of(HYPERION_REPLACEMENT_QLRU, 4,
                               "abcd"
                               "e"
                               "bcde"),
                     5);
    assert_int_equal(misses_of(HYPERION_REPLACEMENT_QLRU, 4,
                               "abcd"
                               "e"
                               "a"),
                     6);
    // Used again, a has age 0 and stays; b goes.
    assert_int_equal(misses_of(HYPERION_REPLACEMENT_QLRU, 4,
                               "abcda"
                               "e"
                               "acde"),
                     5);
}

// Whatever the policy, what fits is missed once, and sets beyond 64 ways are LRU.
static void policies_agree_where_everything_fits(void **state)
{
    (void)state;
    static const int ways[] = {1, 2, 3, 4, 8, 11, 12, 20, 64, 65, -1};
    for (int r = 0; r < HYPERION_REPLACEMENT_COUNT; r++)
        for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
            const size_t lines = ways[w] > 0 ? (size_t)ways[w] * 4 : 200;
            const HyperionCacheTopology topology = {1, {{lines * LINE, LINE, ways[w], 1}}};
            HyperionSimulator *simulator = create(
                &topology, 1, (HyperionCacheAssumptions){.replacement = (HyperionReplacement)r});
            for (size_t i = 0; i < 4 * lines; i++)
                touch(simulator, i % lines, HYPERION_TOUCH_WRITE);
            assert_int_equal(hyperionSimulatorStats(simulator).levels[0].misses, lines);
            hyperionSimulatorEmpty(simulator);
            hyperionSimulatorResetCounters(simulator);
            for (size_t i = 0; i < lines; i++)
                touch(simulator, i, HYPERION_TOUCH_READ);
            const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
            assert_int_equal(stats.levels[0].misses, lines);
            assert_int_equal(stats.levels[0].write_backs, 0);
            hyperionFreeSimulator(simulator);
        }
}

// L1 of 2 lines, L2 of 2, L3 of 4 that holds what L2 gives up.
static const HyperionCacheTopology three = {
    3, {{2 * LINE, LINE, 2, 1}, {2 * LINE, LINE, 2, 1}, {4 * LINE, LINE, 4, 1}}};

static void victim_level_holds_what_the_one_before_gives_up(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create(&three, 1, (HyperionCacheAssumptions){.victim_level = 3});
    read_lines(simulator, "abcdef"); // L2: e f; L3: a b c d
    HyperionCacheStats stats = hyperionSimulatorStats(simulator);
    assert_int_equal(stats.levels[2].misses, 6);
    assert_int_equal(stats.levels[2].fills, 4);
    assert_int_equal(stats.memory_read_bytes, 6 * LINE);
    read_lines(simulator, "abcdef"); // six lines fit two levels of 2 and 4 that share none
    stats = hyperionSimulatorStats(simulator);
    assert_int_equal(stats.levels[2].misses, 6);
    assert_int_equal(stats.memory_read_bytes, 6 * LINE);
    hyperionFreeSimulator(simulator);
}

static void victim_level_gives_dirty_lines_back_dirty(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create(&three, 1, (HyperionCacheAssumptions){.victim_level = 3});
    touch(simulator, 1, HYPERION_TOUCH_WRITE);
    for (uintptr_t line = 2; line < 5; line++)
        touch(simulator, line, HYPERION_TOUCH_READ); // 1 is in L3, dirty
    touch(simulator, 1, HYPERION_TOUCH_READ);
    assert_int_equal(hyperionSimulatorStats(simulator).memory_write_bytes, 0);
    for (uintptr_t line = 10; line < 20; line++)
        touch(simulator, line, HYPERION_TOUCH_READ);
    const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
    assert_int_equal(stats.memory_write_bytes, LINE);
    assert_int_equal(stats.levels[2].write_backs, 1);
    hyperionFreeSimulator(simulator);
}

static void random_pages_keep_lines_within_a_page_and_pages_apart(void **state)
{
    (void)state;
    enum { PAGES = 64, PAGE_LINES = 64, LINES = PAGES * PAGE_LINES };
    const HyperionCacheTopology topology = {
        2, {{32768, LINE, 8, 1}, {(size_t)2 * LINES * LINE, LINE, 4, 1}}};
    uint64_t misses[3];
    for (int i = 0; i < 3; i++) {
        const HyperionCacheAssumptions assumptions = {
            .placement = i == 0 ? HYPERION_PLACEMENT_CONTIGUOUS : HYPERION_PLACEMENT_RANDOM_PAGES,
            .placement_seed = 5};
        HyperionSimulator *simulator = create(&topology, 1, assumptions);
        for (int round = 0; round < 2; round++)
            for (uintptr_t line = 0; line < LINES; line++)
                touch(simulator, line, HYPERION_TOUCH_READ);
        const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
        assert_int_equal(stats.levels[0].misses, 2 * LINES); // L1's sets are those of one page
        misses[i] = stats.levels[1].misses;
        hyperionFreeSimulator(simulator);
    }
    assert_int_equal(misses[0], LINES);
    assert_true(misses[1] > LINES && misses[1] < 2 * LINES); // some sets have too many pages
    assert_int_equal(misses[1], misses[2]);
}

static void streamed_lines_pass_all_levels(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create(&three, 1, (HyperionCacheAssumptions){0});
    touch(simulator, 7, HYPERION_TOUCH_READ);
    for (int quarter = 0; quarter < 4; quarter++)
        hyperionSimulatorTouch(simulator, 7 * LINE + (uintptr_t)quarter * 16, 16,
                               HYPERION_TOUCH_STREAM);
    touch(simulator, 7, HYPERION_TOUCH_READ);
    const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
    assert_int_equal(stats.memory_write_bytes, LINE);
    assert_int_equal(stats.levels[0].accesses, 2);
    assert_int_equal(stats.levels[0].misses, 2);
    hyperionFreeSimulator(simulator);
}

static void writing_what_was_just_read_makes_it_dirty(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create(&three, 1, (HyperionCacheAssumptions){0});
    touch(simulator, 1, HYPERION_TOUCH_READ);
    touch(simulator, 1, HYPERION_TOUCH_WRITE);
    touch(simulator, 1, HYPERION_TOUCH_READ);
    assert_int_equal(hyperionSimulatorStats(simulator).levels[0].accesses, 2);
    for (uintptr_t line = 10; line < 20; line++)
        touch(simulator, line, HYPERION_TOUCH_READ);
    assert_int_equal(hyperionSimulatorStats(simulator).memory_write_bytes, LINE);
    hyperionFreeSimulator(simulator);
}

typedef struct Work {
    HyperionSimulator *simulator;
    HyperionTouch kind;
    uintptr_t first[3]; // of each thread
    uintptr_t count;
} Work;

static void walk(void *context, size_t thread)
{
    const Work *work = context;
    for (uintptr_t i = 0; i < work->count; i++)
        touch(work->simulator, work->first[thread] + i, work->kind);
}

// L1 private, L2 by two cores, L3 by all.
static const HyperionCacheTopology shared = {
    3, {{8 * LINE, LINE, 8, 2}, {32 * LINE, LINE, 32, 4}, {128 * LINE, LINE, -1, 8}}};

static HyperionCacheStats run_threads(HyperionSimulator *simulator, Work work)
{
    const HyperionParallel parallel = hyperionSimulatorParallel(simulator);
    assert_int_equal(parallel.threads, 3);
    work.simulator = simulator;
    parallel.run(parallel.pool, 3, walk, &work);
    return hyperionSimulatorStats(simulator);
}

static void levels_are_shared_as_the_geometry_says(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create(&shared, 3, (HyperionCacheAssumptions){0});
    const Work work = {.kind = HYPERION_TOUCH_READ, .first = {0, 0, 0}, .count = 20};
    const HyperionCacheStats stats = run_threads(simulator, work);
    assert_int_equal(stats.levels[0].instances, 3);
    assert_int_equal(stats.levels[1].instances, 2);
    assert_int_equal(stats.levels[2].instances, 1);
    assert_false(stats.levels[0].shared);
    assert_true(stats.levels[1].shared);
    assert_int_equal(stats.levels[0].misses, 60);
    assert_int_equal(stats.levels[0].busiest_misses, 20);
    assert_int_equal(stats.levels[1].misses, 40); // the second of each pair finds the first's
    assert_int_equal(stats.levels[1].busiest_accesses, 40);
    assert_int_equal(stats.levels[2].misses, 20);
    assert_int_equal(stats.memory_read_bytes, 20 * LINE);
    hyperionFreeSimulator(simulator);
}

// L2 of 32 lines, two threads that walk in step through 20 lines each, twice: merged, 40 lines pass
// between two uses, so all miss; one after the other each would hit.
static void threads_meet_in_shared_levels_in_step(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create(&shared, 3, (HyperionCacheAssumptions){0});
    Work work = {.kind = HYPERION_TOUCH_READ, .first = {0, 1000, 2000}, .count = 20};
    (void)run_threads(simulator, work);
    const HyperionCacheStats stats = run_threads(simulator, work);
    assert_int_equal(stats.levels[1].misses, 40 + 40 + 20); // the third has an L2 to itself
    hyperionFreeSimulator(simulator);
}

static void writing_takes_lines_from_other_cores(void **state)
{
    (void)state;
    HyperionSimulator *simulator = create(&shared, 3, (HyperionCacheAssumptions){0});
    Work work = {.kind = HYPERION_TOUCH_READ, .first = {0, 0, 0}, .count = 4};
    (void)run_threads(simulator, work);
    work.kind = HYPERION_TOUCH_WRITE;
    work.first[0] = work.first[1] = 500;
    (void)run_threads(simulator, work); // the third writes what the first two have
    work.kind = HYPERION_TOUCH_READ;
    work.first[0] = 0;
    hyperionSimulatorResetCounters(simulator);
    const HyperionCacheStats stats = run_threads(simulator, work);
    assert_int_equal(stats.levels[0].busiest_misses, 4); // the first has to fetch them again
    assert_int_equal(stats.levels[0].write_backs, 4);    // from the third
    hyperionFreeSimulator(simulator);
}

static void unknown_sharing_is_private_up_to_l2(void **state)
{
    (void)state;
    HyperionCacheTopology topology = shared;
    for (int i = 0; i < 3; i++)
        topology.levels[i].sharing_cpus = 0;
    HyperionSimulator *simulator = create(&topology, 3, (HyperionCacheAssumptions){0});
    const HyperionCacheStats stats = hyperionSimulatorStats(simulator);
    assert_int_equal(stats.levels[1].instances, 3);
    assert_int_equal(stats.levels[2].instances, 1);
    hyperionFreeSimulator(simulator);
}

static void assert_refused(const HyperionCacheTopology *topology, int threads,
                           HyperionCacheAssumptions assumptions, const char *reason)
{
    assert_null(hyperionCreateSimulator(topology, threads, &assumptions));
    assert_non_null(strstr(hyperionGetLastError(), reason));
}

static void impossible_caches_are_refused(void **state)
{
    (void)state;
    const HyperionCacheAssumptions plain = {0};
    const HyperionCacheTopology unknown = {1, {{0, LINE, 8, 1}}};
    const HyperionCacheTopology single = {1, {{4096, LINE, 8, 1}}};
    assert_refused(NULL, 1, plain, "topology is NULL");
    assert_refused(&three, 0, plain, "1 to 1024 threads, given 0");
    assert_refused(&three, HYPERION_MAX_THREADS + 1, plain, "given 1025");
    assert_refused(&unknown, 1, plain, "size of L1 is not known");
    assert_refused(&three, 1, (HyperionCacheAssumptions){.replacement = HYPERION_REPLACEMENT_COUNT},
                   "replacement 0 to 2, given 3");
    assert_refused(&three, 1, (HyperionCacheAssumptions){.placement = HYPERION_PLACEMENT_COUNT},
                   "placement 0 to 1, given 2");
    assert_refused(&three, 1, (HyperionCacheAssumptions){.victim_level = 2}, "given 2 of 3");
    assert_refused(&single, 1, (HyperionCacheAssumptions){.victim_level = 1}, "given 1 of 1");
    assert_false(hyperionSimulatorStats(NULL).valid);
    assert_non_null(strstr(hyperionGetLastError(), "simulator is NULL"));
    hyperionFreeSimulator(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_points_away_from_the_half_used_last),
        cmocka_unit_test(padded_tree_never_chooses_missing_ways),
        cmocka_unit_test(qlru_gives_up_the_first_of_the_oldest),
        cmocka_unit_test(policies_agree_where_everything_fits),
        cmocka_unit_test(victim_level_holds_what_the_one_before_gives_up),
        cmocka_unit_test(victim_level_gives_dirty_lines_back_dirty),
        cmocka_unit_test(random_pages_keep_lines_within_a_page_and_pages_apart),
        cmocka_unit_test(streamed_lines_pass_all_levels),
        cmocka_unit_test(writing_what_was_just_read_makes_it_dirty),
        cmocka_unit_test(levels_are_shared_as_the_geometry_says),
        cmocka_unit_test(threads_meet_in_shared_levels_in_step),
        cmocka_unit_test(writing_takes_lines_from_other_cores),
        cmocka_unit_test(unknown_sharing_is_private_up_to_l2),
        cmocka_unit_test(impossible_caches_are_refused),
    };
    return cmocka_run_group_tests_name("simulator_policies", tests, NULL, NULL);
}
