// SPDX-License-Identifier: Apache-2.0
// test_predict_warm.c - predictions of calls whose memory comes back: a second time, in place, or
// packed before. The closed form against replay, of every kernel that takes a plain call.
#include "hyperion/error.h"
#include "hyperion/simulate.h"
#include "kernel_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_places.h"

static const HyperionCacheTopology zen5 = {2, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}}};
static const HyperionCacheTopology small = {2, {{32768, 64, 8, 1}, {262144, 64, 8, 1}}};

static HyperionCacheStats predict(const HypKernelVariant *variant, const HypKernelArgs *args,
                                  const HyperionCacheTopology *topology, HyperionCacheTier tier,
                                  bool warm)
{
    const HyperionPredictionConfig config = {.tier = tier, .warm = warm};
    const HyperionCacheStats stats = hyperionPredictKernel(variant, args, topology, &config);
    assert_true(stats.valid);
    return stats;
}

// The error is a share of the lines that a cold call brings in.
static void assert_near(const HypKernelVariant *variant, const HypKernelArgs *args,
                        const HyperionCacheTopology *topology, bool warm, double share)
{
    const HyperionCacheStats cold =
        predict(variant, args, topology, HYPERION_CACHE_TIER_REPLAY, false);
    const HyperionCacheStats exact =
        predict(variant, args, topology, HYPERION_CACHE_TIER_REPLAY, warm);
    const HyperionCacheStats formula =
        predict(variant, args, topology, HYPERION_CACHE_TIER_CLOSED_FORM, warm);
    for (int l = 0; l < topology->level_count; l++) {
        const double error = (double)formula.levels[l].fills - (double)exact.levels[l].fills;
        const double most = share * (double)cold.levels[l].fills;
        if (error > most || error < -most)
            fail_msg("%s, L%d: predicted %llu, replayed %llu, cold %llu", variant->name, l + 1,
                     (unsigned long long)formula.levels[l].fills,
                     (unsigned long long)exact.levels[l].fills,
                     (unsigned long long)cold.levels[l].fills);
    }
}

static HypKernelArgs streams(HypKernelOp op, size_t rows, size_t columns)
{
    Places places = {0};
    HypKernelArgs args = {.activation = {.in = NULL}};
    const size_t count = rows * columns;
    const float *in = place(&places, count);
    float *out = place(&places, count);
    switch (op) {
    case HYP_OP_ACTIVATION:
        args.activation = (HypActivationArgs){
            .function = HYPERION_ACTIVATION_RELU, .in = in, .out = out, .count = count};
        break;
    case HYP_OP_BINARY:
        args.binary = (HypBinaryArgs){.function = HYPERION_BINARY_ADD,
                                      .outer = rows,
                                      .middle = columns,
                                      .inner = 1,
                                      .a = in,
                                      .b = place(&places, columns),
                                      .out = out};
        break;
    case HYP_OP_SOFTMAX:
        args.softmax =
            (HypSoftmaxArgs){.rows = rows, .columns = columns, .inner = 1, .in = in, .out = out};
        break;
    case HYP_OP_LAYERNORM:
        args.layernorm = (HypLayernormArgs){.rows = rows,
                                            .columns = columns,
                                            .in = in,
                                            .scale = place(&places, columns),
                                            .bias = place(&places, columns),
                                            .out = out};
        break;
    case HYP_OP_SCALE_SHIFT:
        args.scale_shift = (HypScaleShiftArgs){.batch = 1,
                                               .channels = rows,
                                               .inner = columns,
                                               .in = in,
                                               .scale = place(&places, rows),
                                               .shift = place(&places, rows),
                                               .out = out};
        break;
    case HYP_OP_REDUCE:
        args.reduce = (HypReduceArgs){.function = HYPERION_REDUCE_SUM,
                                      .outer = rows,
                                      .middle = columns,
                                      .inner = 1,
                                      .in = in,
                                      .out = out};
        break;
    default: fail_msg("no stream");
    }
    return args;
}

static const HypKernelOp stream_ops[] = {HYP_OP_ACTIVATION, HYP_OP_BINARY,      HYP_OP_SOFTMAX,
                                         HYP_OP_LAYERNORM,  HYP_OP_SCALE_SHIFT, HYP_OP_REDUCE};
enum { STREAM_OPS = sizeof stream_ops / sizeof *stream_ops };

// 64 KiB of each array: all is found in a L2 of 1 MiB, little in a L1 of half the size.
static void streams_are_found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < STREAM_OPS; i++) {
        const HypKernelVariant *variant = hyp_kernel_find(stream_ops[i], HYPERION_SIMD_SCALAR);
        const HypKernelArgs args = streams(stream_ops[i], 128, 128);
        assert_near(variant, &args, &zen5, true, 0.02);
        assert_int_equal(
            predict(variant, &args, &zen5, HYPERION_CACHE_TIER_CLOSED_FORM, true).levels[1].fills,
            0);
        assert_near(variant, &args, &small, true, 0.02);
        const HypKernelArgs larger = streams(stream_ops[i], 600, 600); // than L2
        assert_near(variant, &larger, &zen5, true, 0.02);
    }
}

static void results_in_place_are_missed_once(void **state)
{
    (void)state;
    HypKernelArgs relu = streams(HYP_OP_ACTIVATION, 256, 256);
    relu.activation.in = relu.activation.out;
    HypKernelArgs sum = streams(HYP_OP_BINARY, 256, 256);
    sum.binary.a = sum.binary.out;
    HypKernelArgs scaled = streams(HYP_OP_SCALE_SHIFT, 256, 256);
    scaled.scale_shift.in = scaled.scale_shift.out;
    const struct {
        HypKernelOp op;
        const HypKernelArgs *args;
    } calls[] = {{HYP_OP_ACTIVATION, &relu}, {HYP_OP_BINARY, &sum}, {HYP_OP_SCALE_SHIFT, &scaled}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const HypKernelVariant *variant = hyp_kernel_find(calls[i].op, HYPERION_SIMD_SCALAR);
        assert_near(variant, calls[i].args, &zen5, false, 0.02);
        assert_near(variant, calls[i].args, &zen5, true, 0.02);
    }
}

static HypKernelArgs pool(void)
{
    Places places = {0};
    return (HypKernelArgs){.max_pool2d = {.batch = 1,
                                          .channels = 32,
                                          .height = 40,
                                          .width = 40,
                                          .out_height = 20,
                                          .out_width = 20,
                                          .kernel_h = 2,
                                          .kernel_w = 2,
                                          .stride_h = 2,
                                          .stride_w = 2,
                                          .dilation_h = 1,
                                          .dilation_w = 1,
                                          .image = place(&places, 51200),
                                          .out = place(&places, 12800)}};
}

static void place_gemm(HypGemmArgs *gemm, Places *places)
{
    gemm->a = place(places, gemm->m * gemm->k);
    gemm->b = place(places, gemm->k * gemm->n);
    gemm->c = place(places, gemm->m * gemm->n);
    gemm->lda = gemm->k;
    gemm->ldb = gemm->ldc = gemm->n;
}

static HypKernelArgs product(const HypKernelVariant *variant, const HyperionCacheTopology *topology,
                             size_t m, size_t n, size_t k, int packed)
{
    Places places = {0};
    HypKernelArgs args = {.gemm = {.m = m, .n = n, .k = k}};
    const HyperionGemmShape shape = {.m = m, .n = n, .k = k};
    const HyperionCacheConfig config = {.enable_prefetch = false};
    place_gemm(&args.gemm, &places);
    assert_true(hyperionResolveGemmBlocking(&shape, &config, topology, (int)variant->level,
                                            &args.gemm.blocking));
    if (packed & 1)
        args.gemm.packed_a = place(&places, hyp_gemm_packed_a_bytes(&args.gemm) / sizeof(float));
    if (packed & 2)
        args.gemm.packed_b = place(&places, hyp_gemm_packed_b_bytes(&args.gemm) / sizeof(float));
    args.gemm.workspace = place(&places, hyp_gemm_workspace_bytes(&args.gemm) / sizeof(float));
    return args;
}

// Of A, of B, of both: neither is packed again, and each is read in the order it lies in.
static void packed_operands_are_read_as_they_lie(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {
        {96, 200, 160}, {256, 256, 256}, {40, 900, 700}, {500, 64, 900}};
    for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            for (int packed = 0; packed < 4; packed++) {
                const HypKernelVariant *variant =
                    hyp_kernel_find(HYP_OP_GEMM, (HyperionSIMDLevel)level);
                const HypKernelArgs args =
                    product(variant, &zen5, sizes[i][0], sizes[i][1], sizes[i][2], packed);
                assert_near(variant, &args, &zen5, false, 0.05);
            }
}

static void products_and_images_are_found_again(void **state)
{
    (void)state;
    for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
        const HypKernelVariant *variant = hyp_kernel_find(HYP_OP_GEMM, (HyperionSIMDLevel)level);
        const HypKernelArgs args = product(variant, &zen5, 128, 128, 128, 0);
        assert_near(variant, &args, &zen5, true, 0.05);
        const HypKernelArgs larger = product(variant, &small, 256, 256, 256, 0);
        assert_near(variant, &larger, &small, true, 0.15);
    }
    const HypKernelArgs pooled = pool();
    assert_near(hyp_kernel_find(HYP_OP_MAX_POOL2D, HYPERION_SIMD_SCALAR), &pooled, &zen5, true,
                0.02);
    Places places = {0};
    HypKernelArgs row = {.gemm = {.m = 1, .n = 300, .k = 400}};
    place_gemm(&row.gemm, &places);
    assert_near(hyp_kernel_find(HYP_OP_GEMV, HYPERION_SIMD_SCALAR), &row, &zen5, true, 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_found_again),
        cmocka_unit_test(results_in_place_are_missed_once),
        cmocka_unit_test(packed_operands_are_read_as_they_lie),
        cmocka_unit_test(products_and_images_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
