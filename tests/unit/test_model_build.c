// SPDX-License-Identifier: Apache-2.0
// test_model_build.c - the builder: what it refuses and says, and that a refusal changes nothing;
// shapes it infers; looking inside.
#include "hyperion/hyperion.h"

#include "model/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// A tensor of every shape that the cases below need, as inputs of one model.
enum {
    VECTOR3,
    VECTOR4,
    MATRIX23,
    MATRIX34,
    IMAGE,
    FILTER,
    QUERIES,
    KEYS,
    SCALAR,
    INTEGERS,
    COUNT
};

static int setup(void **state)
{
    static const struct {
        const char *name;
        int rank;
        int64_t dims[4];
    } inputs[COUNT] = {
        [VECTOR3] = {"vector3", 1, {3}},        [VECTOR4] = {"vector4", 1, {4}},
        [MATRIX23] = {"matrix23", 2, {2, 3}},   [MATRIX34] = {"matrix34", 2, {3, 4}},
        [IMAGE] = {"image", 4, {1, 4, 6, 5}},   [FILTER] = {"filter", 4, {8, 2, 3, 3}},
        [QUERIES] = {"queries", 3, {2, 5, 12}}, [KEYS] = {"keys", 3, {2, 4, 12}},
        [SCALAR] = {"scalar", 0, {0}},          [INTEGERS] = {"integers", 1, {3}},
    };
    HyperionModel *model = hyperionCreateModel("builder");
    for (int i = 0; i < COUNT; i++) {
        const HyperionType type = i == INTEGERS ? HYPERION_TYPE_I64 : HYPERION_TYPE_F32;
        if (hyperionAddInput(model, inputs[i].name, type, inputs[i].rank, inputs[i].dims) != i)
            return -1;
    }
    *state = model;
    return 0;
}

static int teardown(void **state)
{
    hyperionFreeModel(*state);
    return 0;
}

static const struct {
    HyperionLayerOp op;
    HyperionLayerAttributes attributes;
    int input_count;
    int inputs[3];
    const char *message;
} bad_layers[] = {
    {HYPERION_LAYER_GEMM, {0}, 1, {MATRIX23}, "2 to 3 inputs, given 1"},
    {HYPERION_LAYER_GEMM, {0}, 2, {MATRIX23, -1}, "input 1 is tensor -1 of 10"},
    {HYPERION_LAYER_GEMM, {0}, 2, {MATRIX23, COUNT}, "input 1 is tensor 10 of 10"},
    {HYPERION_LAYER_GEMM, {0}, 2, {MATRIX23, INTEGERS}, "'integers' is i64, expected f32"},
    {HYPERION_LAYER_GEMM, {0}, 2, {SCALAR, MATRIX34}, "'scalar' is a scalar"},
    {HYPERION_LAYER_GEMM, {0}, 2, {MATRIX23, VECTOR3}, "'vector3' is 3 f32, expected 2 dim"},
    {HYPERION_LAYER_GEMM, {0}, 2, {MATRIX34, MATRIX34}, "has depth 4, but 'matrix34' 3"},
    {HYPERION_LAYER_GEMM, {0}, 3, {MATRIX23, MATRIX34, VECTOR3}, "is 3 f32, expected 4 f32"},
    {HYPERION_LAYER_GEMM,
     {.activation = (HyperionActivation)99},
     2,
     {MATRIX23, MATRIX34},
     "unknown activation 99"},
    {HYPERION_LAYER_CONV2D, {0}, 2, {IMAGE, FILTER}, "has 2 channels, expected 4"},
    {HYPERION_LAYER_CONV2D, {.groups = 3}, 2, {IMAGE, FILTER}, "3 groups do not divide"},
    {HYPERION_LAYER_CONV2D,
     {.groups = 2, .stride = {-1, 1}},
     2,
     {IMAGE, FILTER},
     "stride is -1, expected 1 to"},
    {HYPERION_LAYER_CONV2D,
     {.groups = 2, .padding = {0, 0, 0, -1}},
     2,
     {IMAGE, FILTER},
     "padding is -1, expected 0 to"},
    {HYPERION_LAYER_CONV2D,
     {.groups = 2, .dilation = {3, 1}},
     2,
     {IMAGE, FILTER},
     "covers 7 of the height, the padded image has 6"},
    {HYPERION_LAYER_CONV2D,
     {.groups = 2, .padding = {INT64_MAX}},
     2,
     {IMAGE, FILTER},
     "padding is 9223372036854775807"},
    {HYPERION_LAYER_CONV2D, {.groups = 2}, 3, {IMAGE, FILTER, VECTOR4}, "expected 8 f32"},
    {HYPERION_LAYER_CONV2D, {.groups = 2}, 2, {MATRIX23, FILTER}, "expected 3 to 5 dimensions"},
    {HYPERION_LAYER_ACTIVATION, {0}, 1, {VECTOR3}, "no activation function 0"},
    {HYPERION_LAYER_MAX_POOL, {0}, 1, {IMAGE}, "kernel is 0, expected 1 to"},
    {HYPERION_LAYER_MAX_POOL,
     {.kernel = {2, 2}, .padding = {0, 2, 0, 0}},
     1,
     {IMAGE},
     "padding must be smaller than the kernel"},
    {HYPERION_LAYER_BINARY,
     {0},
     2,
     {VECTOR3, MATRIX34},
     "'vector3', 3 f32, and 'matrix34', 3x4 f32, do not broadcast"},
    {HYPERION_LAYER_SOFTMAX, {0}, 1, {SCALAR}, "is a scalar"},
    {HYPERION_LAYER_LAYERNORM, {0}, 2, {MATRIX23, VECTOR4}, "expected 3 f32"},
    {HYPERION_LAYER_LAYERNORM, {.epsilon = -1.0F}, 2, {MATRIX23, VECTOR3}, "epsilon is -1"},
    {HYPERION_LAYER_ATTENTION, {.heads = 5}, 3, {QUERIES, KEYS, KEYS}, "5 heads do not divide"},
    {HYPERION_LAYER_ATTENTION,
     {.causal = true},
     3,
     {QUERIES, KEYS, KEYS},
     "4 keys are too few for 5 causal queries"},
    {HYPERION_LAYER_ATTENTION, {0}, 3, {QUERIES, KEYS, QUERIES}, "differ in shape"},
    {HYPERION_LAYER_ATTENTION, {0}, 3, {MATRIX23, KEYS, KEYS}, "expected 3 dimensions"},
    {HYPERION_LAYER_RESHAPE, {.rank = 9}, 1, {VECTOR4}, "rank 9, expected 0 to 8"},
    {HYPERION_LAYER_RESHAPE, {.rank = 2, .dims = {-1, -1}}, 1, {VECTOR4}, "one may be -1"},
    {HYPERION_LAYER_RESHAPE, {.rank = 2, .dims = {2, 0}}, 1, {VECTOR4}, "has only 1"},
    {HYPERION_LAYER_RESHAPE,
     {.rank = 2, .dims = {3, -1}},
     1,
     {VECTOR4},
     "do not hold the 4 elements of 'vector4', 4 f32"},
    {HYPERION_LAYER_RESHAPE,
     {.rank = 2, .dims = {INT64_MAX, INT64_MAX}},
     1,
     {VECTOR4},
     "do not hold"},
    {HYPERION_LAYER_OP_COUNT, {0}, 1, {VECTOR4}, "no such op"},
};

static void layers_that_do_not_fit_are_refused_and_change_nothing(void **state)
{
    HyperionModel *model = *state;
    for (size_t i = 0; i < sizeof bad_layers / sizeof bad_layers[0]; i++) {
        const int id = hyperionAddLayer(model, "layer", bad_layers[i].op, &bad_layers[i].attributes,
                                        bad_layers[i].inputs, bad_layers[i].input_count);
        assert_int_equal(id, -1);
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
        if (!strstr(hyperionGetLastError(), bad_layers[i].message))
            fail_msg("case %zu: %s", i, hyperionGetLastError());
        assert_int_equal(hyperionModelTensorCount(model), COUNT);
        assert_int_equal(hyperionModelLayerCount(model), 0);
    }
}

static void expect_dims(HyperionTensorInfo info, int rank, const int64_t *dims)
{
    assert_int_equal(info.rank, rank);
    for (int i = 0; i < rank; i++)
        assert_int_equal(info.dims[i], dims[i]);
}

static const struct {
    HyperionLayerOp op;
    HyperionLayerAttributes attributes;
    int input_count;
    int inputs[4];
    int rank;
    int64_t dims[4];
    double flops;
} good_layers[] = {
    {HYPERION_LAYER_GEMM, {0}, 2, {VECTOR3, MATRIX34}, 1, {4}, 2.0 * 3 * 4},
    {HYPERION_LAYER_CONV2D,
     {.groups = 2, .stride = {2, 1}, .padding = {1, 0, 1, 2}},
     2,
     {IMAGE, FILTER},
     4,
     {1, 8, 3, 5},
     2.0 * 8 * 15 * 18},
    {HYPERION_LAYER_MAX_POOL,
     {.kernel = {3, 2}, .stride = {3, 2}},
     1,
     {IMAGE},
     4,
     {1, 4, 2, 2},
     16.0 * 6},
    {HYPERION_LAYER_BINARY, {0}, 2, {SCALAR, MATRIX34}, 2, {3, 4}, 12.0},
    {HYPERION_LAYER_SOFTMAX, {0}, 1, {MATRIX34}, 2, {3, 4}, 60.0},
    {HYPERION_LAYER_LAYERNORM, {0}, 2, {MATRIX23, VECTOR3}, 2, {2, 3}, 48.0},
    {HYPERION_LAYER_ATTENTION,
     {.heads = 3},
     3,
     {QUERIES, KEYS, KEYS},
     3,
     {2, 5, 12},
     4.0 * 2 * 5 * 12 * 4},
    {HYPERION_LAYER_RESHAPE, {.rank = 3, .dims = {0, -1, 5}}, 1, {IMAGE}, 3, {1, 24, 5}, 0.0},
    {HYPERION_LAYER_RESHAPE, {.rank = 2, .dims = {3, 1}}, 1, {INTEGERS}, 2, {3, 1}, 0.0},
};

static void shapes_and_work_are_inferred(void **state)
{
    HyperionModel *model = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    double flops = 0.0;
    for (size_t i = 0; i < sizeof good_layers / sizeof good_layers[0]; i++) {
        const int id =
            hyperionAddLayer(model, names[i], good_layers[i].op, &good_layers[i].attributes,
                             good_layers[i].inputs, good_layers[i].input_count);
        if (id < 0)
            fail_msg("case %zu: %s", i, hyperionGetLastError());
        expect_dims(hyperionModelTensor(model, id), good_layers[i].rank, good_layers[i].dims);
        const HyperionLayerInfo layer = hyperionModelLayer(model, (int)i);
        assert_string_equal(layer.name, names[i]);
        assert_string_equal(layer.op_name, hyperionLayerOpName(good_layers[i].op));
        assert_true(layer.flops == good_layers[i].flops);
        flops += good_layers[i].flops;
    }
    assert_true(hyperionModelFlops(model) == flops);
}

static void products_of_layers_are_described(void **state)
{
    HyperionModel *model = *state;
    const HyperionLayerAttributes grouped = {.groups = 2};
    assert_true(hyperionAddLayer(model, "conv", HYPERION_LAYER_CONV2D, &grouped,
                                 (int[]){IMAGE, FILTER}, 2) >= 0);
    assert_true(hyperionAddLayer(model, "gemm", HYPERION_LAYER_GEMM, NULL,
                                 (int[]){MATRIX23, MATRIX34}, 2) >= 0);
    assert_true(
        hyperionAddLayer(model, "softmax", HYPERION_LAYER_SOFTMAX, NULL, (int[]){VECTOR3}, 1) >= 0);
    HypLayerProduct product;
    assert_true(hyp_layer_product(model, &model->layers[0], &product));
    assert_int_equal(product.shape.m, 4); // filters of one of two groups
    assert_int_equal(product.shape.n, 4 * 3);
    assert_int_equal(product.shape.k, 2 * 9);
    assert_int_equal(product.repeats, 2);
    // A product of so few rows that another kernel computes it.
    assert_false(hyp_layer_product(model, &model->layers[1], &product));
    assert_int_equal(product.shape.n, 4);
    assert_false(hyp_layer_product(model, &model->layers[2], &product));
}

static void names_are_given_and_unique(void **state)
{
    HyperionModel *model = *state;
    const float value = 1.0F;
    assert_int_equal(hyperionAddInput(model, "image", HYPERION_TYPE_F32, 0, NULL), -1);
    assert_non_null(strstr(hyperionGetLastError(), "there is a tensor 'image' already"));
    assert_int_equal(hyperionAddWeight(model, "", HYPERION_TYPE_F32, 0, NULL, &value), -1);
    assert_int_equal(hyperionAddWeight(model, NULL, HYPERION_TYPE_F32, 0, NULL, &value), -1);
    assert_int_equal(hyperionAddWeight(model, "w", HYPERION_TYPE_F32, 0, NULL, NULL), -1);
    assert_int_equal(
        hyperionAddLayer(model, NULL, HYPERION_LAYER_SOFTMAX, NULL, (int[]){VECTOR3}, 1), -1);
    assert_int_equal(hyperionAddLayer(model, "s", HYPERION_LAYER_SOFTMAX, NULL, NULL, 1), -1);
    assert_false(hyperionAddOutput(model, COUNT));
    assert_true(hyperionAddOutput(model, VECTOR3));
    assert_false(hyperionAddOutput(model, VECTOR3));
    assert_int_equal(hyperionModelOutputCount(model), 1);
    assert_int_equal(hyperionModelInputCount(model), COUNT);
}

static void nothing_to_look_at_gives_nothing_and_says_so(void **state)
{
    HyperionModel *model = *state;
    assert_string_equal(hyperionModelName(NULL), "");
    assert_string_equal(hyperionModelName(model), "builder");
    assert_int_equal(hyperionModelLayerCount(NULL), 0);
    assert_int_equal(hyperionModelTensorCount(NULL), 0);
    assert_int_equal(hyperionModelInputCount(NULL), 0);
    assert_int_equal(hyperionModelOutputCount(NULL), 0);
    assert_int_equal(hyperionModelWeightBytes(NULL), 0);
    assert_int_equal(hyperionModelActivationBytes(NULL), 0);
    assert_true(hyperionModelFlops(NULL) == 0.0);
    assert_null(hyperionModelLayer(NULL, 0).name);
    assert_null(hyperionModelLayer(model, 0).name);
    assert_string_equal(hyperionGetLastError(), "model layer: 0 of 0");
    assert_null(hyperionModelTensor(model, -1).name);
    assert_null(hyperionModelInput(model, COUNT).name);
    assert_null(hyperionModelOutput(model, 0).name);
    assert_string_equal(hyperionLayerOpName(HYPERION_LAYER_OP_COUNT), "");
    assert_null(hyperionCreateModel(NULL));
    assert_int_equal(hyperionAddInput(NULL, "x", HYPERION_TYPE_F32, 0, NULL), -1);
    assert_int_equal(hyperionAddLayer(NULL, "s", HYPERION_LAYER_SOFTMAX, NULL, (int[]){VECTOR3}, 1),
                     -1);
    assert_false(hyperionAddOutput(NULL, 0));
    hyperionFreeModel(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(layers_that_do_not_fit_are_refused_and_change_nothing),
        TEST(shapes_and_work_are_inferred),
        TEST(products_of_layers_are_described),
        TEST(names_are_given_and_unique),
        TEST(nothing_to_look_at_gives_nothing_and_says_so),
    };
#undef TEST
    return cmocka_run_group_tests_name("model_build", tests, NULL, NULL);
}
