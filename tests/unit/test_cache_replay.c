// SPDX-License-Identifier: Apache-2.0
// test_cache_replay.c - the real nest's lines through the simulator: known counts, laws, refusals.
#include "hyperion/error.h"
#include "hyperion/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const HyperionCacheTopology zen5 = {2, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}}};
static const HyperionGemmBlocking plain = {.mc = 96, .kc = 240, .nc = 480, .mr = 6, .nr = 16};

// callgrind counted 590,547 and 70,503 misses of a compiled kernel with this blocking
// (design/field-notes.md, "Simulated counts"); the L1 count by hand is 590,400.
static void replay_of_sgemm_480_gives_the_known_counts(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 480, .n = 480, .k = 480};
    const HyperionCacheStats stats = hyperionReplayGemm(&shape, &plain, &zen5);
    assert_true(stats.valid);
    assert_int_equal(stats.level_count, 2);
    assert_int_equal(stats.tier, HYPERION_CACHE_TIER_REPLAY);
    assert_int_equal(stats.levels[0].misses, 590400);
    assert_in_range(stats.levels[1].misses, 70000, 71000);
    assert_int_equal(stats.levels[0].geometry.ways, 12);
    assert_int_equal(stats.prefetches, 0);
}

// All arrays fit L1: what is left are the first touches of A, B, C and the packed copies.
static void replay_of_a_small_product_misses_each_line_once(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 24, .n = 32, .k = 16};
    const HyperionGemmBlocking blocking = {.mc = 24, .kc = 16, .nc = 32, .mr = 6, .nr = 16};
    const HyperionCacheStats stats = hyperionReplayGemm(&shape, &blocking, &zen5);
    const uint64_t floats = 2560; // A and B twice, C once
    const uint64_t lines = floats / 16;
    assert_int_equal(stats.levels[0].misses, lines);
    assert_int_equal(stats.levels[1].misses, lines);
    assert_int_equal(stats.memory_read_bytes, lines * 64);
    assert_int_equal(stats.memory_write_bytes, 0);
}

// Per tile: mr rows of C; per k and tile: one line of B and the mr floats of A, which straddle two
// lines when their 24 bytes start at 48 or 56, that is 2 of 8 times. Packing reads and writes B in
// two vectors of 8; of A, 8 k at a time, it reads a line of each row and writes 192 bytes, of which
// the last vector spills into a fourth line, but for the last 8.
static void replay_counts_touches_of_lines(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 6, .n = 16, .k = 64};
    const HyperionGemmBlocking blocking = {.mc = 6, .kc = 64, .nc = 16, .mr = 6, .nr = 16};
    const uint64_t pack_b = 4 * 64;
    const uint64_t pack_a = 8 * 6 + 8 * 4 - 1;
    const uint64_t multiply = 64 + 64 + 64 / 4 + 6;
    const HyperionCacheStats stats = hyperionReplayGemm(&shape, &blocking, &zen5);
    assert_int_equal(stats.levels[0].accesses, pack_b + pack_a + multiply);
}

static void replay_counts_prefetches_of_each_tile(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 13, .n = 33, .k = 100};
    HyperionGemmBlocking blocking = plain;
    blocking.prefetch_lines = 8;
    const HyperionCacheStats stats = hyperionReplayGemm(&shape, &blocking, &zen5);
    assert_int_equal(stats.prefetches, 3 * 3 * 100 / 2 + 13 * 3);
    assert_int_equal(hyperionPredictGemm(&shape, &blocking, &zen5).prefetches, stats.prefetches);
}

static void replay_of_nothing_is_nothing(void **state)
{
    (void)state;
    const HyperionGemmShape empty = {0};
    const HyperionCacheStats stats = hyperionReplayGemm(&empty, &plain, &zen5);
    assert_true(stats.valid);
    assert_int_equal(stats.levels[0].accesses, 0);
    assert_int_equal(stats.levels[0].misses, 0);
}

static void replay_of_a_larger_cache_with_the_same_sets_misses_less(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 100, .n = 120, .k = 90, .b_transposed = true};
    const HyperionGemmBlocking blocking = {.mc = 48, .kc = 40, .nc = 64, .mr = 6, .nr = 16};
    uint64_t fewer = UINT64_MAX;
    for (int ways = 1; ways <= 16; ways++) {
        const HyperionCacheTopology topology = {
            2, {{(size_t)ways * 4096, 64, ways, 1}, {(size_t)ways * 16384, 64, ways, 1}}};
        const HyperionCacheStats stats = hyperionReplayGemm(&shape, &blocking, &topology);
        assert_true(stats.levels[0].misses <= fewer);
        assert_true(stats.levels[1].misses <= stats.levels[0].misses);
        assert_int_equal(stats.levels[0].hits + stats.levels[0].misses, stats.levels[0].accesses);
        fewer = stats.levels[0].misses;
    }
}

static void replay_assumes_what_the_geometry_leaves_open(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 30, .n = 30, .k = 30};
    const HyperionCacheTopology open = {3,
                                        {{.size_bytes = 32768, .ways = 8},
                                         {.size_bytes = 262144, .line_bytes = 32},
                                         {.size_bytes = 96, .ways = -1}}};
    const HyperionCacheStats stats = hyperionReplayGemm(&shape, &plain, &open);
    assert_true(stats.valid);
    assert_int_equal(stats.levels[0].geometry.line_bytes, 32);
    assert_int_equal(stats.levels[1].geometry.ways, 16);
    assert_int_equal(stats.levels[2].geometry.line_bytes, 32);
}

static void assert_refused(const HyperionGemmShape *shape, const HyperionGemmBlocking *blocking,
                           const HyperionCacheTopology *topology, HyperionErrorKind kind,
                           const char *named)
{
    assert_false(hyperionReplayGemm(shape, blocking, topology).valid);
    assert_int_equal(hyperionGetLastErrorKind(), kind);
    assert_non_null(strstr(hyperionGetLastError(), named));
    assert_false(hyperionPredictGemm(shape, blocking, topology).valid);
    assert_int_equal(hyperionGetLastErrorKind(), kind);
    assert_non_null(strstr(hyperionGetLastError(), named));
}

static void predictions_without_an_answer_say_why(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 10, .n = 10, .k = 10};
    assert_refused(NULL, &plain, &zen5, HYPERION_ERROR_ARGUMENT, "shape is NULL");
    assert_refused(&shape, NULL, &zen5, HYPERION_ERROR_ARGUMENT, "blocking is NULL");
    assert_refused(&shape, &plain, NULL, HYPERION_ERROR_ARGUMENT, "topology is NULL");

    HyperionGemmBlocking blocking = plain;
    blocking.mc = 97;
    assert_refused(&shape, &blocking, &zen5, HYPERION_ERROR_ARGUMENT, "mc 97");
    blocking = plain;
    blocking.kc = 0;
    assert_refused(&shape, &blocking, &zen5, HYPERION_ERROR_ARGUMENT, "kc 0");

    const HyperionGemmShape huge = {.m = SIZE_MAX / 8, .n = 1, .k = 2};
    assert_refused(&huge, &plain, &zen5, HYPERION_ERROR_ARGUMENT, "address space");

    HyperionCacheTopology topology = zen5;
    topology.level_count = 0;
    assert_refused(&shape, &plain, &topology, HYPERION_ERROR_ARGUMENT, "1 to 4 levels");
    topology = zen5;
    topology.levels[1].size_bytes = 0;
    assert_refused(&shape, &plain, &topology, HYPERION_ERROR_UNSUPPORTED, "size of L2");
    topology = zen5;
    topology.levels[1].line_bytes = 128;
    assert_refused(&shape, &plain, &topology, HYPERION_ERROR_UNSUPPORTED, "64 and 128");
    const HyperionCacheTopology tiny = {2, {{.size_bytes = 256, .line_bytes = 64}, {32, 0, 0, 0}}};
    topology = zen5;
    topology.levels[1].size_bytes = SIZE_MAX;
    assert_refused(&shape, &plain, &topology, HYPERION_ERROR_ARGUMENT, "at most 1099511627776");
    blocking = plain;
    blocking.nc = SIZE_MAX - SIZE_MAX % 16;
    assert_refused(&shape, &blocking, &zen5, HYPERION_ERROR_ARGUMENT, "from 1 to");
    assert_refused(&shape, &plain, &tiny, HYPERION_ERROR_ARGUMENT, "smaller than one line");
}

static void replay_of_a_cache_too_large_to_simulate_says_so(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 10, .n = 10, .k = 10};
    HyperionCacheTopology topology = zen5;
    topology.levels[1] = (HyperionCacheLevel){(size_t)1 << 40, 64, -1, 1};
    assert_false(hyperionReplayGemm(&shape, &plain, &topology).valid);
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    assert_non_null(strstr(hyperionGetLastError(), "L2 of 1099511627776 bytes"));
    assert_true(hyperionPredictGemm(&shape, &plain, &topology).valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_of_sgemm_480_gives_the_known_counts),
        cmocka_unit_test(replay_of_a_small_product_misses_each_line_once),
        cmocka_unit_test(replay_counts_touches_of_lines),
        cmocka_unit_test(replay_counts_prefetches_of_each_tile),
        cmocka_unit_test(replay_of_nothing_is_nothing),
        cmocka_unit_test(replay_of_a_larger_cache_with_the_same_sets_misses_less),
        cmocka_unit_test(replay_assumes_what_the_geometry_leaves_open),
        cmocka_unit_test(predictions_without_an_answer_say_why),
        cmocka_unit_test(replay_of_a_cache_too_large_to_simulate_says_so),
    };
    return cmocka_run_group_tests_name("cache_replay", tests, NULL, NULL);
}
