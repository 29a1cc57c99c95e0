// SPDX-License-Identifier: Apache-2.0
// test_onnx_options.c - sizes that a file leaves open are those of the options, inputs with a value
// become constants, and what can be computed while reading is.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/hyperion-test-options-XXXXXX";

// y = reshape(x, shape) of two inputs; the writer's dimension 0 is symbolic, "batch".
static void write_reshape(void)
{
    Message graph = {.count = 0};
    const Message node = make_node("Reshape", NAMES("x", "shape"), NAMES("y"));
    put_message(&graph, 1, &node);
    put_value(&graph, 11, "x", 1, DIMS(0, 6));
    put_value(&graph, 11, "shape", 7, DIMS(2));
    put_value(&graph, 12, "y", 1, DIMS(0, 0));
    const Message file = make_model(&graph, 14);
    assert_true(write_file(path, file.bytes, file.count));
}

static HyperionTensor *make_shape(int64_t rows, int64_t columns)
{
    HyperionTensor *shape = hyperionCreateTensor(HYPERION_TYPE_I64, 1, (int64_t[]){2});
    assert_non_null(shape);
    ((int64_t *)hyperionTensorData(shape))[0] = rows;
    ((int64_t *)hyperionTensorData(shape))[1] = columns;
    return shape;
}

static void expect_first_input(HyperionModel *model, int64_t rows)
{
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    assert_int_equal(hyperionModelInputCount(model), 1);
    assert_int_equal(hyperionModelInput(model, 0).dims[0], rows);
    assert_int_equal(hyperionModelOutput(model, 0).dims[0], 3);
    hyperionFreeModel(model);
}

static void open_dimensions_are_those_of_the_options(void **state)
{
    (void)state;
    HyperionTensor *shape = make_shape(3, -1);
    const HyperionInputValue value = {"shape", shape};
    const HyperionDimensionSize batch = {"batch", 5};
    const HyperionInputShape x = {"x", 2, {7, 6}};
    HyperionLoadOptions options = {.input_values = &value, .input_value_count = 1};
    write_reshape();
    assert_null(hyperionLoadModelWith(path, &options));
    assert_non_null(strstr(hyperionGetLastError(), "dimension 0 ('batch') is not in the file"));
    options.default_dimension = 4;
    expect_first_input(hyperionLoadModelWith(path, &options), 4);
    options.input_shapes = &x;
    options.input_shape_count = 1;
    expect_first_input(hyperionLoadModelWith(path, &options), 7);
    options.input_shape_count = 0;
    options.dimensions = &batch;
    options.dimension_count = 1;
    expect_first_input(hyperionLoadModelWith(path, &options), 5);
    hyperionFreeTensor(shape);
}

static void options_that_fit_nothing_are_refused(void **state)
{
    (void)state;
    HyperionTensor *number = hyperionCreateTensor(HYPERION_TYPE_F32, 0, NULL);
    const struct {
        HyperionLoadOptions options;
        const char *message;
    } cases[] = {
        {{.dimensions = &(HyperionDimensionSize){"none", 1}, .dimension_count = 1},
         "no input has a dimension 'none'"},
        {{.dimensions = &(HyperionDimensionSize){"batch", -1}, .dimension_count = 1},
         "a negative size of dimension 'batch'"},
        {{.input_shapes = &(HyperionInputShape){"z", 1, {1}}, .input_shape_count = 1},
         "there is no input 'z'"},
        {{.input_shapes = &(HyperionInputShape){"x", 1, {1}}, .input_shape_count = 1},
         "input 'x' has rank 2, given 1"},
        {{.input_shapes = &(HyperionInputShape){"x", 2, {1, 5}}, .input_shape_count = 1},
         "dimension 1 of input 'x' is 6 in the file, given 5"},
        {{.input_values = &(HyperionInputValue){"z", number}, .input_value_count = 1},
         "there is no input 'z'"},
        {{.input_values = &(HyperionInputValue){"x", NULL}, .input_value_count = 1},
         "NULL for the value of input 'x'"},
        {{.input_values = &(HyperionInputValue){"shape", number}, .input_value_count = 1},
         "input 'shape' has another type or shape"},
    };
    write_reshape();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        HyperionLoadOptions options = cases[i].options;
        options.default_dimension = 1;
        assert_null(hyperionLoadModelWith(path, &options));
        if (!strstr(hyperionGetLastError(), cases[i].message))
            fail_msg("expected '%s': %s", cases[i].message, hyperionGetLastError());
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    }
    hyperionFreeTensor(number);
}

static void layers_of_constants_are_computed_while_reading(void **state)
{
    (void)state;
    const float values[2] = {-1.0F, 2.0F};
    Message graph = {.count = 0};
    const Message unused = make_node("Relu", NAMES("x"), NAMES("unused"));
    const Message relu = make_node("Relu", NAMES("c"), NAMES("positive"));
    const Message add = make_node("Add", NAMES("x", "positive"), NAMES("y"));
    const Message constant = make_floats("c", DIMS(2), values, RAW_DATA);
    put_message(&graph, 1, &unused);
    put_message(&graph, 1, &relu);
    put_message(&graph, 1, &add);
    put_message(&graph, 5, &constant);
    put_value(&graph, 11, "x", 1, DIMS(2));
    put_value(&graph, 12, "y", 1, DIMS(2));
    const Message file = make_model(&graph, 14);
    assert_true(write_file(path, file.bytes, file.count));
    HyperionModel *model = hyperionLoadModel(path);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    assert_int_equal(hyperionModelLayerCount(model), 1);
    assert_int_equal(hyperionModelTensorCount(model), 3);
    HyperionTensor *x = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){2});
    HyperionTensor *y = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){2});
    assert_true(hyperionRunModel(model, &x, &y));
    assert_float_equal(((const float *)hyperionTensorData(y))[0], 0.0F, 0.0F);
    assert_float_equal(((const float *)hyperionTensorData(y))[1], 2.0F, 0.0F);
    hyperionFreeTensor(x);
    hyperionFreeTensor(y);
    hyperionFreeModel(model);
}

int main(void)
{
    const int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    (void)close(descriptor);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_dimensions_are_those_of_the_options),
        cmocka_unit_test(options_that_fit_nothing_are_refused),
        cmocka_unit_test(layers_of_constants_are_computed_while_reading),
    };
    const int failed = cmocka_run_group_tests_name("onnx_options", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
