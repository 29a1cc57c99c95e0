// SPDX-License-Identifier: Apache-2.0
// test_random_formulas.c - predictions in closed form against replay: random operations, shapes,
// blockings, levels and geometries. Prints the errors by operation, as shares of what is replayed
// or of 6400 lines where that is less, how long predictions take, and the quantiles of the errors
// by the doubt that the formulas have (the table of core/cache/cache_stats.c). Arguments: the
// number of calls of each operation, their seed.
#include "cache/blocking.h"
#include "cache/cache_stats.h"
#include "cache/kernel_traffic.h"
#include "hyperion/simulate.h"
#include "kernel_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { LEVELS = 2, MOST_CALLS = 4096, REGIMES = 5 };
static const double least_lines = 6400;
static size_t call_count;
static uint64_t seed;

static size_t draw(uint64_t *state, size_t least, size_t most)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return least + *state % (most - least + 1);
}

// Two levels: 24 to 80 KiB of 4 to 20 ways, 256 KiB to 3 MiB.
static HyperionCacheTopology draw_machine(uint64_t *state)
{
    HyperionCacheLevel first, second;
    do {
        const size_t sets = (size_t)64 << draw(state, 0, 2);
        const size_t ways = 4 * draw(state, 1, 5);
        first = (HyperionCacheLevel){sets * ways * 64, 64, (int)ways, 1};
    } while (first.size_bytes < 24 << 10 || first.size_bytes > 80 << 10);
    do {
        const size_t sets = (size_t)512 << draw(state, 0, 3);
        const size_t ways = 4 * draw(state, 1, 5);
        second = (HyperionCacheLevel){sets * ways * 64, 64, (int)ways, 1};
    } while (second.size_bytes < 256 << 10 || second.size_bytes > 3 << 20);
    return (HyperionCacheTopology){.level_count = LEVELS, .levels = {first, second}};
}

// Arrays one after another, each on a page of its own.
static void *place(uintptr_t *end, size_t floats)
{
    const uintptr_t start = (*end + 4095) / 4096 * 4096;
    *end = start + floats * sizeof(float);
    return (void *)start;
}

typedef struct Call {
    HyperionCacheTopology machine;
    const HypKernelVariant *kernel;
    bool automatic; // blocking
    uintptr_t end;  // of the arrays
} Call;

static HyperionGemmBlocking draw_blocking(uint64_t *state, const Call *call,
                                          const HyperionGemmShape *shape)
{
    const bool prefetch = draw(state, 0, 1);
    const HyperionCacheConfig config = {.enable_prefetch = prefetch,
                                        .prefetch_distance = (int)draw(state, 1, 8)};
    const size_t mr = call->kernel->mr;
    const size_t nr = call->kernel->nr;
    if (call->automatic)
        return hyp_blocking_resolve(shape, &config, &call->machine, mr, nr);
    return (HyperionGemmBlocking){.mr = mr,
                                  .nr = nr,
                                  .mc = mr * draw(state, 1, (shape->m + mr - 1) / mr),
                                  .kc = draw(state, 1, shape->k),
                                  .prefetch_lines = prefetch ? (size_t)config.prefetch_distance : 0,
                                  .nc = nr * draw(state, 1, (shape->n + nr - 1) / nr)};
}

// Any number, a multiple of 16, or a power of two.
static size_t draw_extent(uint64_t *state, size_t kind)
{
    return kind == 0   ? draw(state, 1, 500)
           : kind == 1 ? 16 * draw(state, 1, 40)
                       : (size_t)64 << draw(state, 0, 3);
}

static HypKernelArgs draw_gemm(uint64_t *state, Call *call)
{
    const size_t kind = draw(state, 0, 2);
    HyperionGemmShape shape = {.m = draw_extent(state, kind),
                               .n = draw_extent(state, kind),
                               .k = draw_extent(state, kind)};
    shape.b_transposed = draw(state, 0, 3) == 0;
    HypGemmArgs args = {.m = shape.m,
                        .n = shape.n,
                        .k = shape.k,
                        .lda = shape.k,
                        .ldb = shape.b_transposed ? shape.k : shape.n,
                        .b_transposed = shape.b_transposed,
                        .ldc = shape.n,
                        .blocking = draw_blocking(state, call, &shape)};
    args.a = place(&call->end, shape.m * shape.k);
    args.b = place(&call->end, shape.k * shape.n);
    args.c = place(&call->end, shape.m * shape.n);
    args.workspace = place(&call->end, hyp_gemm_workspace_bytes(&args) / sizeof(float));
    return (HypKernelArgs){.gemm = args};
}

static HypKernelArgs draw_conv2d(uint64_t *state, Call *call)
{
    static const size_t windows[] = {1, 3, 3, 5, 7};
    const size_t window = windows[draw(state, 0, 4)];
    const size_t groups = draw(state, 0, 4) == 0 ? 2 : 1;
    const size_t stride = draw(state, 0, 2) == 0 ? 2 : 1;
    const size_t pad = draw(state, 0, 1) * (window / 2);
    HypConv2dArgs args = {.batch = draw(state, 1, 2),
                          .channels = groups * draw(state, 1, 96),
                          .height = draw(state, window, 60),
                          .width = draw(state, window, 60),
                          .out_channels = groups * draw(state, 1, 96),
                          .kernel_h = window,
                          .kernel_w = window,
                          .stride_h = stride,
                          .stride_w = stride,
                          .dilation_h = 1,
                          .dilation_w = 1,
                          .pad_top = pad,
                          .pad_left = pad,
                          .groups = groups};
    args.out_height = (args.height + 2 * pad - window) / stride + 1;
    args.out_width = (args.width + 2 * pad - window) / stride + 1;
    const HyperionGemmShape shape = {.m = args.out_channels / groups,
                                     .n = args.out_height * args.out_width,
                                     .k = args.channels / groups * window * window};
    args.blocking = draw_blocking(state, call, &shape);
    args.image = place(&call->end, args.batch * args.channels * args.height * args.width);
    args.filter = place(&call->end, args.out_channels * shape.k);
    args.out = place(&call->end, args.batch * args.out_channels * shape.n);
    args.workspace = place(&call->end, hyp_conv2d_workspace_bytes(&args) / sizeof(float));
    return (HypKernelArgs){.conv2d = args};
}

static HypKernelArgs draw_attention(uint64_t *state, Call *call)
{
    static const size_t dims[] = {32, 64, 64, 80, 128, 40};
    HypAttentionArgs args = {.batch = draw(state, 1, 2),
                             .kv_heads = draw(state, 1, 4),
                             .dim = dims[draw(state, 0, 5)],
                             .queries = draw(state, 1, 300),
                             .causal = draw(state, 0, 1),
                             .scale = 1};
    args.heads = args.kv_heads * draw(state, 1, 3);
    args.keys = args.queries + draw(state, 0, 300);
    const size_t rows = args.batch * args.queries * args.heads * args.dim;
    const size_t keys = args.batch * args.keys * args.kv_heads * args.dim;
    args.q = place(&call->end, rows);
    args.k = place(&call->end, keys);
    args.v = place(&call->end, keys);
    args.out = place(&call->end, rows);
    args.workspace = place(&call->end, hyp_attention_workspace_bytes(&args) / sizeof(float));
    return (HypKernelArgs){.attention = args};
}

static HypKernelArgs draw_activation(uint64_t *state, Call *call)
{
    HypActivationArgs args = {.count = draw(state, 1000, 400000),
                              .function = HYPERION_ACTIVATION_RELU};
    args.in = place(&call->end, args.count);
    args.out = place(&call->end, args.count);
    return (HypKernelArgs){.activation = args};
}

// The most that half and nine tenths of the calls may be off, at L1 and at L2.
typedef struct Limits {
    double median[LEVELS], most[LEVELS];
} Limits;

typedef struct Operation {
    const char *name;
    HypKernelOp op;
    bool automatic;
    HypKernelArgs (*draw)(uint64_t *state, Call *call);
    Limits limits;
} Operation;

static const Operation operations[] = {
    {"gemm, automatic blocking", HYP_OP_GEMM, true, draw_gemm, {{0.005, 0.005}, {0.01, 0.02}}},
    {"gemm, random blocking", HYP_OP_GEMM, false, draw_gemm, {{0.01, 0.01}, {0.06, 0.06}}},
    {"conv2d, automatic blocking",
     HYP_OP_CONV2D,
     true,
     draw_conv2d,
     {{0.005, 0.005}, {0.02, 0.02}}},
    {"conv2d, random blocking", HYP_OP_CONV2D, false, draw_conv2d, {{0.01, 0.01}, {0.06, 0.06}}},
    {"attention", HYP_OP_ATTENTION, true, draw_attention, {{0.01, 0.005}, {0.03, 0.03}}},
    {"activation", HYP_OP_ACTIVATION, true, draw_activation, {{0.001, 0.001}, {0.001, 0.001}}},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

// Errors as shares of what is predicted, by the share of it that is in doubt.
static const double doubt_below[REGIMES] = {0.001, 0.01, 0.05, 0.1, 1e300};
static struct {
    size_t count;
    double errors[OPERATIONS * MOST_CALLS * LEVELS];
} regimes[REGIMES];

static double own_time_us(void)
{
    return (double)clock() * 1e6 / CLOCKS_PER_SEC;
}

static void note_doubt(const HypTraffic *traffic, const HyperionCacheStats *replayed)
{
    for (int level = 0; level < LEVELS; level++) {
        const double misses = traffic->misses[level];
        int regime = 0;
        while (traffic->doubt[level] >= doubt_below[regime] * misses && traffic->doubt[level] > 0)
            regime++;
        if (misses >= least_lines)
            regimes[regime].errors[regimes[regime].count++] =
                ((double)replayed->levels[level].fills - misses) / misses;
    }
}

// The errors of one call; returns the time of its prediction.
static double compare_call(const Operation *operation, size_t index, uint64_t *state,
                           double errors[LEVELS])
{
    Call call = {.machine = draw_machine(state),
                 .kernel = hyp_kernel_find(operation->op, (HyperionSIMDLevel)(index % 4)),
                 .automatic = operation->automatic,
                 .end = 4096};
    const HypKernelArgs args = operation->draw(state, &call);
    const HyperionPredictionConfig config = {.tier = HYPERION_CACHE_TIER_REPLAY};
    const HyperionCacheStats replayed =
        hyperionPredictKernel(call.kernel, &args, &call.machine, &config);
    HypCacheShape caches[HYPERION_MAX_CACHE_LEVELS];
    hyp_cache_shapes(&call.machine, caches);
    const double start = own_time_us();
    HypWindowMemo memo;
    hyp_window_memo_clear(&memo);
    HypAccount account = {.caches = caches, .level_count = LEVELS, .memo = &memo};
    hyp_kernel_traffic(operation->op, call.kernel->level, &args, 1, &account);
    const double time_us = own_time_us() - start;
    assert_true(replayed.valid);
    for (int level = 0; level < LEVELS; level++) {
        const double fills = (double)replayed.levels[level].fills;
        errors[level] = fabs(account.traffic.misses[level] - fills) / fmax(fills, least_lines);
    }
    note_doubt(&account.traffic, &replayed);
    return time_us;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *sorted, size_t count, double share)
{
    return sorted[(size_t)(share * (double)(count - 1) + 0.5)];
}

static bool compare_calls(const Operation *operation)
{
    static double errors[LEVELS][MOST_CALLS], times_us[MOST_CALLS];
    uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15U;
    for (size_t i = 0; i < call_count; i++) {
        double both[LEVELS];
        times_us[i] = compare_call(operation, i, &state, both);
        for (int level = 0; level < LEVELS; level++)
            errors[level][i] = both[level];
    }
    bool agrees = true;
    print_message("%s:", operation->name);
    for (int level = 0; level < LEVELS; level++) {
        qsort(errors[level], call_count, sizeof(double), compare_doubles);
        const double median = quantile(errors[level], call_count, 0.5);
        const double most = quantile(errors[level], call_count, 0.9);
        print_message(" L%d median %.2f %%, 90 %% %.2f %%, worst %.1f %%;", level + 1, 100 * median,
                      100 * most, 100 * errors[level][call_count - 1]);
        agrees = agrees && median <= operation->limits.median[level] &&
                 most <= operation->limits.most[level];
    }
    qsort(times_us, call_count, sizeof(double), compare_doubles);
    print_message(" %.1f us each, 90 %% %.1f\n", quantile(times_us, call_count, 0.5),
                  quantile(times_us, call_count, 0.9));
    return agrees;
}

static void formulas_agree_with_replay(void **state)
{
    (void)state;
    bool agree = true;
    for (size_t i = 0; i < OPERATIONS; i++)
        agree = compare_calls(&operations[i]) && agree;
    for (int i = 0; i < REGIMES; i++) {
        double *errors = regimes[i].errors;
        qsort(errors, regimes[i].count, sizeof(double), compare_doubles);
        if (regimes[i].count > 0)
            print_message("doubt below %g: 5 %% %+.3f, 95 %% %+.3f (%zu)\n", doubt_below[i],
                          quantile(errors, regimes[i].count, 0.05),
                          quantile(errors, regimes[i].count, 0.95), regimes[i].count);
    }
    assert_true(agree);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_agree_with_replay),
    };
    if (argc != 3)
        return EXIT_FAILURE;
    call_count = strtoull(argv[1], NULL, 10);
    seed = strtoull(argv[2], NULL, 10);
    if (call_count == 0 || call_count > MOST_CALLS)
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name("random_formulas", tests, NULL, NULL);
}
