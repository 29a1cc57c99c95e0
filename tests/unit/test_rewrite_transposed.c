// SPDX-License-Identifier: Apache-2.0
// test_rewrite_transposed.c - products read what was transposed for them as it was.
#include "rewrite_support.h"

static int transpose(HyperionModel *model, const char *name, int x, int rank, const int64_t *axes)
{
    HyperionLayerAttributes attributes = {.rank = rank};
    memcpy(attributes.axes, axes, (size_t)rank * sizeof *axes);
    return add(model, name, HYPERION_LAYER_TRANSPOSE, &attributes, x, -1, -1);
}

static void multiply(HyperionModel *model, int a, int b)
{
    assert_true(hyperionAddOutput(model, add(model, "y", HYPERION_LAYER_MATMUL, NULL, a, b, -1)));
}

static int add_stack(HyperionModel *model, const char *name)
{
    return hyperionAddInput(model, name, HYPERION_TYPE_F32, 3, (int64_t[]){2, 4, 4});
}

static void build_transposed(HyperionModel *model)
{
    const int a = add_stack(model, "a");
    multiply(model, a, transpose(model, "t", add_stack(model, "b"), 3, (int64_t[]){0, 2, 1}));
}

static void build_reversed_matrix(HyperionModel *model)
{
    const int64_t dims[] = {3, 5};
    const int a = hyperionAddInput(model, "a", HYPERION_TYPE_F32, 2, dims);
    const int b = hyperionAddInput(model, "b", HYPERION_TYPE_F32, 2, dims);
    multiply(model, a, add(model, "t", HYPERION_LAYER_TRANSPOSE, NULL, b, -1, -1));
}

static void build_other_axes(HyperionModel *model)
{
    const int a = hyperionAddInput(model, "a", HYPERION_TYPE_F32, 3, (int64_t[]){4, 2, 4});
    multiply(model, a, transpose(model, "t", add_stack(model, "b"), 3, (int64_t[]){1, 2, 0}));
}

static void build_first_operand(HyperionModel *model)
{
    const int a = transpose(model, "t", add_stack(model, "a"), 3, (int64_t[]){0, 2, 1});
    multiply(model, a, add_stack(model, "b"));
}

static void build_twice(HyperionModel *model)
{
    const int a = add_stack(model, "a");
    const int b = transpose(model, "t", add_stack(model, "b"), 3, (int64_t[]){0, 2, 1});
    multiply(model, a, transpose(model, "u", b, 3, (int64_t[]){0, 2, 1}));
}

static void transposed_operands_are_read_as_they_were(void **state)
{
    (void)state;
    expect_rewriting(build_transposed, "transposed_product", 1);
    expect_rewriting(build_reversed_matrix, "transposed_product", 1);
}

static void other_transpositions_stay(void **state)
{
    (void)state;
    expect_rewriting(build_other_axes, "", 2);
    expect_rewriting(build_first_operand, "", 2);
    expect_rewriting(build_twice, "", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposed_operands_are_read_as_they_were),
        cmocka_unit_test(other_transpositions_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
