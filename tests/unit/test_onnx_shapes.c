// SPDX-License-Identifier: Apache-2.0
// test_onnx_shapes.c - ONNX operators whose results are known from shapes and constants.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/hyperion-test-shapes-XXXXXX";

static void shapes_sizes_and_ranges_are_constants(void **state)
{
    (void)state;
    Message graph = {.count = 0};
    Message node = make_node("Shape", NAMES("x"), NAMES("shape"));
    put_message(&graph, 1, &node);
    node = make_node("ConstantOfShape", NAMES("shape"), NAMES("zeros"));
    put_message(&graph, 1, &node);
    node = make_node("Shape", NAMES("x"), NAMES("last"));
    put_int_attribute(&node, "start", -1);
    put_message(&graph, 1, &node);
    node = make_node("Size", NAMES("x"), NAMES("size"));
    put_message(&graph, 1, &node);
    node = make_node("Range", NAMES("zero", "size", "two"), NAMES("even"));
    put_message(&graph, 1, &node);
    node = make_node("Expand", NAMES("x", "even3"), NAMES("y"));
    put_message(&graph, 1, &node);
    const int64_t zero = 0;
    const int64_t two = 2;
    Message tensor = make_int64s("zero", 1, &zero, RAW_DATA);
    put_message(&graph, 5, &tensor);
    tensor = make_int64s("two", 1, &two, RAW_DATA);
    put_message(&graph, 5, &tensor);
    tensor = make_int64s("even3", 3, (int64_t[]){2, 2, 3}, RAW_DATA);
    put_message(&graph, 5, &tensor);
    put_value(&graph, 11, "x", 1, DIMS(2, 3));
    put_value(&graph, 12, "y", 1, DIMS(2, 2, 3));
    put_value(&graph, 12, "zeros", 1, DIMS(2, 3));
    put_value(&graph, 12, "last", 7, DIMS(1));
    put_value(&graph, 12, "even", 7, DIMS(3));
    const Message file = make_model(&graph, 15);
    assert_true(write_file(path, file.bytes, file.count));
    HyperionModel *model = hyperionLoadModel(path);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    float x[6] = {0, 1, 2, 3, 4, 5};
    float y[12];
    float zeros[6] = {1, 1, 1, 1, 1, 1};
    int64_t last[1];
    int64_t even[3];
    HyperionTensor *input = hyperionWrapTensor(HYPERION_TYPE_F32, 2, (int64_t[]){2, 3}, x);
    HyperionTensor *outputs[] = {
        hyperionWrapTensor(HYPERION_TYPE_F32, 3, (int64_t[]){2, 2, 3}, y),
        hyperionWrapTensor(HYPERION_TYPE_F32, 2, (int64_t[]){2, 3}, zeros),
        hyperionWrapTensor(HYPERION_TYPE_I64, 1, (int64_t[]){1}, last),
        hyperionWrapTensor(HYPERION_TYPE_I64, 1, (int64_t[]){3}, even),
    };
    assert_true(hyperionRunModel(model, &input, outputs));
    for (int i = 0; i < 6; i++)
        assert_true(zeros[i] == 0 && y[i] == x[i] && y[6 + i] == x[i]);
    assert_int_equal(last[0], 3);
    assert_true(even[0] == 0 && even[1] == 2 && even[2] == 4);
    hyperionFreeTensor(input);
    for (int i = 0; i < 4; i++)
        hyperionFreeTensor(outputs[i]);
    hyperionFreeModel(model);
}

// The one node's inputs are i64 constants of one element.
static void check_range(int64_t start, int64_t end, int64_t step, const char *reason, size_t count)
{
    Message graph = {.count = 0};
    const struct {
        const char *name;
        int64_t value;
    } inputs[] = {{"start", start}, {"end", end}, {"step", step}};
    const Message node = make_node("Range", NAMES("start", "end", "step"), NAMES("y"));
    put_message(&graph, 1, &node);
    for (int i = 0; i < 3; i++) {
        const Message tensor = make_int64s(inputs[i].name, 1, &inputs[i].value, RAW_DATA);
        put_message(&graph, 5, &tensor);
    }
    put_value(&graph, 12, "y", 7, DIMS(1));
    const Message file = make_model(&graph, 13);
    assert_true(write_file(path, file.bytes, file.count));
    HyperionModel *model = hyperionLoadModel(path);
    if (reason) {
        assert_null(model);
        assert_non_null(strstr(hyperionGetLastError(), reason));
    } else {
        assert_non_null(model);
        assert_int_equal(hyperionModelOutput(model, 0).dims[0], count);
        hyperionFreeModel(model);
    }
}

static void ranges_count_up_and_down_within_reason(void **state)
{
    (void)state;
    check_range(3, 10, 3, NULL, 3);
    check_range(10, 3, -3, NULL, 3);
    check_range(3, 3, 1, NULL, 0);
    check_range(3, 10, -1, NULL, 0);
    check_range(INT64_MIN, INT64_MAX, INT64_MAX, NULL, 3);
    check_range(0, INT64_MAX, 1, "a range in steps of 0 or of so many elements is not implemented",
                0);
    check_range(0, 1, 0, "a range in steps of 0 or of so many elements is not implemented", 0);
}

// Layers that are left of a cubic resize of `extent` zeros.
static int count_resize_layers(int64_t extent)
{
    Message graph = {.count = 0};
    Message node = make_node("ConstantOfShape", NAMES("shape"), NAMES("x"));
    put_message(&graph, 1, &node);
    node = make_node("Resize", NAMES("x", "", "scales"), NAMES("y"));
    put_text_attribute(&node, "mode", "cubic");
    put_message(&graph, 1, &node);
    Message tensor = make_int64s("shape", 1, &extent, RAW_DATA);
    put_message(&graph, 5, &tensor);
    tensor = make_floats("scales", DIMS(1), (float[]){1.5F}, RAW_DATA);
    put_message(&graph, 5, &tensor);
    put_value(&graph, 12, "y", 1, DIMS(1));
    const Message file = make_model(&graph, 13);
    assert_true(write_file(path, file.bytes, file.count));
    HyperionModel *model = hyperionLoadModel(path);
    assert_non_null(model);
    const int layer_count = hyperionModelLayerCount(model);
    hyperionFreeModel(model);
    return layer_count;
}

// 256 KiB and the file's own size may be kept; the workspace of a resize is many times its result.
static void constants_that_take_much_memory_to_compute_stay_layers(void **state)
{
    (void)state;
    assert_int_equal(count_resize_layers(100), 0);
    assert_int_equal(count_resize_layers(4000), 1);
}

static int setup(void **state)
{
    (void)state;
    const int file = mkstemp(path);
    return file >= 0 ? close(file) : -1;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_sizes_and_ranges_are_constants),
        cmocka_unit_test(ranges_count_up_and_down_within_reason),
        cmocka_unit_test(constants_that_take_much_memory_to_compute_stay_layers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
