// SPDX-License-Identifier: Apache-2.0
// test_conv_traffic.c - convolutions of known networks in closed form against replay, at every
// level.
#include "cache/blocking.h"
#include "hyperion/simulate.h"
#include "kernel_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct Convolution {
    size_t channels, edge, kernel, stride, pad, out_channels;
} Convolution;

static void *place(uintptr_t *end, size_t floats)
{
    const uintptr_t start = (*end + 4095) / 4096 * 4096;
    *end = start + floats * sizeof(float);
    return (void *)start;
}

static HypConv2dArgs describe(const Convolution *shape, const HypKernelVariant *kernel,
                              const HyperionCacheTopology *machine)
{
    const size_t out_edge = (shape->edge + 2 * shape->pad - shape->kernel) / shape->stride + 1;
    const HyperionGemmShape product = {.m = shape->out_channels,
                                       .n = out_edge * out_edge,
                                       .k = shape->channels * shape->kernel * shape->kernel};
    const HyperionCacheConfig config = {.block_size = 0};
    uintptr_t end = 4096;
    HypConv2dArgs args = {
        .batch = 1,
        .groups = 1,
        .channels = shape->channels,
        .height = shape->edge,
        .width = shape->edge,
        .out_channels = shape->out_channels,
        .out_height = out_edge,
        .out_width = out_edge,
        .kernel_h = shape->kernel,
        .kernel_w = shape->kernel,
        .stride_h = shape->stride,
        .stride_w = shape->stride,
        .dilation_h = 1,
        .dilation_w = 1,
        .pad_top = shape->pad,
        .pad_left = shape->pad,
        .image = place(&end, shape->channels * shape->edge * shape->edge),
        .filter = place(&end, product.m * product.k),
        .out = place(&end, product.m * product.n),
        .blocking = hyp_blocking_resolve(&product, &config, machine, kernel->mr, kernel->nr)};
    args.workspace = place(&end, hyp_conv2d_workspace_bytes(&args) / sizeof(float));
    return args;
}

static void assert_within(uint64_t predicted, uint64_t replayed, double share)
{
    const double floor = replayed > 6400 ? (double)replayed : 6400;
    const double error = ((double)predicted - (double)replayed) / floor;
    if (error > share || error < -share)
        fail_msg("predicted %llu, replayed %llu", (unsigned long long)predicted,
                 (unsigned long long)replayed);
}

static void convolution_agrees_with_replay(void **state)
{
    (void)state;
    static const HyperionCacheTopology machine = {2, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}}};
    static const Convolution shapes[] = {{3, 112, 7, 2, 3, 64},   {64, 28, 3, 1, 1, 64},
                                         {128, 14, 3, 1, 1, 128}, {1, 28, 5, 1, 2, 8},
                                         {64, 28, 3, 2, 1, 64},   {16, 56, 3, 1, 0, 32},
                                         {256, 7, 3, 1, 1, 128},  {64, 28, 1, 2, 0, 64}};
    const HyperionPredictionConfig replay = {.tier = HYPERION_CACHE_TIER_REPLAY};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
            const HypKernelVariant *kernel =
                hyp_kernel_find(HYP_OP_CONV2D, (HyperionSIMDLevel)level);
            const HypKernelArgs args = {.conv2d = describe(&shapes[i], kernel, &machine)};
            const HyperionCacheStats predicted =
                hyperionPredictKernel(kernel, &args, &machine, NULL);
            const HyperionCacheStats replayed =
                hyperionPredictKernel(kernel, &args, &machine, &replay);
            assert_true(predicted.valid && replayed.valid);
            assert_within(predicted.levels[0].accesses, replayed.levels[0].accesses, 0.05);
            assert_within(predicted.levels[0].misses, replayed.levels[0].misses, 0.02);
            assert_within(predicted.levels[1].misses, replayed.levels[1].misses, 0.02);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_agrees_with_replay),
    };
    return cmocka_run_group_tests_name("conv_traffic", tests, NULL, NULL);
}
