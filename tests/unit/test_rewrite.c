// SPDX-License-Identifier: Apache-2.0
// test_rewrite.c - graph rewriting of products: what stands behind them goes into them, what others
// read stays, and outputs stay what they were.
#include "rewrite_support.h"

#include "small_builtins.h"

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

static void build_clipped_product(HyperionModel *model)
{
    const HyperionLayerAttributes clip = {
        .activation = HYPERION_ACTIVATION_CLIP, .alpha = -0.25F, .beta = 0.5F};
    const int x = convolve(model, "conv", add_image(model), true);
    assert_true(
        hyperionAddOutput(model, add(model, "clip", HYPERION_LAYER_ACTIVATION, &clip, x, -1, -1)));
}

static void parameters_of_an_activation_go_with_it(void **state)
{
    (void)state;
    expect_rewriting(build_clipped_product, "product_activation", 1);
}

static int normalise(HyperionModel *model, int x)
{
    const int scale = weigh(model, 1, (int64_t[]){4}, 1);
    const int shift = weigh(model, 1, (int64_t[]){4}, 0);
    return add(model, "norm", HYPERION_LAYER_SCALE_SHIFT, NULL, x, scale, shift);
}

static void build_normalised_convolution(HyperionModel *model)
{
    const int x = normalise(model, convolve(model, "conv", add_image(model), false));
    assert_true(hyperionAddOutput(model, activate(model, "relu", HYPERION_ACTIVATION_RELU, x)));
}

static void build_normalised_biased_convolution(HyperionModel *model)
{
    assert_true(hyperionAddOutput(
        model, normalise(model, convolve(model, "conv", add_image(model), true))));
}

static void build_normalised_activation(HyperionModel *model)
{
    int x = convolve(model, "conv", add_image(model), true);
    x = activate(model, "relu", HYPERION_ACTIVATION_RELU, x);
    assert_true(hyperionAddOutput(model, normalise(model, x)));
}

static void build_normalised_shared_filters(HyperionModel *model)
{
    const int filter = weigh(model, 4, (int64_t[]){4, 3, 3, 3}, 0);
    const int image = add_image(model);
    const int x = add(model, "conv0", HYPERION_LAYER_CONV2D, NULL, image, filter, -1);
    const int y = add(model, "conv1", HYPERION_LAYER_CONV2D, NULL, image, filter, -1);
    assert_true(hyperionAddOutput(
        model, combine(model, "sum", HYPERION_BINARY_ADD, normalise(model, x), y)));
}

static void convolution_takes_the_batch_normalisation_behind_it(void **state)
{
    (void)state;
    expect_rewriting(build_normalised_convolution, "conv_batchnorm product_activation", 1);
    expect_rewriting(build_normalised_biased_convolution, "conv_batchnorm", 1);
    expect_rewriting(build_normalised_activation, "product_activation", 2);
    expect_rewriting(build_normalised_shared_filters, "", 4);
}

static size_t count_weights_in_memory(const HyperionModel *model)
{
    size_t count = 0;
    for (int i = 0; i < model->tensor_count; i++)
        count += model->tensors[i].role == HYP_TENSOR_WEIGHT && model->tensors[i].data;
    return count;
}

// Seeded weights stand for those of a file: both are made when first needed.
static void folding_reads_no_weights(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:resnet18:image=32,width=4,classes=5");
    assert_non_null(model);
    assert_int_equal(hyperionModelFusionCount(model), 20 + 9); // each convolution, some with relu
    assert_int_equal(count_weights_in_memory(model), 0);
    hyperionFreeModel(model);
}

static float *run_built_in(const char *specification, bool plain, size_t *count)
{
    const HyperionLoadOptions options = {.no_rewriting = plain};
    HyperionModel *model = hyperionLoadModelWith(specification, &options);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    assert_true(!plain || hyperionModelFusionCount(model) == 0);
    float *values = run(model);
    *count = hyperionModelOutput(model, 0).size_bytes / sizeof(float);
    hyperionFreeModel(model);
    return values;
}

static void built_ins_give_the_same_without_rewriting(void **state)
{
    (void)state;
    for (int i = 0; i < SMALL_BUILTIN_COUNT; i++) {
        size_t count;
        float *plain = run_built_in(small_builtins[i], true, &count);
        float *rewritten = run_built_in(small_builtins[i], false, &count);
        expect_close(plain, rewritten, count);
        free(plain);
        free(rewritten);
    }
}

static void build_biased_products(HyperionModel *model)
{
    int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 3, (int64_t[]){2, 5, 8});
    x = add(model, "fc0", HYPERION_LAYER_GEMM, NULL, x, weigh(model, 2, (int64_t[]){8, 6}, 0), -1);
    x = combine(model, "sum0", HYPERION_BINARY_ADD, weigh(model, 1, (int64_t[]){6}, 0), x);
    x = activate(model, "tanh", HYPERION_ACTIVATION_TANH, x);
    x = add(model, "fc1", HYPERION_LAYER_GEMM, NULL, x, weigh(model, 2, (int64_t[]){6, 4}, 0), -1);
    x = combine(model, "sum1", HYPERION_BINARY_ADD, x, weigh(model, 2, (int64_t[]){5, 4}, 0));
    assert_true(hyperionAddOutput(model, x));
}

static void build_convolution_with_a_sum(HyperionModel *model)
{
    const int x = convolve(model, "conv", add_image(model), false);
    const int bias = weigh(model, 3, (int64_t[]){4, 1, 1}, 0);
    assert_true(hyperionAddOutput(model, combine(model, "sum", HYPERION_BINARY_ADD, x, bias)));
}

static void build_convolution_with_a_sum_by_column(HyperionModel *model)
{
    const int x = convolve(model, "conv", add_image(model), false);
    const int row = weigh(model, 1, (int64_t[]){3}, 0);
    assert_true(hyperionAddOutput(model, combine(model, "sum", HYPERION_BINARY_ADD, x, row)));
}

static void build_product_with_a_row(HyperionModel *model)
{
    int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){2, 8});
    x = add(model, "fc", HYPERION_LAYER_GEMM, NULL, x, weigh(model, 2, (int64_t[]){8, 6}, 0), -1);
    const int bias = weigh(model, 2, (int64_t[]){1, 6}, 0);
    assert_true(hyperionAddOutput(model, combine(model, "sum", HYPERION_BINARY_ADD, x, bias)));
}

static void build_shared_row(HyperionModel *model)
{
    int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){2, 8});
    x = add(model, "fc", HYPERION_LAYER_GEMM, NULL, x, weigh(model, 2, (int64_t[]){8, 6}, 0), -1);
    const int row = weigh(model, 2, (int64_t[]){1, 6}, 0);
    x = combine(model, "sum", HYPERION_BINARY_ADD, x, row);
    assert_true(hyperionAddOutput(model, combine(model, "product", HYPERION_BINARY_MUL, x, row)));
}

static void only_a_vector_is_a_bias(void **state)
{
    (void)state;
    expect_rewriting(build_biased_products, "bias product_activation", 3);
    expect_rewriting(build_convolution_with_a_sum, "bias", 1);
    expect_rewriting(build_convolution_with_a_sum_by_column, "", 2);
    expect_rewriting(build_product_with_a_row, "bias", 1);
    expect_rewriting(build_shared_row, "", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product_takes_the_activation_behind_it),
        cmocka_unit_test(what_others_read_stays),
        cmocka_unit_test(parameters_of_an_activation_go_with_it),
        cmocka_unit_test(convolution_takes_the_batch_normalisation_behind_it),
        cmocka_unit_test(folding_reads_no_weights),
        cmocka_unit_test(built_ins_give_the_same_without_rewriting),
        cmocka_unit_test(only_a_vector_is_a_bias),
    };
    return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}
