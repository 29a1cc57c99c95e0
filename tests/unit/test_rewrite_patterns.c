// SPDX-License-Identifier: Apache-2.0
// test_rewrite_patterns.c - graph rewriting of what exporters write for one operation: every form
// becomes one layer, and what only looks like it stays.
#include "rewrite_support.h"

#include <float.h>

static int add_rows(HyperionModel *model)
{
    return hyperionAddInput(model, "x", HYPERION_TYPE_F32, 3, (int64_t[]){2, 3, 8});
}

static void finish(HyperionModel *model, int x)
{
    assert_true(hyperionAddOutput(model, x));
}

// --- GELU

enum { HALF_FIRST, HALF_LAST, HALF_WITHIN };

static int halve_gate(HyperionModel *model, int x, int one_plus, int form)
{
    const HyperionBinary mul = HYPERION_BINARY_MUL;
    const int half = constant(model, 0.5F);
    if (form == HALF_FIRST)
        return combine(model, "y", mul, combine(model, "half", mul, x, half), one_plus);
    if (form == HALF_LAST)
        return combine(model, "y", mul, combine(model, "gated", mul, x, one_plus), half);
    return combine(model, "y", mul, x, combine(model, "half", mul, half, one_plus));
}

static int gate_by_erf(HyperionModel *model, int x, float divisor, int form)
{
    const int scaled = combine(model, "scaled", HYPERION_BINARY_DIV, x, constant(model, divisor));
    const int erf = activate(model, "erf", HYPERION_ACTIVATION_ERF, scaled);
    const int one_plus = combine(model, "plus", HYPERION_BINARY_ADD, erf, constant(model, 1));
    return halve_gate(model, x, one_plus, form);
}

static void build_gelu_of_pytorch(HyperionModel *model)
{
    finish(model, gate_by_erf(model, add_rows(model), sqrtf(2), HALF_LAST));
}

static void build_gelu_of_others(HyperionModel *model)
{
    const int x = gate_by_erf(model, add_rows(model), sqrtf(2), HALF_FIRST);
    finish(model, activate(model, "neg", HYPERION_ACTIVATION_NEG, x));
}

static void build_gelu_behind_a_product(HyperionModel *model)
{
    const int b = weigh(model, 2, (int64_t[]){8, 4}, 0);
    const int x = add(model, "fc", HYPERION_LAYER_GEMM, NULL, add_rows(model), b, -1);
    finish(model, gate_by_erf(model, x, sqrtf(2), HALF_WITHIN));
}

static void build_wrong_gelu(HyperionModel *model)
{
    finish(model, gate_by_erf(model, add_rows(model), 1.5F, HALF_LAST));
}

static int gate_by_tanh(HyperionModel *model, int x, int form)
{
    const int cubic = constant(model, 0.044715F);
    int inner;
    if (form == HALF_WITHIN) {
        const int square = combine(model, "square", HYPERION_BINARY_MUL, x, x);
        inner = combine(model, "cubic", HYPERION_BINARY_MUL, square, cubic);
        inner = combine(model, "inner", HYPERION_BINARY_ADD, constant(model, 1), inner);
        inner = combine(model, "sum", HYPERION_BINARY_MUL, x, inner);
    } else {
        const int cube = combine(model, "cube", HYPERION_BINARY_POW, x, constant(model, 3));
        inner = combine(model, "cubic", HYPERION_BINARY_MUL, cubic, cube);
        inner = combine(model, "sum", HYPERION_BINARY_ADD, x, inner);
    }
    inner = combine(model, "scaled", HYPERION_BINARY_MUL, inner, constant(model, 0.7978846F));
    inner = activate(model, "tanh", HYPERION_ACTIVATION_TANH, inner);
    inner = combine(model, "plus", HYPERION_BINARY_ADD, constant(model, 1), inner);
    return halve_gate(model, x, inner, form);
}

static void build_tanh_gelu(HyperionModel *model)
{
    finish(model, gate_by_tanh(model, add_rows(model), HALF_FIRST));
}

static void build_bracketed_tanh_gelu(HyperionModel *model)
{
    finish(model, gate_by_tanh(model, add_rows(model), HALF_WITHIN));
}

static void gelu_becomes_an_activation(void **state)
{
    (void)state;
    expect_rewriting(build_gelu_of_pytorch, "gelu_erf", 1);
    expect_rewriting(build_gelu_of_others, "gelu_erf", 2);
    expect_rewriting(build_gelu_behind_a_product, "gelu_erf product_activation", 1);
    expect_rewriting(build_wrong_gelu, "", 5);
    expect_rewriting(build_tanh_gelu, "gelu_tanh", 1);
    expect_rewriting(build_bracketed_tanh_gelu, "gelu_tanh", 1);
}

// --- Gates

static void build_silu(HyperionModel *model)
{
    const int x = add_rows(model);
    const int gate = activate(model, "sigmoid", HYPERION_ACTIVATION_SIGMOID, x);
    finish(model, combine(model, "y", HYPERION_BINARY_MUL, gate, x));
}

static void build_gate_of_another(HyperionModel *model)
{
    const int x = add_rows(model);
    const int other = activate(model, "tanh", HYPERION_ACTIVATION_TANH, x);
    const int gate = activate(model, "sigmoid", HYPERION_ACTIVATION_SIGMOID, other);
    finish(model, combine(model, "y", HYPERION_BINARY_MUL, gate, x));
}

static void build_hard_swish(HyperionModel *model)
{
    const HyperionLayerAttributes hard = {
        .activation = HYPERION_ACTIVATION_HARD_SIGMOID, .alpha = 1.0F / 6, .beta = 0.5F};
    const int x = add_rows(model);
    const int gate = add(model, "gate", HYPERION_LAYER_ACTIVATION, &hard, x, -1, -1);
    finish(model, combine(model, "y", HYPERION_BINARY_MUL, x, gate));
}

static void build_clipped_hard_swish(HyperionModel *model)
{
    const HyperionLayerAttributes clip = {.activation = HYPERION_ACTIVATION_CLIP, .beta = 6};
    const int x = add_rows(model);
    int gate = combine(model, "plus", HYPERION_BINARY_ADD, x, constant(model, 3));
    gate = add(model, "clip", HYPERION_LAYER_ACTIVATION, &clip, gate, -1, -1);
    gate = combine(model, "sixth", HYPERION_BINARY_DIV, gate, constant(model, 6));
    finish(model, combine(model, "y", HYPERION_BINARY_MUL, x, gate));
}

static void gates_become_activations(void **state)
{
    (void)state;
    expect_rewriting(build_silu, "silu", 1);
    expect_rewriting(build_gate_of_another, "", 3);
    expect_rewriting(build_hard_swish, "hard_swish", 1);
    expect_rewriting(build_clipped_hard_swish, "hard_swish", 1);
}

// --- Normalisation over the last axis

static int average(HyperionModel *model, const char *name, int x, int64_t axis)
{
    const HyperionLayerAttributes attributes = {
        .reduce = HYPERION_REDUCE_MEAN, .keep_dims = true, .axis_count = 1, .axes = {axis}};
    return add(model, name, HYPERION_LAYER_REDUCE, &attributes, x, -1, -1);
}

static int deviate(HyperionModel *model, int square, int64_t axis)
{
    const int mean = average(model, "variance", square, axis);
    const int sum = combine(model, "plus", HYPERION_BINARY_ADD, mean, constant(model, 1e-3F));
    return activate(model, "sqrt", HYPERION_ACTIVATION_SQRT, sum);
}

static void build_layernorm_of_pytorch(HyperionModel *model)
{
    const int x = add_rows(model);
    const int mean = average(model, "mean", x, -1);
    const int centred = combine(model, "centred", HYPERION_BINARY_SUB, x, mean);
    const int square = combine(model, "square", HYPERION_BINARY_POW, centred, constant(model, 2));
    const int deviation = deviate(model, square, -1);
    int y = combine(model, "quotient", HYPERION_BINARY_DIV, centred, deviation);
    y = combine(model, "scaled", HYPERION_BINARY_MUL, y, weigh(model, 1, (int64_t[]){8}, 1));
    finish(model, combine(model, "y", HYPERION_BINARY_ADD, y, weigh(model, 1, (int64_t[]){8}, 0)));
}

static void build_layernorm_that_subtracts_twice(HyperionModel *model)
{
    const int x = add_rows(model);
    const int first = combine(model, "first", HYPERION_BINARY_SUB, x, average(model, "m0", x, 2));
    const int second = combine(model, "second", HYPERION_BINARY_SUB, x, average(model, "m1", x, 2));
    const int square = combine(model, "square", HYPERION_BINARY_MUL, second, second);
    const int y = combine(model, "quotient", HYPERION_BINARY_DIV, first, deviate(model, square, 2));
    finish(model, combine(model, "y", HYPERION_BINARY_MUL, weigh(model, 1, (int64_t[]){8}, 1), y));
}

static void build_norm_over_another_axis(HyperionModel *model)
{
    const int x = add_rows(model);
    const int mean = average(model, "mean", x, 1);
    const int centred = combine(model, "centred", HYPERION_BINARY_SUB, x, mean);
    const int square = combine(model, "square", HYPERION_BINARY_POW, centred, constant(model, 2));
    const int deviation = deviate(model, square, 1);
    const int y = combine(model, "quotient", HYPERION_BINARY_DIV, centred, deviation);
    finish(model, combine(model, "y", HYPERION_BINARY_MUL, y, weigh(model, 1, (int64_t[]){8}, 1)));
}

static void build_rms_norm(HyperionModel *model)
{
    const int x = add_rows(model);
    const int square = combine(model, "square", HYPERION_BINARY_POW, x, constant(model, 2));
    const int inverse = combine(model, "inverse", HYPERION_BINARY_DIV, constant(model, 1),
                                deviate(model, square, 2));
    const int y = combine(model, "quotient", HYPERION_BINARY_MUL, x, inverse);
    finish(model, combine(model, "y", HYPERION_BINARY_MUL, weigh(model, 1, (int64_t[]){8}, 1), y));
}

static void normalisations_become_layers(void **state)
{
    (void)state;
    expect_rewriting(build_layernorm_of_pytorch, "layernorm bias", 1);
    expect_rewriting(build_layernorm_that_subtracts_twice, "layernorm", 1);
    expect_rewriting(build_norm_over_another_axis, "", 8);
    expect_rewriting(build_rms_norm, "layernorm", 1);
}

// --- Attention

enum { BATCH = 2, SEQ = 3, HEADS = 2, DIM = 4 };

static int reshape(HyperionModel *model, const char *name, int x, int rank, const int64_t *dims)
{
    HyperionLayerAttributes attributes = {.rank = rank};
    memcpy(attributes.dims, dims, (size_t)rank * sizeof *dims);
    return add(model, name, HYPERION_LAYER_RESHAPE, &attributes, x, -1, -1);
}

static int transpose(HyperionModel *model, const char *name, int x, const int64_t axes[4])
{
    HyperionLayerAttributes attributes = {.rank = 4};
    memcpy(attributes.axes, axes, 4 * sizeof *axes);
    return add(model, name, HYPERION_LAYER_TRANSPOSE, &attributes, x, -1, -1);
}

static int split(HyperionModel *model, const char *name, int x)
{
    return reshape(model, name, x, 4, (int64_t[]){BATCH, SEQ, HEADS, DIM});
}

typedef enum Mask { NO_MASK, EMPTY_MASK, ADDED_MASK, LEAKY_MASK, CHOSEN_MASK } Mask;

static int mask_scores(HyperionModel *model, int scores, Mask mask)
{
    float added[SEQ * SEQ];
    bool chosen[SEQ * SEQ];
    for (int i = 0; i < SEQ * SEQ; i++) {
        chosen[i] = i % SEQ <= i / SEQ;
        added[i] = chosen[i] || mask == EMPTY_MASK ? 0.0F : mask == LEAKY_MASK ? -1.0F : -FLT_MAX;
    }
    const int64_t dims[] = {1, 1, SEQ, SEQ};
    if (mask == CHOSEN_MASK)
        return add(model, "where", HYPERION_LAYER_WHERE, NULL,
                   hyperionAddWeight(model, "mask", HYPERION_TYPE_BOOL, 4, dims, chosen), scores,
                   constant(model, -1e9F));
    return combine(model, "masked", HYPERION_BINARY_ADD, scores,
                   hyperionAddWeight(model, "mask", HYPERION_TYPE_F32, 4, dims, added));
}

static int attend(HyperionModel *model, float divisor, bool keys_in_two_steps, Mask mask)
{
    static const int64_t to_heads[4] = {0, 2, 1, 3};
    static const int64_t to_keys[4] = {0, 2, 3, 1};
    static const int64_t swap[4] = {0, 1, 3, 2};
    const int64_t dims[] = {BATCH, SEQ, (int64_t)HEADS * DIM};
    const int q = hyperionAddInput(model, "q", HYPERION_TYPE_F32, 3, dims);
    const int k = hyperionAddInput(model, "k", HYPERION_TYPE_F32, 3, dims);
    const int v = hyperionAddInput(model, "v", HYPERION_TYPE_F32, 3, dims);
    const int queries = transpose(model, "queries", split(model, "q.split", q), to_heads);
    int keys = split(model, "k.split", k);
    if (keys_in_two_steps)
        keys = transpose(model, "keys", transpose(model, "k.heads", keys, to_heads), swap);
    else
        keys = transpose(model, "keys", keys, to_keys);
    const int values = transpose(model, "values", split(model, "v.split", v), to_heads);
    int x = add(model, "scores", HYPERION_LAYER_MATMUL, NULL, queries, keys, -1);
    x = combine(model, "scaled", HYPERION_BINARY_DIV, x, constant(model, divisor));
    if (mask != NO_MASK)
        x = mask_scores(model, x, mask);
    x = add(model, "softmax", HYPERION_LAYER_SOFTMAX, NULL, x, -1, -1);
    x = add(model, "weighted", HYPERION_LAYER_MATMUL, NULL, x, values, -1);
    x = transpose(model, "merged", x, to_heads);
    return reshape(model, "flat", x, 3, dims);
}

static void build_attention(HyperionModel *model)
{
    // The view behind it was one of the transposed heads.
    const int x = attend(model, 2, false, NO_MASK);
    finish(model, activate(model, "neg", HYPERION_ACTIVATION_NEG,
                           reshape(model, "rows", x, 2, (int64_t[]){(int64_t)BATCH * SEQ, -1})));
}

static void build_attention_with_an_empty_mask(HyperionModel *model)
{
    finish(model, attend(model, 2, false, EMPTY_MASK));
}

static void build_causal_attention(HyperionModel *model)
{
    finish(model, attend(model, 2, true, ADDED_MASK));
}

static void build_choosing_attention(HyperionModel *model)
{
    finish(model, attend(model, 2, false, CHOSEN_MASK));
}

static void build_leaky_attention(HyperionModel *model)
{
    finish(model, attend(model, 2, false, LEAKY_MASK));
}

static void build_wrongly_scaled_attention(HyperionModel *model)
{
    finish(model, attend(model, 3, false, NO_MASK));
}

static void attention_becomes_a_layer(void **state)
{
    (void)state;
    expect_rewriting(build_attention, "attention", 3);
    expect_rewriting(build_attention_with_an_empty_mask, "attention", 1);
    expect_rewriting(build_causal_attention, "attention", 1);
    expect_rewriting(build_choosing_attention, "attention", 1);
    expect_rewriting(build_leaky_attention, "", 13);
    expect_rewriting(build_wrongly_scaled_attention, "", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gelu_becomes_an_activation),
        cmocka_unit_test(gates_become_activations),
        cmocka_unit_test(normalisations_become_layers),
        cmocka_unit_test(attention_becomes_a_layer),
    };
    return cmocka_run_group_tests_name("rewrite_patterns", tests, NULL, NULL);
}
