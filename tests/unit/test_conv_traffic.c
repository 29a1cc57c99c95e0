// SPDX-License-Identifier: Apache-2.0
// test_conv_traffic.c - a convolution in closed form against its lines through the simulator: the
// nest itself, with touch steps that pack from an image.
#include "cache/blocking.h"
#include "cache/cache_stats.h"
#include "cache/gemm_streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct Convolution {
    size_t channels, edge, kernel, stride, pad, out_channels;
} Convolution;

typedef struct GemmContext {
    const HypGemmArgs *args;
    const Convolution *shape;
    size_t out_edge;
    HyperionSimulator *simulator;
    uint64_t a, image, c, packed_a, packed_b;
} GemmContext;

static void touch(const GemmContext *context, uint64_t array, size_t first, size_t count,
                  HyperionTouch kind)
{
    hyperionSimulatorTouch(context->simulator, array + first * 4, count * 4, kind);
}

static void pack_a_block(const GemmContext *context, size_t ic, size_t pc, size_t mc, size_t kc,
                         size_t to)
{
    const size_t mr = context->args->blocking.mr;
    for (size_t ir = 0; ir < mc; ir += mr) {
        for (size_t k = 0; k < kc; k += 16) {
            const size_t count = gemm_least(16, kc - k);
            for (size_t r = 0; r < gemm_least(mr, mc - ir); r++)
                touch(context, context->a, (ic + ir + r) * context->args->k + pc + k, count,
                      HYPERION_TOUCH_READ);
            touch(context, context->packed_a, to + ir * kc + k * mr, count * mr,
                  HYPERION_TOUCH_WRITE);
        }
    }
}

// `count` pixels of one result row from x on, for the tap (ky, kx) of a channel.
static void touch_tap(const GemmContext *context, size_t channel, size_t y, size_t x, size_t count)
{
    const Convolution *shape = context->shape;
    if (y < shape->pad || y - shape->pad >= shape->edge)
        return;
    const size_t row = (channel * shape->edge + y - shape->pad) * shape->edge;
    size_t run = 0; // neighbours inside the image are one run
    for (size_t i = 0; i <= count; i++) {
        const size_t at = x + i * shape->stride;
        const bool inside = i < count && at >= shape->pad && at - shape->pad < shape->edge;
        if (inside)
            run++;
        if (run > 0 && (!inside || shape->stride > 1)) {
            const size_t last = inside ? at : at - shape->stride;
            touch(context, context->image, row + last - shape->pad + 1 - run, run,
                  HYPERION_TOUCH_READ);
            run = 0;
        }
    }
}

static void pack_b_slivers(const GemmContext *context, size_t pc, size_t jc, size_t kc, size_t nc,
                           size_t to)
{
    const Convolution *shape = context->shape;
    const size_t nr = context->args->blocking.nr;
    const size_t taps = shape->kernel * shape->kernel;
    for (size_t jr = 0; jr < nc; jr += nr) {
        for (size_t k = 0; k < kc; k++) {
            const size_t tap = (pc + k) % taps;
            size_t pixel = jc + jr;
            const size_t end = pixel + gemm_least(nr, nc - jr);
            while (pixel < end) {
                const size_t x = pixel % context->out_edge;
                const size_t count = gemm_least(end - pixel, context->out_edge - x);
                touch_tap(context, (pc + k) / taps,
                          pixel / context->out_edge * shape->stride + tap / shape->kernel,
                          x * shape->stride + tap % shape->kernel, count);
                pixel += count;
            }
            touch(context, context->packed_b, to + jr * kc + k * nr, nr, HYPERION_TOUCH_WRITE);
        }
    }
}

static void multiply_tile(const GemmContext *context, const GemmTile *tile)
{
    const HyperionGemmBlocking *blocking = &context->args->blocking;
    for (size_t k = 0; k < tile->depth; k++) {
        touch(context, context->packed_b, tile->panel_b + k * blocking->nr, blocking->nr,
              HYPERION_TOUCH_READ);
        touch(context, context->packed_a, tile->panel_a + k * blocking->mr, blocking->mr,
              HYPERION_TOUCH_READ);
    }
    for (size_t row = tile->row; row < tile->row + tile->rows; row++) {
        const size_t place = row * context->args->n + tile->column;
        if (!tile->first)
            touch(context, context->c, place, tile->columns, HYPERION_TOUCH_READ);
        touch(context, context->c, place, tile->columns, HYPERION_TOUCH_WRITE);
    }
}

#include "gemm/gemm_nest.h" // after the steps it calls

static uint64_t place(uint64_t *end, size_t floats)
{
    const uint64_t start = (*end + 4095) / 4096 * 4096;
    *end = start + floats * 4;
    return start;
}

static HyperionCacheStats trace(const Convolution *shape, size_t out_edge,
                                const HyperionGemmShape *product,
                                const HyperionGemmBlocking *blocking,
                                const HyperionCacheTopology *machine)
{
    const HypGemmArgs args = {
        .m = product->m, .n = product->n, .k = product->k, .blocking = *blocking};
    const GemmBlocks blocks = gemm_blocks(&args);
    GemmContext context = {.args = &args,
                           .shape = shape,
                           .out_edge = out_edge,
                           .simulator = hyperionCreateSimulator(machine, 1, NULL)};
    uint64_t end = 4096;
    context.a = place(&end, product->m * product->k);
    context.image = place(&end, shape->channels * shape->edge * shape->edge);
    context.c = place(&end, product->m * product->n);
    context.packed_a = place(&end, 0);
    context.packed_b = context.packed_a + blocks.packed_b;
    gemm_nest(&args, &blocks, &context);
    const HyperionCacheStats stats = hyperionSimulatorStats(context.simulator);
    hyperionFreeSimulator(context.simulator);
    return stats;
}

static void assert_within(uint64_t predicted, uint64_t traced, double share)
{
    const double floor = traced > 6400 ? (double)traced : 6400;
    const double error = ((double)predicted - (double)traced) / floor;
    if (error > share || error < -share)
        fail_msg("predicted %llu, traced %llu", (unsigned long long)predicted,
                 (unsigned long long)traced);
}

static void convolution_agrees_with_its_trace(void **state)
{
    (void)state;
    static const HyperionCacheTopology machine = {2, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}}};
    static const Convolution shapes[] = {{3, 112, 7, 2, 3, 64},   {64, 28, 3, 1, 1, 64},
                                         {128, 14, 3, 1, 1, 128}, {1, 28, 5, 1, 2, 8},
                                         {64, 28, 3, 2, 1, 64},   {16, 56, 3, 1, 0, 32},
                                         {256, 7, 3, 1, 1, 128},  {64, 28, 1, 2, 0, 64}};
    static const size_t tiles[][2] = {{4, 4}, {6, 16}, {14, 32}};
    HypCacheShape caches[HYPERION_MAX_CACHE_LEVELS];
    hyp_cache_shapes(&machine, caches);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const Convolution *s = &shapes[i];
        const size_t out_edge = (s->edge + 2 * s->pad - s->kernel) / s->stride + 1;
        const HyperionGemmShape product = {.m = s->out_channels,
                                           .n = out_edge * out_edge,
                                           .k = s->channels * s->kernel * s->kernel};
        const HypImageSource image = {.channels = s->channels,
                                      .height = s->edge,
                                      .width = s->edge,
                                      .out_height = out_edge,
                                      .out_width = out_edge,
                                      .kernel_h = s->kernel,
                                      .kernel_w = s->kernel,
                                      .stride_h = s->stride,
                                      .stride_w = s->stride,
                                      .dilation_h = 1,
                                      .dilation_w = 1,
                                      .pad_top = s->pad,
                                      .pad_left = s->pad};
        for (size_t t = 0; t < sizeof tiles / sizeof tiles[0]; t++) {
            const HyperionCacheConfig config = {.block_size = 0};
            const HyperionGemmBlocking blocking =
                hyp_blocking_resolve(&product, &config, &machine, tiles[t][0], tiles[t][1]);
            HypWindowMemo memo;
            hyp_window_memo_clear(&memo);
            HypAccount account = {.caches = caches, .level_count = 2, .memo = &memo};
            const HypGemmProducts products = {.shape = &product,
                                              .image = &image,
                                              .blocking = &blocking,
                                              .different_a = 1,
                                              .of_one_a = 1};
            hyp_gemm_add_traffic(&account, &products);
            const HyperionCacheStats predicted =
                hyp_cache_stats_from_traffic(&account.traffic, &machine);
            const HyperionCacheStats traced = trace(s, out_edge, &product, &blocking, &machine);
            assert_within(predicted.levels[0].accesses, traced.levels[0].accesses, 0.2);
            assert_within(predicted.levels[0].misses, traced.levels[0].misses, 0.03);
            assert_within(predicted.levels[1].misses, traced.levels[1].misses, 0.03);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_agrees_with_its_trace),
    };
    return cmocka_run_group_tests_name("conv_traffic", tests, NULL, NULL);
}
