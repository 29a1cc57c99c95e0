// SPDX-License-Identifier: Apache-2.0
// test_check_gemm.c - the checks of products take given shapes, and refuse what is wrong with a
// product in particular: its edges, its gaps between rows, its epilogue, its blocking.
#include "check/check.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SEED = 20260 };

static const HypKernelVariant *scalar_gemm(void)
{
    return hyp_kernel_find(HYP_OP_GEMM, HYPERION_SIMD_SCALAR);
}

static void given_shapes_agree_at_a_sample(void **state)
{
    (void)state;
    const HypGemmArgs product = {.m = 200,
                                 .n = 300,
                                 .k = 100,
                                 .lda = 100,
                                 .ldb = 300,
                                 .ldc = 300,
                                 .blocking = {.mc = 60, .kc = 48, .nc = 128, .mr = 6, .nr = 2}};
    HypCheckReport report;
    assert_true(hyp_check_gemm_args(scalar_gemm(), &product, SEED, &report));
    assert_int_equal(report.case_count, 1);
    HypGemmArgs foreign = product;
    foreign.blocking.mr = 5;
    assert_false(hyp_check_gemm_args(scalar_gemm(), &foreign, SEED, &report));

    const HypConv2dArgs convolution = {.batch = 2,
                                       .channels = 6,
                                       .height = 30,
                                       .width = 31,
                                       .out_channels = 8,
                                       .out_height = 30,
                                       .out_width = 31,
                                       .kernel_h = 3,
                                       .kernel_w = 3,
                                       .stride_h = 1,
                                       .stride_w = 1,
                                       .dilation_h = 1,
                                       .dilation_w = 1,
                                       .pad_top = 1,
                                       .pad_left = 1,
                                       .groups = 2,
                                       .blocking = product.blocking};
    assert_true(hyp_check_conv2d_args(hyp_kernel_find(HYP_OP_CONV2D, HYPERION_SIMD_SCALAR),
                                      &convolution, SEED, &report));
}

static void drop_last_column(const HypGemmArgs *args)
{
    HypGemmArgs fewer = *args;
    if (fewer.n > 0)
        fewer.n--;
    scalar_gemm()->fn.gemm(&fewer);
}

static void write_past_rows(const HypGemmArgs *args)
{
    scalar_gemm()->fn.gemm(args);
    for (size_t row = 0; row + 1 < args->m && args->n > 0; row++)
        if (args->ldc > args->n)
            args->c[row * args->ldc + args->n] = 0;
}

static void forget_row_bias(const HypGemmArgs *args)
{
    HypGemmArgs unbiased = *args;
    unbiased.epilogue.row_bias = NULL;
    scalar_gemm()->fn.gemm(&unbiased);
}

static void lose_a_little(const HypGemmArgs *args)
{
    scalar_gemm()->fn.gemm(args);
    if (args->m > 0 && args->n > 0)
        args->c[0] *= 1.0001F;
}

static void wrong_kernels_are_refused(void **state)
{
    (void)state;
    void (*const wrong[])(const HypGemmArgs *) = {drop_last_column, write_past_rows,
                                                  forget_row_bias, lose_a_little};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        HypKernelVariant variant = *scalar_gemm();
        variant.fn.gemm = wrong[i];
        HypCheckReport report;
        assert_false(hyp_check_variant(&variant, SEED, &report));
        assert_string_not_equal(report.failure, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_shapes_agree_at_a_sample),
        cmocka_unit_test(wrong_kernels_are_refused),
    };
    return cmocka_run_group_tests_name("check_gemm", tests, NULL, NULL);
}
