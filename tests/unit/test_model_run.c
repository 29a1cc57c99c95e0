// SPDX-License-Identifier: Apache-2.0
// test_model_run.c - running models of one or a few layers, checked by hand-written loops.
#include "hyperion/hyperion.h"

#include "model/graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 4096 };
static float in_values[2][MOST];
static float out_values[2][MOST];

// Small whole numbers, so that sums are exact in any order.
static void fill(float *values, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U;
        values[i] = (float)(seed >> 28) - 7.0F;
    }
}

static HyperionTensor *wrap(HyperionTensorInfo info, float *values)
{
    assert_true(info.size_bytes <= MOST * sizeof *values);
    HyperionTensor *tensor = hyperionWrapTensor(info.type, info.rank, info.dims, values);
    assert_non_null(tensor);
    return tensor;
}

// Runs a model of up to two inputs and outputs on in_values into out_values.
static bool run(HyperionModel *model)
{
    HyperionTensor *inputs[2] = {NULL, NULL};
    HyperionTensor *outputs[2] = {NULL, NULL};
    for (int i = 0; i < hyperionModelInputCount(model); i++)
        inputs[i] = wrap(hyperionModelInput(model, i), in_values[i]);
    for (int i = 0; i < hyperionModelOutputCount(model); i++)
        outputs[i] = wrap(hyperionModelOutput(model, i), out_values[i]);
    const bool ran = hyperionRunModel(model, inputs, outputs);
    for (int i = 0; i < 2; i++) {
        hyperionFreeTensor(inputs[i]);
        hyperionFreeTensor(outputs[i]);
    }
    return ran;
}

static int setup(void **state)
{
    *state = hyperionCreateModel("test");
    fill(in_values[0], MOST, 1);
    fill(in_values[1], MOST, 2);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    hyperionFreeModel(*state);
    return 0;
}

static void gemm_multiplies_rows_adds_bias_and_activates_at_every_level(void **state)
{
    HyperionModel *model = *state;
    enum { ROWS = 6, DEPTH = 19, COLUMNS = 37 };
    static float weight[DEPTH * COLUMNS];
    static float bias[COLUMNS];
    fill(weight, sizeof weight / sizeof weight[0], 3);
    fill(bias, COLUMNS, 4);
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 3, (int64_t[]){2, 3, DEPTH});
    const int w =
        hyperionAddWeight(model, "w", HYPERION_TYPE_F32, 2, (int64_t[]){DEPTH, COLUMNS}, weight);
    const int b = hyperionAddWeight(model, "b", HYPERION_TYPE_F32, 1, (int64_t[]){COLUMNS}, bias);
    const HyperionLayerAttributes relu = {.activation = HYPERION_ACTIVATION_RELU};
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_GEMM, &relu, (int[]){x, w, b}, 3);
    assert_true(hyperionAddOutput(model, y));
    assert_true(hyperionModelFlops(model) == 2.0 * ROWS * DEPTH * COLUMNS);
    for (int level = 0; level <= (int)hyperionGetSIMDCapabilities().best_level; level++) {
        hyperionSetSIMDOptimizationLevel(model, level);
        assert_int_equal(hyperionGetSIMDOptimizationLevel(model), level);
        memset(out_values, 0xff, sizeof out_values);
        assert_true(run(model));
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < COLUMNS; j++) {
                float sum = bias[j];
                for (int p = 0; p < DEPTH; p++)
                    sum += in_values[0][i * DEPTH + p] * weight[p * COLUMNS + j];
                assert_true(out_values[0][i * COLUMNS + j] == (sum > 0.0F ? sum : 0.0F));
            }
    }
}

static void gemm_takes_a_transposed_weight(void **state)
{
    HyperionModel *model = *state;
    static float weight[4 * 3];
    fill(weight, sizeof weight / sizeof weight[0], 3);
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, (int64_t[]){3});
    const int w = hyperionAddWeight(model, "w", HYPERION_TYPE_F32, 2, (int64_t[]){4, 3}, weight);
    const HyperionLayerAttributes transposed = {.transpose_b = true};
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_GEMM, &transposed, (int[]){x, w}, 2);
    assert_true(hyperionAddOutput(model, y));
    assert_true(run(model));
    for (int j = 0; j < 4; j++) {
        float sum = 0.0F;
        for (int p = 0; p < 3; p++)
            sum += in_values[0][p] * weight[j * 3 + p];
        assert_true(out_values[0][j] == sum);
    }
}

// Value of an operand at the place of the result that `index` numbers, by the ONNX rule.
static float broadcast_value(const float *values, int rank, const int64_t *dims, int out_rank,
                             const int64_t *out_dims, size_t index)
{
    size_t offset = 0;
    size_t step = 1;
    for (int axis = out_rank - 1; axis >= 0; axis--) {
        const size_t place = index % (size_t)out_dims[axis];
        index /= (size_t)out_dims[axis];
        const int own = axis - (out_rank - rank);
        if (own < 0)
            continue;
        offset += dims[own] == 1 ? 0 : place * step;
        step *= (size_t)dims[own];
    }
    return values[offset];
}

static void add_broadcasts_any_axis_of_either_side(void **state)
{
    (void)state;
    static const struct {
        int a_rank, b_rank;
        int64_t a[5], b[5];
    } cases[] = {
        {4, 4, {1, 8, 5, 6}, {1, 8, 5, 6}},
        {4, 3, {1, 8, 5, 6}, {8, 1, 1}},
        {3, 4, {8, 1, 1}, {1, 8, 5, 6}},
        {2, 1, {3, 17}, {17}},
        {1, 2, {17}, {3, 17}},
        {2, 2, {3, 1}, {1, 4}},
        {2, 2, {1, 4}, {3, 1}},
        {3, 3, {2, 3, 4}, {2, 1, 4}},
        {3, 3, {2, 1, 4}, {2, 3, 4}},
        {5, 5, {2, 1, 3, 1, 5}, {1, 4, 1, 2, 5}},
        {5, 4, {2, 3, 2, 3, 5}, {3, 1, 3, 1}},
        {0, 3, {0}, {2, 3, 4}},
        {3, 0, {2, 3, 4}, {0}},
        {0, 0, {0}, {0}},
        {3, 3, {2, 0, 4}, {1, 1, 4}},
        {5, 5, {1, 2, 1, 3, 4}, {6, 1, 5, 1, 4}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        HyperionModel *model = hyperionCreateModel("add");
        const int a = hyperionAddInput(model, "a", HYPERION_TYPE_F32, cases[c].a_rank, cases[c].a);
        const int b = hyperionAddInput(model, "b", HYPERION_TYPE_F32, cases[c].b_rank, cases[c].b);
        const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_BINARY, NULL, (int[]){a, b}, 2);
        assert_true(y >= 0 && hyperionAddOutput(model, y));
        assert_true(run(model));
        const HyperionTensorInfo out = hyperionModelOutput(model, 0);
        for (size_t i = 0; i < out.size_bytes / sizeof(float); i++) {
            const float want =
                broadcast_value(in_values[0], cases[c].a_rank, cases[c].a, out.rank, out.dims, i) +
                broadcast_value(in_values[1], cases[c].b_rank, cases[c].b, out.rank, out.dims, i);
            if (out_values[0][i] != want)
                fail_msg("case %zu, element %zu: %g, expected %g", c, i, (double)out_values[0][i],
                         (double)want);
        }
        hyperionFreeModel(model);
    }
}

static void outputs_may_be_views_inputs_and_weights(void **state)
{
    HyperionModel *model = *state;
    const float weight[4] = {5, 6, 7, 8};
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, (int64_t[]){4});
    const int w = hyperionAddWeight(model, "w", HYPERION_TYPE_F32, 1, (int64_t[]){4}, weight);
    const HyperionLayerAttributes square = {.rank = 2, .dims = {2, -1}};
    const int view = hyperionAddLayer(model, "view", HYPERION_LAYER_RESHAPE, &square, &w, 1);
    assert_true(hyperionModelTensor(model, view).is_weight);
    assert_true(hyperionAddOutput(model, view) && hyperionAddOutput(model, x));
    assert_true(run(model));
    assert_memory_equal(out_values[0], weight, sizeof weight);
    assert_memory_equal(out_values[1], in_values[0], sizeof weight);
    assert_int_equal(hyperionModelActivationBytes(model), 0);
    assert_int_equal(hyperionModelWeightBytes(model), sizeof weight);
    assert_int_equal(hyperionModelLayer(model, 0).weight_bytes, 0);
}

static void result_and_its_view_may_both_be_outputs(void **state)
{
    HyperionModel *model = *state;
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, (int64_t[]){4});
    const int sum = hyperionAddLayer(model, "sum", HYPERION_LAYER_BINARY, NULL, (int[]){x, x}, 2);
    const HyperionLayerAttributes square = {.rank = 2, .dims = {2, 2}};
    const int view = hyperionAddLayer(model, "view", HYPERION_LAYER_RESHAPE, &square, &sum, 1);
    assert_true(hyperionAddOutput(model, view) && hyperionAddOutput(model, sum));
    assert_true(run(model));
    assert_memory_equal(out_values[0], out_values[1], 4 * sizeof(float));
    assert_true(out_values[0][3] == 2.0F * in_values[0][3]);
}

static void layers_may_be_added_between_runs(void **state)
{
    HyperionModel *model = *state;
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, (int64_t[]){4});
    const int two = hyperionAddLayer(model, "two", HYPERION_LAYER_BINARY, NULL, (int[]){x, x}, 2);
    assert_true(hyperionAddOutput(model, two));
    assert_true(run(model));
    const int four =
        hyperionAddLayer(model, "four", HYPERION_LAYER_BINARY, NULL, (int[]){two, two}, 2);
    assert_true(hyperionAddOutput(model, four));
    assert_true(run(model));
    assert_true(out_values[1][2] == 4.0F * in_values[0][2]);
    assert_int_equal(hyperionModelActivationBytes(model), 0);
}

static void mismatched_tensors_are_named_with_expected_and_given(void **state)
{
    HyperionModel *model = *state;
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){2, 3});
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_BINARY, NULL, (int[]){x, x}, 2);
    assert_true(hyperionAddOutput(model, y));
    HyperionTensor *right = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){2, 3});
    HyperionTensor *wrong = hyperionCreateTensor(HYPERION_TYPE_I32, 2, (int64_t[]){3, 2});
    HyperionTensor *none = NULL;
    assert_false(hyperionRunModel(model, &wrong, &right));
    assert_string_equal(hyperionGetLastError(),
                        "run model test: input 0, 'x', is 2x3 f32, given 3x2 i32");
    assert_false(hyperionRunModel(model, &right, &wrong));
    assert_non_null(strstr(hyperionGetLastError(), "output 0, 'y', is 2x3 f32, given 3x2 i32"));
    assert_false(hyperionRunModel(model, &none, &right));
    assert_non_null(strstr(hyperionGetLastError(), "input 0, 'x', is NULL"));
    assert_false(hyperionRunModel(model, NULL, &right));
    assert_false(hyperionRunModel(model, &right, NULL));
    assert_false(hyperionRunModel(NULL, &right, &right));
    assert_false(hyperionRunModel(model, &right, &right));
    assert_non_null(strstr(hyperionGetLastError(), "share memory"));
    hyperionFreeTensor(right);
    hyperionFreeTensor(wrong);
}

static void running_model_refuses_a_second_call(void **state)
{
    HyperionModel *model = *state;
    assert_false(hyp_model_is_running(model));
    assert_true(hyp_model_begin_change(model, "first call"));
    assert_true(hyp_model_is_running(model));
    assert_false(hyperionRunModel(model, NULL, NULL));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    assert_false(hyperionEnableSIMD(model, HYPERION_SIMD_OP_CONV, false));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    assert_int_equal(hyperionAddInput(model, "x", HYPERION_TYPE_F32, 0, NULL), -1);
    hyperionFreeModel(model); // refused too, or the lines below would read freed memory
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    hyp_model_end_change(model);
    assert_true(hyperionRunModel(model, NULL, NULL));
}

static void simd_level_clamps_and_says_so(void **state)
{
    HyperionModel *model = *state;
    const int best = (int)hyperionGetSIMDCapabilities().best_level;
    assert_int_equal(hyperionGetSIMDOptimizationLevel(model), best);
    hyperionSetSIMDOptimizationLevel(model, 99);
    assert_int_equal(hyperionGetSIMDOptimizationLevel(model), best);
    assert_non_null(strstr(hyperionGetLastError(), "99 (unknown) is not available here"));
    hyperionSetSIMDOptimizationLevel(model, -5);
    assert_int_equal(hyperionGetSIMDOptimizationLevel(model), 0);
    hyperionSetSIMDOptimizationLevel(NULL, 0);
    assert_int_equal(hyperionGetSIMDOptimizationLevel(NULL), -1);
    assert_false(hyperionEnableSIMD(NULL, HYPERION_SIMD_OP_CONV, true));
    assert_false(hyperionEnableSIMD(model, (HyperionSIMDOpType)4, true));
    assert_true(hyperionEnableSIMD(model, HYPERION_SIMD_OP_MATRIX_MUL, false));
    assert_int_equal(model->settings.dispatch.best[HYP_OP_GEMM]->level, HYPERION_SIMD_SCALAR);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gemm_multiplies_rows_adds_bias_and_activates_at_every_level),
        TEST(gemm_takes_a_transposed_weight),
        TEST(add_broadcasts_any_axis_of_either_side),
        TEST(outputs_may_be_views_inputs_and_weights),
        TEST(result_and_its_view_may_both_be_outputs),
        TEST(layers_may_be_added_between_runs),
        TEST(mismatched_tensors_are_named_with_expected_and_given),
        TEST(running_model_refuses_a_second_call),
        TEST(simd_level_clamps_and_says_so),
    };
#undef TEST
    return cmocka_run_group_tests_name("model_run", tests, NULL, NULL);
}
