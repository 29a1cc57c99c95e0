// SPDX-License-Identifier: Apache-2.0
// test_blocking.c - configuration and geometry to MC/KC/NC, and what is refused.
#include "cache/blocking.h"
#include "hyperion/error.h"
#include "kernel_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const HyperionCacheTopology zen5 = {
    .level_count = 3, .levels = {{49152, 64, 12, 1}, {1048576, 64, 16, 1}, {33554432, 64, 16, 16}}};
static const HyperionCacheConfig automatic = {.enable_prefetch = true, .prefetch_distance = 8};
static const HyperionGemmShape large = {.m = 2000, .n = 9000, .k = 3000};

static void assert_refused(const HyperionGemmShape *shape, const HyperionCacheConfig *config,
                           const HyperionCacheTopology *topology, int level, const char *named)
{
    HyperionGemmBlocking blocking, before;
    memset(&blocking, 0x5a, sizeof blocking);
    before = blocking;
    assert_false(hyperionResolveGemmBlocking(shape, config, topology, level, &blocking));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    assert_non_null(strstr(hyperionGetLastError(), named));
    assert_memory_equal(&blocking, &before, sizeof before);
}

static void blocking_of_block_size_is_rounded_to_the_tile(void **state)
{
    (void)state;
    const HyperionCacheConfig config = {
        .block_size = 64, .enable_prefetch = true, .prefetch_distance = 5};
    const HyperionGemmBlocking b = hyp_blocking_resolve(&large, &config, &zen5, 14, 32);
    assert_int_equal(b.mc, 70); // 64 / 14 = 4.6 tiles
    assert_int_equal(b.kc, 64);
    assert_int_equal(b.nc, 512);
    assert_int_equal(b.mr, 14);
    assert_int_equal(b.nr, 32);
    assert_int_equal(b.prefetch_lines, 5);
}

static void blocking_smaller_than_the_tile_is_one_tile(void **state)
{
    (void)state;
    const HyperionCacheConfig config = {.block_size = 1};
    const HyperionGemmBlocking b = hyp_blocking_resolve(&large, &config, &zen5, 14, 32);
    assert_int_equal(b.mc, 14);
    assert_int_equal(b.kc, 1);
    assert_int_equal(b.nc, 32);
}

static void blocking_never_passes_the_rounded_problem(void **state)
{
    (void)state;
    const HyperionGemmShape small = {.m = 13, .n = 33, .k = 5};
    const HyperionCacheConfig huge = {.block_size = 65536};
    const HyperionCacheConfig *const configs[] = {&huge, &automatic};
    for (size_t i = 0; i < 2; i++) {
        const HyperionGemmBlocking b = hyp_blocking_resolve(&small, configs[i], &zen5, 6, 16);
        assert_int_equal(b.mc, 18);
        assert_int_equal(b.kc, 5);
        assert_int_equal(b.nc, 48);
    }
}

static void blocking_of_an_empty_product_is_one_tile(void **state)
{
    (void)state;
    const HyperionGemmShape empty = {0};
    const HyperionGemmBlocking b = hyp_blocking_resolve(&empty, &automatic, &zen5, 6, 16);
    assert_int_equal(b.mc, 6);
    assert_int_equal(b.kc, 1);
    assert_int_equal(b.nc, 16);
}

// Low et al. 2016 for 6 x 16 on 64 sets of 12 ways: 11 * 6 / 22 = 3 ways for A, 3 * 4096 bytes /
// (6 * 4) = 512; 3000 in blocks of at most 512 -> 6 equal ones of 500.
static void automatic_kc_divides_the_ways_of_l1(void **state)
{
    (void)state;
    const HyperionGemmBlocking b = hyp_blocking_resolve(&large, &automatic, &zen5, 6, 16);
    assert_int_equal(b.kc, 500);
    assert_int_equal(b.prefetch_lines, 8);
}

// The same rule gives 216 for 14 x 32, less than what spares C: 448; 7 equal blocks of 429.
static void automatic_kc_of_wide_tiles_spares_c(void **state)
{
    (void)state;
    assert_int_equal(hyp_blocking_resolve(&large, &automatic, &zen5, 14, 32).kc, 429);
}

static void automatic_blocks_fit_their_levels(void **state)
{
    (void)state;
    static const size_t tiles[][2] = {{4, 4}, {4, 12}, {6, 16}, {14, 32}, {8, 48}, {24, 4}};
    static const HyperionCacheTopology machines[] = {
        {2, {{32768, 64, 8, 1}, {262144, 64, 4, 1}}},
        {3, {{65536, 64, 4, 1}, {1048576, 64, 8, 1}, {8388608, 64, 16, 4}}},
        {3, {{49152, 64, 12, 2}, {2097152, 64, 16, 2}, {51904512, 64, 11, 48}}},
    };
    for (size_t t = 0; t < sizeof tiles / sizeof tiles[0]; t++) {
        for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
            const HyperionCacheLevel *levels = machines[i].levels;
            const HyperionGemmBlocking b =
                hyp_blocking_resolve(&large, &automatic, &machines[i], tiles[t][0], tiles[t][1]);
            assert_true(b.kc <= 448 || (b.mr + b.nr) * b.kc * 4 <= levels[0].size_bytes);
            assert_true(b.mc * b.kc * 4 <= levels[1].size_bytes / 2);
            if (machines[i].level_count > 2)
                assert_true(b.kc * b.nc * 4 <=
                            levels[2].size_bytes / (size_t)levels[2].sharing_cpus / 2);
            assert_int_equal(b.mc % b.mr, 0);
            assert_int_equal(b.nc % b.nr, 0);
        }
    }
}

static void unknown_geometry_still_blocks(void **state)
{
    (void)state;
    const HyperionCacheTopology nothing = {0};
    const HyperionGemmBlocking b = hyp_blocking_resolve(&large, &automatic, &nothing, 6, 16);
    assert_true(b.kc <= 448);
    assert_true(b.mc * b.kc * 4 <= 131072);
    assert_true(b.nc > 0 && b.nc <= 4096);
}

static void prefetch_off_means_no_lines(void **state)
{
    (void)state;
    const HyperionCacheConfig off = {.enable_prefetch = false, .prefetch_distance = 8};
    assert_int_equal(hyp_blocking_resolve(&large, &off, &zen5, 6, 16).prefetch_lines, 0);
}

static void public_resolver_uses_the_tile_of_the_level(void **state)
{
    (void)state;
    for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
        const HypKernelVariant *kernel = hyp_kernel_find(HYP_OP_GEMM, (HyperionSIMDLevel)level);
        HyperionGemmBlocking b = {0};
        if (!kernel) {
            assert_false(hyperionResolveGemmBlocking(&large, &automatic, &zen5, level, &b));
            assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_UNSUPPORTED);
            continue;
        }
        assert_true(hyperionResolveGemmBlocking(&large, &automatic, &zen5, level, &b));
        const HyperionGemmBlocking expected =
            hyp_blocking_resolve(&large, &automatic, &zen5, kernel->mr, kernel->nr);
        assert_memory_equal(&b, &expected, sizeof b);
    }
}

static void bad_arguments_are_refused_and_named(void **state)
{
    (void)state;
    assert_refused(NULL, &automatic, &zen5, 0, "shape is NULL");
    assert_refused(&large, NULL, &zen5, 0, "config is NULL");
    assert_refused(&large, &automatic, NULL, 0, "topology is NULL");
    assert_refused(&large, &automatic, &zen5, -1, "given -1");
    assert_refused(&large, &automatic, &zen5, 4, "given 4");
    assert_false(hyperionResolveGemmBlocking(&large, &automatic, &zen5, 0, NULL));
    assert_non_null(strstr(hyperionGetLastError(), "blocking is NULL"));

    HyperionCacheConfig config = automatic;
    config.block_size = -3;
    assert_refused(&large, &config, &zen5, 0, "given -3");
    config.block_size = 65537;
    assert_refused(&large, &config, &zen5, 0, "given 65537");
    config = automatic;
    config.prefetch_distance = -1;
    assert_refused(&large, &config, &zen5, 0, "prefetch_distance");
    static const int lines[] = {-64, 8, 48, 2048};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        config = automatic;
        config.cache_line_size = lines[i];
        assert_refused(&large, &config, &zen5, 0, "cache_line_size");
    }
}

static void impossible_geometries_are_refused_and_named(void **state)
{
    (void)state;
    HyperionCacheTopology t = zen5;
    t.level_count = -1;
    assert_refused(&large, &automatic, &t, 0, "given -1");
    t.level_count = 5;
    assert_refused(&large, &automatic, &t, 0, "given 5");
    t = zen5;
    t.levels[1].line_bytes = 96;
    assert_refused(&large, &automatic, &t, 0, "L2 line_bytes");
    t = zen5;
    t.levels[2].ways = -2;
    assert_refused(&large, &automatic, &t, 0, "L3 ways");
    t = zen5;
    t.levels[0].ways = 769;
    assert_refused(&large, &automatic, &t, 0, "768 lines");
    t = zen5;
    t.levels[0].size_bytes = 32;
    assert_refused(&large, &automatic, &t, 0, "smaller than one line");
    t = zen5;
    t.levels[0].sharing_cpus = -1;
    assert_refused(&large, &automatic, &t, 0, "sharing_cpus");
}

static void shape_past_the_address_space_is_refused(void **state)
{
    (void)state;
    if (!hyp_kernel_find(HYP_OP_GEMM, HYPERION_SIMD_SCALAR)) {
        print_message("skipped: this build has no gemm kernel\n");
        skip();
    }
    const HyperionGemmShape shapes[] = {
        {.m = SIZE_MAX, .n = 1, .k = 1},
        {.m = 1, .n = SIZE_MAX / 4, .k = 1},
        {.m = SIZE_MAX / 64, .n = 1, .k = 64},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        assert_refused(&shapes[i], &automatic, &zen5, 0, "address space");
}

static void host_topology_is_consistent(void **state)
{
    (void)state;
    const HyperionCacheTopology host = hyperionGetHostCacheTopology();
    assert_in_range(host.level_count, 0, HYPERION_MAX_CACHE_LEVELS);
    for (int i = 0; i < host.level_count; i++) {
        assert_true(host.levels[i].size_bytes > 0);
        assert_true(host.levels[i].line_bytes >= 0);
        assert_true(host.levels[i].ways >= 0);
        assert_int_equal(host.levels[i].sharing_cpus, 0); // sysconf does not tell
    }
    if (host.level_count == 0) {
        print_message("skipped: sysconf knows no cache of this machine\n");
        skip();
    }
    HyperionGemmBlocking b;
    if (hyp_kernel_find(HYP_OP_GEMM, HYPERION_SIMD_SCALAR))
        assert_true(hyperionResolveGemmBlocking(&large, &automatic, &host, 0, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocking_of_block_size_is_rounded_to_the_tile),
        cmocka_unit_test(blocking_smaller_than_the_tile_is_one_tile),
        cmocka_unit_test(blocking_never_passes_the_rounded_problem),
        cmocka_unit_test(blocking_of_an_empty_product_is_one_tile),
        cmocka_unit_test(automatic_kc_divides_the_ways_of_l1),
        cmocka_unit_test(automatic_kc_of_wide_tiles_spares_c),
        cmocka_unit_test(automatic_blocks_fit_their_levels),
        cmocka_unit_test(unknown_geometry_still_blocks),
        cmocka_unit_test(prefetch_off_means_no_lines),
        cmocka_unit_test(public_resolver_uses_the_tile_of_the_level),
        cmocka_unit_test(bad_arguments_are_refused_and_named),
        cmocka_unit_test(impossible_geometries_are_refused_and_named),
        cmocka_unit_test(shape_past_the_address_space_is_refused),
        cmocka_unit_test(host_topology_is_consistent),
    };
    return cmocka_run_group_tests_name("blocking", tests, NULL, NULL);
}
