// SPDX-License-Identifier: Apache-2.0
// test_predict_kernel.c - predictions of single kernel calls: closed form against replay, what the
// configuration changes, refusals.
#include "hyperion/error.h"
#include "hyperion/simulate.h"
#include "kernel_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_places.h"

static const HyperionCacheTopology zen5 = {2, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}}};
static const HyperionPredictionConfig replayed = {.tier = HYPERION_CACHE_TIER_REPLAY};

static HypKernelArgs relu(size_t count)
{
    Places places = {0};
    return (HypKernelArgs){.activation = {.function = HYPERION_ACTIVATION_RELU,
                                          .in = place(&places, count),
                                          .out = place(&places, count),
                                          .count = count}};
}

static HypKernelArgs attention(size_t heads, size_t queries, size_t keys, size_t dim, bool causal)
{
    Places places = {0};
    HypKernelArgs args = {.attention = {.batch = 1,
                                        .heads = heads,
                                        .queries = queries,
                                        .keys = keys,
                                        .dim = dim,
                                        .causal = causal}};
    args.attention.q = place(&places, queries * heads * dim);
    args.attention.k = place(&places, keys * heads * dim);
    args.attention.v = place(&places, keys * heads * dim);
    args.attention.out = place(&places, queries * heads * dim);
    args.attention.workspace =
        place(&places, hyp_attention_workspace_bytes(&args.attention) / sizeof(float));
    return args;
}

static void assert_share(uint64_t predicted, uint64_t want, double share)
{
    const double floor = want > 6400 ? (double)want : 6400;
    const double error = ((double)predicted - (double)want) / floor;
    if (error > share || error < -share)
        fail_msg("predicted %llu, replayed %llu", (unsigned long long)predicted,
                 (unsigned long long)want);
}

static void streams_agree_at_every_level(void **state)
{
    (void)state;
    const HypKernelArgs args = relu(100003);
    for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
        const HypKernelVariant *variant =
            hyp_kernel_find(HYP_OP_ACTIVATION, (HyperionSIMDLevel)level);
        const HyperionCacheStats exact = hyperionPredictKernel(variant, &args, &zen5, &replayed);
        const HyperionCacheStats formula = hyperionPredictKernel(variant, &args, &zen5, NULL);
        assert_int_equal(exact.tier, HYPERION_CACHE_TIER_REPLAY);
        assert_int_equal(formula.tier, HYPERION_CACHE_TIER_CLOSED_FORM);
        assert_int_equal(exact.levels[0].misses, 2 * ((100003 + 15) / 16));
        for (int l = 0; l < 2; l++)
            assert_share(formula.levels[l].fills, exact.levels[l].fills, 0.001);
    }
}

// By at most such shares of the fills of L1 and L2, at every level.
static void assert_near_replay(const HypKernelArgs *args, double l1_share, double l2_share)
{
    for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
        const HypKernelVariant *variant =
            hyp_kernel_find(HYP_OP_ATTENTION, (HyperionSIMDLevel)level);
        const HyperionCacheStats exact = hyperionPredictKernel(variant, args, &zen5, &replayed);
        const HyperionCacheStats formula = hyperionPredictKernel(variant, args, &zen5, NULL);
        assert_share(formula.levels[0].accesses, exact.levels[0].accesses, 0.1);
        assert_share(formula.levels[0].fills, exact.levels[0].fills, l1_share);
        assert_share(formula.levels[1].fills, exact.levels[1].fills, l2_share);
    }
}

// Heads a power of two apart among them: the rows of a head fall into few sets.
static void attention_in_closed_form_is_near_its_replay(void **state)
{
    (void)state;
    const HypKernelArgs cases[] = {
        attention(4, 128, 128, 64, false),  attention(3, 128, 128, 64, false),
        attention(4, 64, 256, 64, false),   attention(4, 128, 128, 32, false),
        attention(12, 384, 384, 64, false), attention(2, 33, 33, 32, false)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_near_replay(&cases[i], 0.02, 0.05);
}

// Which pack nothing: 80 columns are no whole number of the registers that are summed together.
static void queries_taken_alone_are_near_their_replay(void **state)
{
    (void)state;
    const HypKernelArgs cases[] = {attention(5, 1, 300, 64, true), attention(3, 1, 1024, 128, true),
                                   attention(16, 1, 200, 64, true), attention(12, 1, 500, 80, true),
                                   attention(4, 3, 200, 64, true)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_near_replay(&cases[i], 0.03, 0.02);
}

// Of heads with the same keys: of 8 they lie in sets of their own each, of which the queries meet
// one, of 3 they stay from one head to the next, or do not.
static void queries_alone_that_share_keys_are_near_their_replay(void **state)
{
    (void)state;
    HypKernelArgs cases[] = {attention(32, 1, 512, 128, false), attention(9, 3, 259, 32, false),
                             attention(9, 2, 152, 64, true)};
    cases[0].attention.kv_heads = 8;
    cases[1].attention.kv_heads = cases[2].attention.kv_heads = 3;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_near_replay(&cases[i], 0.03, 0.02);
}

// Blocks of queries, of which the middle one does not see as many keys as they do on average.
static void long_causal_attention_is_near_its_replay(void **state)
{
    (void)state;
    const HypKernelArgs cases[] = {attention(4, 640, 640, 64, true),
                                   attention(3, 768, 768, 64, true)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_near_replay(&cases[i], 0.02, 0.05);
}

static void causal_attention_is_near_its_replay(void **state)
{
    (void)state;
    const HypKernelArgs cases[] = {attention(3, 100, 200, 64, true), attention(3, 64, 64, 80, true),
                                   attention(8, 256, 256, 64, true)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_near_replay(&cases[i], 0.03, 0.05);
}

// Keys come back to a second level that does not hold all that a head passes over.
static void attention_in_a_small_second_level_is_near_its_replay(void **state)
{
    (void)state;
    const HyperionCacheTopology small = {
        .level_count = 2,
        .levels = {{32 << 10, 64, 8, 1}, {256 << 10, 64, 8, 1}},
    };
    const HypKernelArgs cases[] = {attention(4, 111, 236, 128, true),
                                   attention(8, 256, 256, 64, false),
                                   attention(3, 176, 433, 64, true)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const HypKernelVariant *scalar = hyp_kernel_find(HYP_OP_ATTENTION, HYPERION_SIMD_SCALAR);
        const HyperionCacheStats exact =
            hyperionPredictKernel(scalar, &cases[i], &small, &replayed);
        const HyperionCacheStats formula = hyperionPredictKernel(scalar, &cases[i], &small, NULL);
        assert_share(formula.levels[1].fills, exact.levels[1].fills, 0.07);
        for (int l = 0; l < 2; l++)
            assert_share(formula.levels[l].write_backs, exact.levels[l].write_backs, 0.3);
    }
}

static void warm_caches_hold_what_a_call_left(void **state)
{
    (void)state;
    const HypKernelArgs args = relu(4096); // 32 KiB of L1's 48
    const HyperionPredictionConfig warm = {.tier = HYPERION_CACHE_TIER_REPLAY, .warm = true};
    const HyperionCacheStats stats = hyperionPredictKernel(
        hyp_kernel_find(HYP_OP_ACTIVATION, HYPERION_SIMD_SCALAR), &args, &zen5, &warm);
    assert_true(stats.valid);
    assert_int_equal(stats.levels[0].misses, 0);
    assert_true(stats.levels[0].accesses > 0);
}

static void interval_spans_policies_and_placements(void **state)
{
    (void)state;
    const HypKernelArgs args = attention(4, 64, 256, 64, false);
    HyperionPredictionConfig config = {.tier = HYPERION_CACHE_TIER_REPLAY, .interval = true};
    const HypKernelVariant *variant = hyp_kernel_find(HYP_OP_ATTENTION, HYPERION_SIMD_AVX2);
    const HyperionCacheStats spanned = hyperionPredictKernel(variant, &args, &zen5, &config);
    config.interval = false;
    for (int i = 0; i < HYPERION_REPLACEMENT_COUNT * HYPERION_PLACEMENT_COUNT; i++) {
        config.assumptions.replacement = (HyperionReplacement)(i / HYPERION_PLACEMENT_COUNT);
        config.assumptions.placement = (HyperionPlacement)(i % HYPERION_PLACEMENT_COUNT);
        const HyperionCacheStats one = hyperionPredictKernel(variant, &args, &zen5, &config);
        for (int l = 0; l < 2; l++) {
            assert_int_equal(one.levels[l].misses_low, one.levels[l].misses_high);
            assert_in_range(one.levels[l].misses, spanned.levels[l].misses_low,
                            spanned.levels[l].misses_high);
        }
    }
    assert_true(spanned.levels[0].misses_low < spanned.levels[0].misses_high);
}

static void assert_refused(const HypKernelVariant *variant, const HypKernelArgs *args,
                           const HyperionCacheTopology *topology,
                           const HyperionPredictionConfig *config, const char *reason)
{
    assert_false(hyperionPredictKernel(variant, args, topology, config).valid);
    assert_non_null(strstr(hyperionGetLastError(), reason));
}

static void what_cannot_be_predicted_is_refused(void **state)
{
    (void)state;
    const HypKernelVariant *variant = hyp_kernel_find(HYP_OP_ACTIVATION, HYPERION_SIMD_SCALAR);
    const HyperionParallel too_many = {.threads = 5000};
    const HyperionCacheTopology unknown = {1, {{0, 64, 8, 1}}};
    HypKernelArgs args = relu(10);
    assert_refused(NULL, &args, &zen5, NULL, "variant is NULL");
    assert_refused(variant, NULL, &zen5, NULL, "args is NULL");
    assert_refused(variant, &args, NULL, NULL, "topology is NULL");
    assert_refused(variant, &args, &unknown, NULL, "size of L1 is not known");
    assert_refused(variant, &args, &zen5, &(HyperionPredictionConfig){.tier = (HyperionCacheTier)7},
                   "tier 0 to 2");
    assert_refused(variant, &args, &zen5,
                   &(HyperionPredictionConfig){.assumptions = {.victim_level = 9}}, "victim_level");
    args.activation.parallel = &too_many;
    assert_refused(variant, &args, &zen5, NULL, "threads, given 5000");
    const HyperionGemmShape shape = {.m = 10, .n = 10, .k = 10};
    const HyperionGemmBlocking odd = {.mc = 5, .kc = 10, .nc = 7, .mr = 5, .nr = 7};
    assert_false(hyperionReplayGemm(&shape, &odd, &zen5).valid);
    assert_non_null(strstr(hyperionGetLastError(), "register tile of 5 x 7"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_agree_at_every_level),
        cmocka_unit_test(attention_in_closed_form_is_near_its_replay),
        cmocka_unit_test(queries_taken_alone_are_near_their_replay),
        cmocka_unit_test(queries_alone_that_share_keys_are_near_their_replay),
        cmocka_unit_test(causal_attention_is_near_its_replay),
        cmocka_unit_test(long_causal_attention_is_near_its_replay),
        cmocka_unit_test(attention_in_a_small_second_level_is_near_its_replay),
        cmocka_unit_test(warm_caches_hold_what_a_call_left),
        cmocka_unit_test(interval_spans_policies_and_placements),
        cmocka_unit_test(what_cannot_be_predicted_is_refused),
    };
    return cmocka_run_group_tests_name("predict_kernel", tests, NULL, NULL);
}
