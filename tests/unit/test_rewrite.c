// SPDX-License-Identifier: Apache-2.0
// test_rewrite.c - graph rewriting: every rule fires on its pattern, leaves the outputs what they
// were, and lets alone what only looks like it.
#include "hyperion/hyperion.h"

#include "model/graph.h"
#include "model/rewrite/rewrite.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Builds a model whose inputs and outputs are f32.
typedef void (*Build)(HyperionModel *model);

static int number_of_weights;

// A weight of values in middle +- 0.5.
static int weigh(HyperionModel *model, int rank, const int64_t *dims, float middle)
{
    static float values[4096];
    char name[32];
    for (int i = 0; i < 4096; i++)
        values[i] = middle + sinf((float)(i + 7 * number_of_weights)) / 2;
    (void)snprintf(name, sizeof name, "w%d", number_of_weights++);
    const int id = hyperionAddWeight(model, name, HYPERION_TYPE_F32, rank, dims, values);
    assert_true(id >= 0);
    return id;
}

static int add(HyperionModel *model, const char *name, HyperionLayerOp op,
               const HyperionLayerAttributes *attributes, int a, int b, int c)
{
    const int inputs[] = {a, b, c};
    const int id = hyperionAddLayer(model, name, op, attributes, inputs,
                                    c >= 0   ? 3
                                    : b >= 0 ? 2
                                             : 1);
    if (id < 0)
        fail_msg("%s", hyperionGetLastError());
    return id;
}

static int activate(HyperionModel *model, const char *name, HyperionActivation activation, int x)
{
    const HyperionLayerAttributes attributes = {.activation = activation};
    return add(model, name, HYPERION_LAYER_ACTIVATION, &attributes, x, -1, -1);
}

static HyperionModel *create(Build build)
{
    HyperionModel *model = hyperionCreateModel("patterns");
    assert_non_null(model);
    number_of_weights = 0;
    build(model);
    return model;
}

// Output 0 for an input of sines; for free().
static float *run(HyperionModel *model)
{
    HyperionTensor *inputs[4] = {NULL};
    HyperionTensor *outputs[4] = {NULL};
    for (int i = 0; i < hyperionModelInputCount(model); i++) {
        const HyperionTensorInfo info = hyperionModelInput(model, i);
        inputs[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        float *values = hyperionTensorData(inputs[i]);
        for (size_t j = 0; j < hyperionTensorElementCount(inputs[i]); j++)
            values[j] = 2 * sinf((float)(3 * j + (size_t)i));
    }
    for (int i = 0; i < hyperionModelOutputCount(model); i++) {
        const HyperionTensorInfo info = hyperionModelOutput(model, i);
        outputs[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
    }
    if (!hyperionRunModel(model, inputs, outputs))
        fail_msg("%s", hyperionGetLastError());
    const size_t size_bytes = hyperionTensorBytes(outputs[0]);
    float *values = malloc(size_bytes);
    assert_non_null(values);
    memcpy(values, hyperionTensorData(outputs[0]), size_bytes);
    for (int i = 0; i < 4; i++) {
        hyperionFreeTensor(inputs[i]);
        hyperionFreeTensor(outputs[i]);
    }
    return values;
}

static void expect_close(const float *expected, const float *actual, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(actual[i] - expected[i]) <= 1e-4F + 1e-4F * fabsf(expected[i])))
            fail_msg("element %zu: %g, expected %g", i, (double)actual[i], (double)expected[i]);
}

static void expect_rules(const HyperionModel *model, const char *rules)
{
    char fired[256] = "";
    for (int i = 0; i < hyperionModelFusionCount(model); i++) {
        const HyperionFusionInfo fusion = hyperionModelFusion(model, i);
        assert_in_range(fusion.layer, 0, hyperionModelLayerCount(model) - 1);
        assert_true(fusion.layer_count > 1);
        (void)snprintf(fired + strlen(fired), sizeof fired - strlen(fired), "%s%s", i ? " " : "",
                       fusion.rule);
    }
    assert_string_equal(fired, rules);
}

// Rewriting applies `rules` in this order, leaves `layers` layers and the outputs as they were.
static void expect_rewriting(Build build, const char *rules, int layers)
{
    HyperionModel *plain = create(build);
    HyperionModel *rewritten = create(build);
    if (!hyp_rewrite_model(rewritten))
        fail_msg("%s", hyperionGetLastError());
    expect_rules(rewritten, rules);
    assert_int_equal(hyperionModelLayerCount(rewritten), layers);
    assert_string_equal(hyperionModelOutput(rewritten, 0).name, hyperionModelOutput(plain, 0).name);
    float *expected = run(plain);
    float *actual = run(rewritten);
    expect_close(expected, actual, hyperionModelOutput(plain, 0).size_bytes / sizeof(float));
    free(expected);
    free(actual);
    hyperionFreeModel(plain);
    hyperionFreeModel(rewritten);
}

static int add_image(HyperionModel *model)
{
    return hyperionAddInput(model, "x", HYPERION_TYPE_F32, 4, (int64_t[]){2, 3, 6, 5});
}

static int convolve(HyperionModel *model, const char *name, int x, bool biased)
{
    const int filter = weigh(model, 4, (int64_t[]){4, 3, 3, 3}, 0);
    const int bias = biased ? weigh(model, 1, (int64_t[]){4}, 0) : -1;
    return add(model, name, HYPERION_LAYER_CONV2D, NULL, x, filter, bias);
}

static void build_activated_products(HyperionModel *model)
{
    static const HyperionLayerAttributes flat = {.rank = 2, .dims = {0, -1}};
    int x = convolve(model, "conv", add_image(model), true);
    x = activate(model, "relu", HYPERION_ACTIVATION_RELU, x);
    x = add(model, "flat", HYPERION_LAYER_RESHAPE, &flat, x, -1, -1);
    x = add(model, "fc", HYPERION_LAYER_GEMM, NULL, x, weigh(model, 2, (int64_t[]){48, 7}, 0), -1);
    x = activate(model, "tanh", HYPERION_ACTIVATION_TANH, x);
    assert_true(hyperionAddOutput(model, x));
}

static void product_takes_the_activation_behind_it(void **state)
{
    (void)state;
    expect_rewriting(build_activated_products, "product_activation product_activation", 3);
    HyperionModel *model = create(build_activated_products);
    assert_true(hyp_rewrite_model(model));
    assert_string_equal(hyperionModelLayer(model, 0).name, "conv");
    assert_int_equal(hyperionModelFusion(model, 1).layer, 2);
    assert_int_equal(hyperionModelFusion(model, 1).layer_count, 2);
    assert_null(hyperionModelFusion(model, 2).rule);
    hyperionFreeModel(model);
}

static void build_shared_product(HyperionModel *model)
{
    const int x = convolve(model, "conv", add_image(model), true);
    const int y = activate(model, "sigmoid", HYPERION_ACTIVATION_SIGMOID, x);
    assert_true(hyperionAddOutput(model, add(model, "sum", HYPERION_LAYER_BINARY, NULL, x, y, -1)));
}

static void build_product_that_is_an_output(HyperionModel *model)
{
    const int x = convolve(model, "conv", add_image(model), true);
    assert_true(hyperionAddOutput(model, activate(model, "relu", HYPERION_ACTIVATION_RELU, x)));
    assert_true(hyperionAddOutput(model, x));
}

static void build_two_activations(HyperionModel *model)
{
    int x = convolve(model, "conv", add_image(model), false);
    x = activate(model, "relu", HYPERION_ACTIVATION_RELU, x);
    assert_true(hyperionAddOutput(model, activate(model, "tanh", HYPERION_ACTIVATION_TANH, x)));
}

static void what_others_read_stays(void **state)
{
    (void)state;
    expect_rewriting(build_shared_product, "", 3);
    expect_rewriting(build_product_that_is_an_output, "", 2);
    expect_rewriting(build_two_activations, "product_activation", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product_takes_the_activation_behind_it),
        cmocka_unit_test(what_others_read_stays),
    };
    return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}
