// SPDX-License-Identifier: Apache-2.0
// test_closed_form.c - formulas against replay on seeded random products, and their laws. Over more
// operations and geometries: random/test_random_formulas.c.
#include "cache/blocking.h"
#include "hyperion/error.h"
#include "hyperion/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PRODUCTS = 150, LEVELS = 2, FEWEST_LINES = 6400 };

static const HyperionCacheTopology machines[] = {
    {3, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}, {33554432, 64, 16, 16}}},
    {3, {{32768, 64, 8, 1}, {1048576, 64, 16, 1}, {5767168, 64, 11, 1}}},
    {2, {{32768, 64, 8, 1}, {262144, 64, 4, 1}}},
    {2, {{65536, 64, 4, 1}, {1048576, 64, 8, 1}}},
    {2, {{49152, 64, 12, 1}, {1310720, 64, 20, 1}}},
};
static const size_t tiles[][2] = {{6, 2}, {4, 8}, {6, 16}, {14, 32}};

enum {
    MACHINE_COUNT = sizeof machines / sizeof machines[0],
    TILE_COUNT = sizeof tiles / sizeof tiles[0]
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t draw(uint64_t *state, size_t least, size_t most)
{
    return least + next_random(state) % (most - least + 1);
}

typedef struct Product {
    HyperionGemmShape shape;
    HyperionGemmBlocking blocking;
    const HyperionCacheTopology *machine;
} Product;

// Sizes of three kinds: any, multiples of 16, powers of two, which put rows into few sets.
static size_t draw_extent(uint64_t *state, uint64_t kind)
{
    if (kind == 0)
        return draw(state, 1, 320);
    if (kind == 1)
        return 16 * draw(state, 1, 20);
    return (size_t)64 << draw(state, 0, 2);
}

static Product draw_product(uint64_t *state, bool automatic)
{
    const uint64_t kind = next_random(state) % 3;
    Product product = {.machine = &machines[next_random(state) % MACHINE_COUNT]};
    product.shape.m = draw_extent(state, kind);
    product.shape.n = draw_extent(state, kind);
    product.shape.k = draw_extent(state, kind);
    product.shape.b_transposed = next_random(state) % 4 == 0;
    const size_t *tile = tiles[next_random(state) % TILE_COUNT];
    HyperionGemmBlocking *blocking = &product.blocking;
    if (automatic) {
        const HyperionCacheConfig config = {.block_size = 0};
        *blocking =
            hyp_blocking_resolve(&product.shape, &config, product.machine, tile[0], tile[1]);
        return product;
    }
    blocking->mr = tile[0];
    blocking->nr = tile[1];
    blocking->mc = tile[0] * draw(state, 1, (product.shape.m + tile[0] - 1) / tile[0]);
    blocking->kc = draw(state, 1, product.shape.k);
    blocking->nc = tile[1] * draw(state, 1, (product.shape.n + tile[1] - 1) / tile[1]);
    return product;
}

static double difference(uint64_t predicted, uint64_t replayed)
{
    const double distance =
        predicted > replayed ? (double)(predicted - replayed) : (double)(replayed - predicted);
    return distance / (double)(replayed > FEWEST_LINES ? replayed : FEWEST_LINES);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct Agreement {
    double errors[LEVELS][PRODUCTS];
    double access_errors[PRODUCTS];
    int inside[LEVELS];
} Agreement;

static void compare_products(Agreement *agreement, uint64_t seed, bool automatic)
{
    memset(agreement, 0, sizeof *agreement);
    for (int i = 0; i < PRODUCTS; i++) {
        const Product p = draw_product(&seed, automatic);
        const HyperionCacheStats replayed = hyperionReplayGemm(&p.shape, &p.blocking, p.machine);
        const HyperionCacheStats predicted = hyperionPredictGemm(&p.shape, &p.blocking, p.machine);
        assert_true(replayed.valid && predicted.valid);
        assert_int_equal(predicted.tier, HYPERION_CACHE_TIER_CLOSED_FORM);
        agreement->access_errors[i] =
            difference(predicted.levels[0].accesses, replayed.levels[0].accesses);
        for (int l = 0; l < LEVELS; l++) {
            const HyperionCacheLevelStats *level = &predicted.levels[l];
            const uint64_t misses = replayed.levels[l].misses;
            agreement->errors[l][i] = difference(level->misses, misses);
            agreement->inside[l] += level->misses_low <= misses && misses <= level->misses_high;
        }
    }
    qsort(agreement->access_errors, PRODUCTS, sizeof(double), compare_doubles);
    for (int l = 0; l < LEVELS; l++)
        qsort(agreement->errors[l], PRODUCTS, sizeof(double), compare_doubles);
}

static void report(const char *what, const Agreement *agreement)
{
    for (int l = 0; l < LEVELS; l++)
        print_message("%s blockings, L%d: median %.2f %%, 90 %% %.2f %%, worst %.1f %%, %d of %d "
                      "in the interval\n",
                      what, l + 1, 100 * agreement->errors[l][PRODUCTS / 2],
                      100 * agreement->errors[l][PRODUCTS * 9 / 10],
                      100 * agreement->errors[l][PRODUCTS - 1], agreement->inside[l], PRODUCTS);
}

static void prediction_agrees_with_replay_on_random_blockings(void **state)
{
    (void)state;
    Agreement agreement;
    compare_products(&agreement, 20260101, false);
    report("random", &agreement);
    assert_true(agreement.errors[0][PRODUCTS / 2] <= 0.02);
    assert_true(agreement.errors[0][PRODUCTS * 9 / 10] <= 0.10);
    assert_true(agreement.errors[1][PRODUCTS / 2] <= 0.05);
    assert_true(agreement.errors[1][PRODUCTS * 9 / 10] <= 0.15);
    assert_true(agreement.access_errors[PRODUCTS / 2] <= 0.005);
    assert_true(agreement.access_errors[PRODUCTS * 9 / 10] <= 0.025);
    for (int l = 0; l < LEVELS; l++)
        assert_true(agreement.inside[l] >= PRODUCTS * 8 / 10);
}

static void prediction_agrees_with_replay_on_automatic_blockings(void **state)
{
    (void)state;
    Agreement agreement;
    compare_products(&agreement, 20260102, true);
    report("automatic", &agreement);
    assert_true(agreement.errors[0][PRODUCTS / 2] <= 0.005);
    assert_true(agreement.errors[0][PRODUCTS * 9 / 10] <= 0.02);
    assert_true(agreement.errors[1][PRODUCTS / 2] <= 0.005);
    assert_true(agreement.errors[1][PRODUCTS * 9 / 10] <= 0.05);
    assert_true(agreement.access_errors[PRODUCTS * 9 / 10] <= 0.01);
    for (int l = 0; l < LEVELS; l++)
        assert_true(agreement.inside[l] >= PRODUCTS * 8 / 10);
}

// Products as networks have them, on servers: of one row with transposed weights, whose rows lie in
// one set; of slivers that the first level hides from the second.
static void products_of_networks_agree_with_replay(void **state)
{
    (void)state;
    static const HyperionGemmShape shapes[] = {{.m = 1, .n = 1000, .k = 2048, .b_transposed = true},
                                               {.m = 1, .n = 4096, .k = 1024, .b_transposed = true},
                                               {.m = 16, .n = 768, .k = 768, .b_transposed = true},
                                               {.m = 128, .n = 768, .k = 768},
                                               {.m = 512, .n = 512, .k = 512},
                                               {.m = 16, .n = 12544, .k = 32}};
    const HyperionCacheConfig config = {.block_size = 0};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (size_t t = 1; t < TILE_COUNT; t++)
            for (size_t k = 0; k < 2; k++) {
                const HyperionGemmBlocking blocking = hyp_blocking_resolve(
                    &shapes[i], &config, &machines[k], tiles[t][0], tiles[t][1]);
                const HyperionCacheStats predicted =
                    hyperionPredictGemm(&shapes[i], &blocking, &machines[k]);
                const HyperionCacheStats replayed =
                    hyperionReplayGemm(&shapes[i], &blocking, &machines[k]);
                assert_true(difference(predicted.levels[0].misses, replayed.levels[0].misses) <=
                            0.025);
                assert_true(difference(predicted.levels[1].misses, replayed.levels[1].misses) <=
                            0.05);
            }
}

static void prediction_of_sgemm_480_is_the_count_by_hand(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 480, .n = 480, .k = 480};
    const HyperionGemmBlocking blocking = {.mc = 96, .kc = 240, .nc = 480, .mr = 6, .nr = 16};
    const HyperionCacheStats stats = hyperionPredictGemm(&shape, &blocking, &machines[0]);
    assert_int_equal(stats.levels[0].misses, 590400);
    assert_in_range(stats.levels[1].misses, 69000, 72000);
}

static void assert_lawful(const HyperionCacheStats *stats)
{
    for (int l = 0; l < stats->level_count; l++) {
        const HyperionCacheLevelStats *level = &stats->levels[l];
        assert_int_equal(level->hits + level->misses, level->accesses);
        assert_int_equal(level->fills, level->misses);
        assert_true(level->misses_low <= level->misses && level->misses <= level->misses_high);
        assert_true(level->misses_high <= level->accesses);
        assert_true(level->write_backs <= level->misses);
        assert_true(level->hit_rate >= 0 && level->hit_rate <= 1);
        if (l > 0)
            assert_int_equal(level->accesses, stats->levels[l - 1].misses);
    }
}

static void statistics_obey_their_laws(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int i = 0; i < 500; i++) {
        Product p = draw_product(&seed, i % 2 == 0);
        p.blocking.prefetch_lines = (size_t)i % 3;
        const HyperionCacheStats predicted = hyperionPredictGemm(&p.shape, &p.blocking, p.machine);
        assert_true(predicted.valid);
        assert_lawful(&predicted);
        assert_true((predicted.prefetches > 0) == (i % 3 > 0));
    }
}

// Ways are added to the same sets; each level alone. Where parts of a block are walked with so many
// ways and no more with others, the two differ by little.
static void larger_caches_never_miss_more(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int i = 0; i < 60; i++) {
        const Product p = draw_product(&seed, false);
        uint64_t fewer = UINT64_MAX / 2;
        for (int ways = 1; ways <= 32; ways++) {
            const HyperionCacheTopology topology = {1, {{4096 * (size_t)ways, 64, ways, 1}}};
            const HyperionCacheStats stats = hyperionPredictGemm(&p.shape, &p.blocking, &topology);
            assert_true(stats.levels[0].misses <= fewer + fewer / 200);
            fewer = stats.levels[0].misses;
        }
    }
}

// In a cache that holds everything each line of the five arrays is missed once.
static void what_fits_is_missed_once(void **state)
{
    (void)state;
    const HyperionCacheTopology large = {1, {{268435456, 64, -1, 1}}};
    const HyperionGemmShape shape = {.m = 96, .n = 128, .k = 160};
    const HyperionGemmBlocking blocking = {.mc = 48, .kc = 80, .nc = 64, .mr = 6, .nr = 16};
    const HyperionCacheStats stats = hyperionPredictGemm(&shape, &blocking, &large);
    const uint64_t arrays = (96 * 160 + 160 * 128 + 96 * 128) / 16;
    const uint64_t packed = (48 * 80 + 80 * 64) / 16;
    assert_int_equal(stats.levels[0].misses, arrays + packed);
    assert_int_equal(stats.memory_read_bytes, (arrays + packed) * 64);
    assert_int_equal(stats.memory_write_bytes, 0);
}

static void other_line_sizes_agree_with_replay(void **state)
{
    (void)state;
    static const int lines[] = {32, 128};
    for (size_t i = 0; i < 2; i++) {
        const HyperionCacheTopology topology = {
            2, {{32768, lines[i], 8, 1}, {262144, lines[i], 8, 1}}};
        const HyperionGemmShape shape = {.m = 240, .n = 240, .k = 240};
        const HyperionGemmBlocking blocking = {.mc = 48, .kc = 120, .nc = 240, .mr = 6, .nr = 16};
        const HyperionCacheStats predicted = hyperionPredictGemm(&shape, &blocking, &topology);
        const HyperionCacheStats replayed = hyperionReplayGemm(&shape, &blocking, &topology);
        for (int l = 0; l < LEVELS; l++)
            assert_true(difference(predicted.levels[l].misses, replayed.levels[l].misses) < 0.05);
    }
}

static void prediction_of_nothing_is_nothing(void **state)
{
    (void)state;
    const HyperionGemmBlocking blocking = {.mc = 6, .kc = 1, .nc = 16, .mr = 6, .nr = 16};
    const HyperionGemmShape empty = {.m = 0, .n = 5, .k = 5};
    const HyperionCacheStats stats = hyperionPredictGemm(&empty, &blocking, &machines[0]);
    assert_true(stats.valid);
    assert_int_equal(stats.levels[0].accesses, 0);
    assert_lawful(&stats);
}

// The number of blocks does not enter the cost: a million of them are one of each kind.
static void many_blocks_are_counted_at_once(void **state)
{
    (void)state;
    const HyperionGemmShape shape = {.m = 1 << 17, .n = 1 << 17, .k = 1 << 17};
    const HyperionGemmBlocking blocking = {.mc = 6, .kc = 1, .nc = 16, .mr = 6, .nr = 16};
    const HyperionCacheStats stats = hyperionPredictGemm(&shape, &blocking, &machines[0]);
    assert_true(stats.valid);
    assert_lawful(&stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prediction_agrees_with_replay_on_random_blockings),
        cmocka_unit_test(prediction_agrees_with_replay_on_automatic_blockings),
        cmocka_unit_test(products_of_networks_agree_with_replay),
        cmocka_unit_test(prediction_of_sgemm_480_is_the_count_by_hand),
        cmocka_unit_test(statistics_obey_their_laws),
        cmocka_unit_test(larger_caches_never_miss_more),
        cmocka_unit_test(what_fits_is_missed_once),
        cmocka_unit_test(other_line_sizes_agree_with_replay),
        cmocka_unit_test(prediction_of_nothing_is_nothing),
        cmocka_unit_test(many_blocks_are_counted_at_once),
    };
    return cmocka_run_group_tests_name("closed_form", tests, NULL, NULL);
}
