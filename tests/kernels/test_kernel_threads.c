// SPDX-License-Identifier: Apache-2.0
// test_kernel_threads.c - every kernel of the table gives the same bits on the threads of a pool as
// on one, at sizes where all have work; under the thread sanitizer, without touching each other's
// memory.
#include "check/check.h"
#include "hyperion/parallel.h"
#include "hyperion/simd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SEED = 11, THREADS = 3 };

static HyperionParallel parallel;

static HyperionGemmBlocking make_blocking(const HypKernelVariant *variant)
{
    return (HyperionGemmBlocking){.mc = 3 * variant->mr,
                                  .kc = 24,
                                  .nc = 4 * variant->nr,
                                  .mr = variant->mr,
                                  .nr = variant->nr,
                                  .prefetch_lines = 8};
}

static bool check_gemm(const HypKernelVariant *variant, HypCheckReport *report)
{
    // Wide, high, and square.
    static const size_t shapes[][2] = {{5, 300}, {300, 5}, {100, 100}};
    for (size_t i = 0; i < 3; i++) {
        const HypGemmArgs args = {.m = shapes[i][0],
                                  .n = shapes[i][1],
                                  .k = 70,
                                  .lda = 70,
                                  .ldb = shapes[i][1],
                                  .ldc = shapes[i][1],
                                  .blocking = make_blocking(variant),
                                  .parallel = &parallel};
        if (!hyp_check_gemm_args(variant, &args, SEED, report))
            return false;
    }
    return true;
}

static bool check_conv2d(const HypKernelVariant *variant, HypCheckReport *report)
{
    // Many small products, a thread each, and few, which are shared.
    for (size_t batch = 1; batch <= 4; batch += 3) {
        const HypConv2dArgs args = {.batch = batch,
                                    .channels = 6,
                                    .height = 12,
                                    .width = 11,
                                    .out_channels = 20,
                                    .out_height = 12,
                                    .out_width = 11,
                                    .kernel_h = 3,
                                    .kernel_w = 3,
                                    .stride_h = 1,
                                    .stride_w = 1,
                                    .dilation_h = 1,
                                    .dilation_w = 1,
                                    .pad_top = 1,
                                    .pad_left = 1,
                                    .groups = 2,
                                    .blocking = make_blocking(variant),
                                    .parallel = &parallel};
        if (!hyp_check_conv2d_args(variant, &args, SEED, report))
            return false;
    }
    return true;
}

static bool check_depthwise2d(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypConv2dArgs args = {.batch = 2,
                                .channels = 5,
                                .height = 12,
                                .width = 11,
                                .out_channels = 10,
                                .out_height = 6,
                                .out_width = 6,
                                .kernel_h = 3,
                                .kernel_w = 3,
                                .stride_h = 2,
                                .stride_w = 2,
                                .dilation_h = 1,
                                .dilation_w = 1,
                                .pad_top = 1,
                                .pad_left = 1,
                                .groups = 5,
                                .parallel = &parallel};
    return hyp_check_depthwise2d_args(variant, &args, SEED, report);
}

static bool check_gemv(const HypKernelVariant *variant, HypCheckReport *report)
{
    for (int transposed = 0; transposed < 2; transposed++) {
        const HypGemmArgs args = {.m = 2,
                                  .n = 150,
                                  .k = 70,
                                  .lda = 70,
                                  .ldb = transposed ? 70 : 150,
                                  .b_transposed = transposed != 0,
                                  .ldc = 150,
                                  .parallel = &parallel};
        if (!hyp_check_gemv_args(variant, &args, SEED, report))
            return false;
    }
    return true;
}

static bool check_activation(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypActivationArgs args = {
        .function = HYPERION_ACTIVATION_GELU, .count = 1003, .parallel = &parallel};
    return hyp_check_activation_args(variant, &args, SEED, report);
}

static HypPool2dArgs make_pool(void)
{
    return (HypPool2dArgs){.batch = 2,
                           .channels = 3,
                           .height = 17,
                           .width = 20,
                           .out_height = 8,
                           .out_width = 9,
                           .kernel_h = 3,
                           .kernel_w = 3,
                           .stride_h = 2,
                           .stride_w = 2,
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .parallel = &parallel};
}

static bool check_max_pool2d(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypPool2dArgs args = make_pool();
    return hyp_check_max_pool2d_args(variant, &args, SEED, report);
}

static bool check_average_pool2d(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypPool2dArgs args = make_pool();
    return hyp_check_average_pool2d_args(variant, &args, SEED, report);
}

static bool check_binary(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypBinaryArgs rows = {.outer = 7, .middle = 43, .inner = 1, .parallel = &parallel};
    const HypBinaryArgs columns = {.function = HYPERION_BINARY_DIV,
                                   .outer = 3,
                                   .middle = 5,
                                   .inner = 67,
                                   .parallel = &parallel};
    return hyp_check_binary_args(variant, &rows, SEED, report) &&
           hyp_check_binary_args(variant, &columns, SEED, report);
}

static bool check_reduce(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypReduceArgs rows = {.outer = 41, .middle = 67, .inner = 1, .parallel = &parallel};
    const HypReduceArgs columns = {.outer = 3, .middle = 5, .inner = 67, .parallel = &parallel};
    return hyp_check_reduce_args(variant, &rows, SEED, report) &&
           hyp_check_reduce_args(variant, &columns, SEED, report);
}

static bool check_scale_shift(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypScaleShiftArgs args = {.batch = 3, .channels = 5, .inner = 67, .parallel = &parallel};
    return hyp_check_scale_shift_args(variant, &args, SEED, report);
}

static bool check_softmax(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypSoftmaxArgs args = {.rows = 20, .columns = 37, .inner = 1, .parallel = &parallel};
    return hyp_check_softmax_args(variant, &args, SEED, report);
}

static bool check_layernorm(const HypKernelVariant *variant, HypCheckReport *report)
{
    const HypLayernormArgs args = {
        .rows = 20, .columns = 37, .epsilon = 1e-5F, .parallel = &parallel};
    return hyp_check_layernorm_args(variant, &args, SEED, report);
}

static bool check_attention(const HypKernelVariant *variant, HypCheckReport *report)
{
    for (int causal = 0; causal < 2; causal++) {
        const HypAttentionArgs args = {.batch = 1,
                                       .heads = 2,
                                       .queries = 90,
                                       .keys = 150,
                                       .dim = 20,
                                       .scale = 0.2F,
                                       .causal = causal != 0,
                                       .parallel = &parallel};
        if (!hyp_check_attention_args(variant, &args, SEED, report))
            return false;
    }
    return true;
}

static void threads_give_the_bits_of_one(void **state)
{
    typedef bool (*Check)(const HypKernelVariant *variant, HypCheckReport *report);
#define OP(name, args_type, ENUM) check_##name,
    static const Check checks[] = {HYP_KERNEL_OPS(OP)};
#undef OP
    (void)state;
    HyperionThreadPool *pool = hyperionCreateThreadPool(THREADS, NULL);
    assert_non_null(pool);
    parallel = hyperionThreadPoolParallel(pool);
    parallel.least_work = 0;
    for (size_t i = 0; i < hyp_kernel_count; i++) {
        const HypKernelVariant *variant = &hyp_kernel_table[i];
        HypCheckReport report = {0};
        if (!(hyperionGetSIMDCapabilities().levels >> variant->level & 1))
            print_message("%s: skipped, this process cannot run its level\n", variant->name);
        else if (!checks[variant->op](variant, &report))
            fail_msg("%s: %s", variant->name, report.failure);
    }
    hyperionFreeThreadPool(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_give_the_bits_of_one)};
    return cmocka_run_group_tests_name("kernel_threads", tests, NULL, NULL);
}
