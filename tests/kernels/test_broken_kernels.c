// SPDX-License-Identifier: Apache-2.0
// test_broken_kernels.c - the checks can fail: each operation's check refuses a kernel that leaves
// the last result unwritten, one that writes past the end, one that gives other bits on five
// threads, and one that is wrong in a way of its own. All are the scalar kernel with one fault
// added.
#include "check/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 7 };

// The fault is meant: the address sanitizer would stop at the guard before the check sees it.
__attribute__((noinline, no_sanitize_address)) static void spill(float *place)
{
    *place = 1.0F;
}

static size_t count_gemm(const HypGemmArgs *args)
{
    return args->m > 0 && args->n > 0 ? (args->m - 1) * args->ldc + args->n : 0;
}

static size_t count_conv2d(const HypConv2dArgs *args)
{
    return args->batch * args->out_channels * args->out_height * args->out_width;
}

static size_t count_activation(const HypActivationArgs *args)
{
    return args->count;
}

static size_t count_depthwise2d(const HypConv2dArgs *args)
{
    return count_conv2d(args);
}

static size_t count_gemv(const HypGemmArgs *args)
{
    return count_gemm(args);
}

static size_t count_max_pool2d(const HypPool2dArgs *args)
{
    return args->batch * args->channels * args->out_height * args->out_width;
}

static size_t count_average_pool2d(const HypPool2dArgs *args)
{
    return count_max_pool2d(args);
}

static size_t count_binary(const HypBinaryArgs *args)
{
    return args->outer * args->middle * args->inner;
}

static size_t count_softmax(const HypSoftmaxArgs *args)
{
    return args->rows * args->columns * args->inner;
}

static size_t count_reduce(const HypReduceArgs *args)
{
    return args->outer * args->inner;
}

static size_t count_scale_shift(const HypScaleShiftArgs *args)
{
    return args->batch * args->channels * args->inner;
}

static size_t count_layernorm(const HypLayernormArgs *args)
{
    return args->rows * args->columns;
}

static size_t count_attention(const HypAttentionArgs *args)
{
    return args->batch * args->queries * args->heads * args->dim;
}

// For an operation: the sound kernel, and the three faults that any operation can have.
#define FAULTS(op, OP, args_type, result)                                                          \
    static void run_##op(const args_type *args)                                                    \
    {                                                                                              \
        hyp_kernel_find(HYP_OP_##OP, HYPERION_SIMD_SCALAR)->fn.op(args);                           \
    }                                                                                              \
    static void op##_skips_the_last_result(const args_type *args)                                  \
    {                                                                                              \
        const size_t count = count_##op(args);                                                     \
        const float kept = count > 0 ? args->result[count - 1] : 0;                                \
        run_##op(args);                                                                            \
        if (count > 0)                                                                             \
            args->result[count - 1] = kept;                                                        \
    }                                                                                              \
    static void op##_writes_past_the_end(const args_type *args)                                    \
    {                                                                                              \
        run_##op(args);                                                                            \
        spill(args->result + count_##op(args));                                                    \
    }                                                                                              \
    static void op##_depends_on_its_threads(const args_type *args)                                 \
    {                                                                                              \
        run_##op(args);                                                                            \
        if (args->parallel && args->parallel->threads == 5 && count_##op(args) > 0)                \
            args->result[0] = nextafterf(args->result[0], INFINITY);                               \
    }
FAULTS(gemm, GEMM, HypGemmArgs, c)
FAULTS(conv2d, CONV2D, HypConv2dArgs, out)
FAULTS(depthwise2d, DEPTHWISE2D, HypConv2dArgs, out)
FAULTS(gemv, GEMV, HypGemmArgs, c)
FAULTS(activation, ACTIVATION, HypActivationArgs, out)
FAULTS(max_pool2d, MAX_POOL2D, HypPool2dArgs, out)
FAULTS(average_pool2d, AVERAGE_POOL2D, HypPool2dArgs, out)
FAULTS(binary, BINARY, HypBinaryArgs, out)
FAULTS(reduce, REDUCE, HypReduceArgs, out)
FAULTS(scale_shift, SCALE_SHIFT, HypScaleShiftArgs, out)
FAULTS(softmax, SOFTMAX, HypSoftmaxArgs, out)
FAULTS(layernorm, LAYERNORM, HypLayernormArgs, out)
FAULTS(attention, ATTENTION, HypAttentionArgs, out)
#undef FAULTS

static void gemm_forgets_the_last_product(const HypGemmArgs *args)
{
    HypGemmArgs shorter = *args;
    shorter.k -= args->k > 0;
    run_gemm(&shorter);
}

static void conv2d_ignores_padding(const HypConv2dArgs *args)
{
    HypConv2dArgs moved = *args;
    moved.pad_left = 0;
    run_conv2d(&moved);
}

static void depthwise2d_reads_the_first_filter_for_all(const HypConv2dArgs *args)
{
    HypConv2dArgs one = *args;
    for (size_t image = 0; image < args->batch; image++)
        for (size_t channel = 0; channel < args->out_channels; channel++) {
            const size_t multiplier = args->out_channels / args->channels;
            const size_t plane = image * args->channels + channel / multiplier;
            one.batch = one.channels = one.out_channels = one.groups = 1;
            one.image = args->image + plane * args->height * args->width;
            one.bias = args->bias ? args->bias + channel : NULL;
            one.parallel = NULL;
            one.out = args->out +
                      (image * args->out_channels + channel) * args->out_height * args->out_width;
            run_depthwise2d(&one);
        }
}

static void gemv_forgets_the_last_product(const HypGemmArgs *args)
{
    HypGemmArgs shorter = *args;
    shorter.k -= args->k > 0;
    run_gemv(&shorter);
}

// The usual approximation of gelu, good to three digits.
static void activation_approximates_gelu(const HypActivationArgs *args)
{
    if (args->function != HYPERION_ACTIVATION_GELU) {
        run_activation(args);
        return;
    }
    for (size_t i = 0; i < args->count; i++) {
        const float x = args->in[i];
        const float inner = 0.797884561F * (x + 0.044715F * x * x * x);
        args->out[i] = 0.5F * x * (1 + tanhf(inner));
    }
}

static void max_pool2d_counts_padding_as_zero(const HypPool2dArgs *args)
{
    run_max_pool2d(args);
    for (size_t i = 0; i < count_max_pool2d(args) && args->pad_top > 0; i++)
        args->out[i] = fmaxf(args->out[i], 0);
}

static void average_pool2d_always_counts_padding(const HypPool2dArgs *args)
{
    HypPool2dArgs counting = *args;
    counting.count_padding = true;
    run_average_pool2d(&counting);
}

static void binary_repeats_the_wrong_axis(const HypBinaryArgs *args)
{
    run_binary(args);
    for (size_t i = 0; i < count_binary(args) && args->function == HYPERION_BINARY_ADD; i++)
        args->out[i] = args->a[i] + args->b[i % args->middle];
}

static void binary_forgets_the_order(const HypBinaryArgs *args)
{
    HypBinaryArgs straight = *args;
    straight.reversed = false;
    run_binary(&straight);
}

static void reduce_loses_a_nan(const HypReduceArgs *args)
{
    run_reduce(args);
    for (size_t i = 0; i < count_reduce(args) && args->function == HYPERION_REDUCE_MAX; i++)
        args->out[i] = fmaxf(args->out[i], -INFINITY);
}

static void scale_shift_uses_one_channel(const HypScaleShiftArgs *args)
{
    run_scale_shift(args);
    for (size_t i = 0; i < count_scale_shift(args) && args->in != args->out; i++)
        args->out[i] = args->in[i] * args->scale[0] + args->shift[0];
}

static void softmax_reads_the_first_row_for_all(const HypSoftmaxArgs *args)
{
    HypSoftmaxArgs first = *args;
    first.rows = args->rows > 0;
    run_softmax(&first);
    const size_t count = args->columns * args->inner;
    for (size_t row = 1; row < args->rows && count > 0; row++)
        memcpy(args->out + row * count, args->out, count * sizeof(float));
}

static void layernorm_forgets_epsilon(const HypLayernormArgs *args)
{
    HypLayernormArgs bare = *args;
    bare.epsilon = 0;
    run_layernorm(&bare);
}

static void attention_looks_ahead(const HypAttentionArgs *args)
{
    HypAttentionArgs open = *args;
    open.causal = false;
    run_attention(&open);
}

typedef struct BrokenKernel {
    const char *name;
    HypKernelOp op;
    HypKernelFn fn;
} BrokenKernel;

#define BROKEN(op_, OP, fault)                                                                     \
    {                                                                                              \
#op_ "_" #fault, HYP_OP_##OP,                                                              \
        {                                                                                          \
            .op_ = op_##_##fault                                                                   \
        }                                                                                          \
    }
#define BROKEN_ANYHOW(op, OP)                                                                      \
    BROKEN(op, OP, skips_the_last_result), BROKEN(op, OP, writes_past_the_end),                    \
        BROKEN(op, OP, depends_on_its_threads)
static BrokenKernel broken_kernels[] = {
    BROKEN_ANYHOW(gemm, GEMM),
    BROKEN(gemm, GEMM, forgets_the_last_product),
    BROKEN_ANYHOW(conv2d, CONV2D),
    BROKEN(conv2d, CONV2D, ignores_padding),
    BROKEN_ANYHOW(depthwise2d, DEPTHWISE2D),
    BROKEN(depthwise2d, DEPTHWISE2D, reads_the_first_filter_for_all),
    BROKEN_ANYHOW(gemv, GEMV),
    BROKEN(gemv, GEMV, forgets_the_last_product),
    BROKEN_ANYHOW(activation, ACTIVATION),
    BROKEN(activation, ACTIVATION, approximates_gelu),
    BROKEN_ANYHOW(max_pool2d, MAX_POOL2D),
    BROKEN(max_pool2d, MAX_POOL2D, counts_padding_as_zero),
    BROKEN_ANYHOW(average_pool2d, AVERAGE_POOL2D),
    BROKEN(average_pool2d, AVERAGE_POOL2D, always_counts_padding),
    BROKEN_ANYHOW(binary, BINARY),
    BROKEN(binary, BINARY, repeats_the_wrong_axis),
    BROKEN(binary, BINARY, forgets_the_order),
    BROKEN_ANYHOW(reduce, REDUCE),
    BROKEN(reduce, REDUCE, loses_a_nan),
    BROKEN_ANYHOW(scale_shift, SCALE_SHIFT),
    BROKEN(scale_shift, SCALE_SHIFT, uses_one_channel),
    BROKEN_ANYHOW(softmax, SOFTMAX),
    BROKEN(softmax, SOFTMAX, reads_the_first_row_for_all),
    BROKEN_ANYHOW(layernorm, LAYERNORM),
    BROKEN(layernorm, LAYERNORM, forgets_epsilon),
    BROKEN_ANYHOW(attention, ATTENTION),
    BROKEN(attention, ATTENTION, looks_ahead),
};
enum { BROKEN_COUNT = sizeof broken_kernels / sizeof broken_kernels[0] };

static HypKernelVariant disguise(HypKernelOp op, HypKernelFn fn)
{
    HypKernelVariant variant = *hyp_kernel_find(op, HYPERION_SIMD_SCALAR);
    variant.fn = fn;
    return variant;
}

static void is_refused(void **state)
{
    const BrokenKernel *broken = *state;
    const HypKernelVariant variant = disguise(broken->op, broken->fn);
    HypCheckReport report;
    assert_false(hyp_check_variant(&variant, SEED, &report));
    print_message("%s\n", report.failure);
    assert_string_not_equal(report.failure, "");
    assert_true(isfinite(report.worst));
}

static void large_problems_are_compared_at_their_ends(void **state)
{
    (void)state;
    const HypActivationArgs usual = {.function = HYPERION_ACTIVATION_SILU, .count = 200003};
    const HypSoftmaxArgs rows = {.rows = 999, .columns = 301, .inner = 1};
    HypCheckReport report;
    HypKernelVariant variant =
        disguise(HYP_OP_ACTIVATION, (HypKernelFn){.activation = run_activation});
    assert_true(hyp_check_activation_args(&variant, &usual, SEED, &report));
    variant.fn.activation = activation_skips_the_last_result;
    assert_false(hyp_check_activation_args(&variant, &usual, SEED, &report));
    variant = disguise(HYP_OP_SOFTMAX, (HypKernelFn){.softmax = run_softmax});
    assert_true(hyp_check_softmax_args(&variant, &rows, SEED, &report));
    variant.fn.softmax = softmax_skips_the_last_result;
    assert_false(hyp_check_softmax_args(&variant, &rows, SEED, &report));
}

int main(void)
{
    struct CMUnitTest tests[BROKEN_COUNT + 1];
    for (size_t i = 0; i < BROKEN_COUNT; i++)
        tests[i] = (struct CMUnitTest){.name = broken_kernels[i].name,
                                       .test_func = is_refused,
                                       .initial_state = &broken_kernels[i]};
    tests[BROKEN_COUNT] =
        (struct CMUnitTest)cmocka_unit_test(large_problems_are_compared_at_their_ends);
    return cmocka_run_group_tests_name("broken kernels", tests, NULL, NULL);
}
