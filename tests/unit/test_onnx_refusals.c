// SPDX-License-Identifier: Apache-2.0
// test_onnx_refusals.c - ONNX files that are well-formed but cannot be read: the message says why.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/hyperion-test-refusals-XXXXXX";

// One node, x -> y, that cannot be mapped, and what the message must name.
typedef struct BadNode {
    const char *op_type;
    int64_t x_dims[6];
    const char *int_name; // attributes; NULL: none
    int64_t int_value;
    const char *ints_name;
    int64_t ints[6];
    const char *text_value; // of auto_pad
    int64_t weight_dims[6]; // second input "w"; [0] == 0: none
    const char *message;
} BadNode;

static const BadNode bad_nodes[] = {
    {"Conv", {1, 1, 3, 3, -1}, .message = "input 1 is missing"},
    {"Conv", {1, 3, -1}, .weight_dims = {1, 1, 2, -1}, .message = "other than one to three axes"},
    {"Conv", {1, 1, 3, -1}, .weight_dims = {1, 1, 2, 2, -1}, .message = "filter has 4 dimensions"},
    {"Conv", {1, 2, 3, 3, -1}, .weight_dims = {1, 1, 2, 2, -1}, .message = "1 channels"},
    {"Conv", {1, 1, 3, 3, -1}, .weight_dims = {1, 1, 5, 5, -1}, .message = "covers 5"},
    {"Conv",
     {1, 1, 3, 3, -1},
     "group",
     2,
     .weight_dims = {2, 1, 1, 1, -1},
     .message = "2 groups do not divide"},
    {"Conv",
     {1, 1, 3, 3, -1},
     "group",
     -1,
     .weight_dims = {2, 1, 1, 1, -1},
     .message = "-1 groups"},
    {"Conv",
     {1, 1, 3, 3, -1},
     .ints_name = "kernel_shape",
     .ints = {2, 2, -1},
     .weight_dims = {1, 1, 1, 1, -1},
     .message = "kernel_shape is 2 on axis 0, the filter's 1"},
    {"Conv",
     {1, 1, 3, 3, -1},
     .ints_name = "strides",
     .ints = {0, 1, -1},
     .weight_dims = {1, 1, 1, 1, -1},
     .message = "strides, dilations and kernel"},
    {"Conv",
     {1, 1, 3, 3, -1},
     .ints_name = "pads",
     .ints = {1, 1, -1},
     .weight_dims = {1, 1, 1, 1, -1},
     .message = "pads has 2 values, expected 4"},
    {"Conv",
     {1, 1, 3, 3, -1},
     .text_value = "SAME",
     .weight_dims = {1, 1, 1, 1, -1},
     .message = "unknown auto_pad"},
    {"MaxPool", {1, 1, 3, 3, -1}, .message = "strides, dilations and kernel"},
    {"MaxPool", {3, 3, -1}, .message = "other than one to three axes"},
    {"MatMul", {2, 3, -1}, .weight_dims = {4, 2, -1}, .message = "has depth 3, but 'w' 4"},
    {"MatMul", {2, 3, -1}, .weight_dims = {2, 4, 2, -1}, .message = "depths differ"},
    {"Gemm", {2, 3, -1}, "transA", 1, .weight_dims = {3, 3, -1}, .message = "has depth 2"},
    {"Gemm", {2, 3, 1, -1}, .weight_dims = {3, 3, -1}, .message = "3 and 2 dimensions, expected 2"},
    {"Add", {2, 3, -1}, .weight_dims = {2, -1}, .message = "do not broadcast"},
    {"Softmax", {2, 3, -1}, "axis", 2, .message = "axis 2 of 2"},
    {"Flatten", {2, 3, -1}, "axis", -3, .message = "axis -3 of 2"},
    {"Reshape", {2, 3, -1}, .weight_dims = {2, -1}, .message = "expected at most 8 i64"},
    {"Reshape", {2, 3, -1}, .message = "input 1 is missing"},
    {"Relu", {2, 0, -1}, .message = "the size of dimension 1 ('batch') is not"},
    {"Constant", {1, -1}, .message = "0 attributes, expected the value"},
};

static void nodes_that_cannot_be_mapped_say_why(void **state)
{
    (void)state;
    static const float zeros[64];
    for (size_t i = 0; i < sizeof bad_nodes / sizeof bad_nodes[0]; i++) {
        const BadNode *bad = &bad_nodes[i];
        const bool weighted = bad->weight_dims[0] != 0;
        Message graph = {.count = 0};
        Message node = make_node(bad->op_type, weighted ? NAMES("x", "w") : NAMES("x"), NAMES("y"));
        if (bad->int_name)
            put_int_attribute(&node, bad->int_name, bad->int_value);
        if (bad->ints_name)
            put_ints_attribute(&node, bad->ints_name, bad->ints);
        if (bad->text_value)
            put_text_attribute(&node, "auto_pad", bad->text_value);
        put_message(&graph, 1, &node);
        if (weighted) {
            const Message weight = make_floats("w", bad->weight_dims, zeros, RAW_DATA);
            put_message(&graph, 5, &weight);
        }
        put_value(&graph, 11, "x", 1, bad->x_dims);
        put_value(&graph, 12, "y", 1, DIMS(1));
        const Message file = make_model(&graph, 12);
        assert_true(write_file(path, file.bytes, file.count));
        assert_null(hyperionLoadModel(path));
        const char *message = hyperionGetLastError();
        if (!strstr(message, bad->message) || !strstr(message, path))
            fail_msg("case %zu (%s): %s", i, bad->op_type, message);
    }
}

// A graph around Relu with something wrong that `break_graph` adds.
static void expect_refusal(void (*break_graph)(Message *graph), const char *message)
{
    Message graph = {.count = 0};
    const Message node = make_node("Relu", NAMES("x"), NAMES("y"));
    put_message(&graph, 1, &node);
    put_value(&graph, 11, "x", 1, DIMS(2));
    break_graph(&graph);
    const Message file = make_model(&graph, 12);
    assert_true(write_file(path, file.bytes, file.count));
    assert_null(hyperionLoadModel(path));
    if (!strstr(hyperionGetLastError(), message))
        fail_msg("expected '%s': %s", message, hyperionGetLastError());
}

static void add_nothing(Message *graph)
{
    (void)graph;
}

static void add_unmade_output(Message *graph)
{
    put_value(graph, 12, "z", 1, DIMS(2));
}

static void add_output_twice(Message *graph)
{
    put_value(graph, 12, "y", 1, DIMS(2));
    put_value(graph, 12, "y", 1, DIMS(2));
}

static void add_second_maker(Message *graph)
{
    const Message node = make_node("Relu", NAMES("x"), NAMES("y"));
    put_message(graph, 1, &node);
}

static void add_unmade_input(Message *graph)
{
    const Message node = make_node("Relu", NAMES("later"), NAMES("z"));
    put_message(graph, 1, &node);
}

static void add_node_without_output(Message *graph)
{
    const Message node = make_node("Relu", NAMES("x"), NAMES(NULL));
    put_message(graph, 1, &node);
}

static void add_text_input(Message *graph)
{
    put_value(graph, 11, "i", 8, DIMS(2));
}

static void add_sparse(Message *graph)
{
    put_text(graph, 15, "");
}

static void add_control_character(Message *graph)
{
    put_value(graph, 11, "a\nb", 1, DIMS(2));
}

static void add_broken_text(Message *graph)
{
    put_value(graph, 11, "a\xc0\x80", 1, DIMS(2));
}

static void add_long_text(Message *graph)
{
    static char name[5000];
    memset(name, 'a', sizeof name - 1);
    put_value(graph, 11, name, 1, DIMS(2));
}

// Relu of a constant made of `fields`.
static void add_constant(Message *graph, const Message *fields)
{
    const Message node = make_node("Relu", NAMES("c"), NAMES("z"));
    put_message(graph, 1, &node);
    put_message(graph, 5, fields);
}

static void add_short_raw_constant(Message *graph)
{
    Message tensor = {.count = 0};
    put_int(&tensor, 1, 3);
    put_int(&tensor, 2, 1);
    put_text(&tensor, 8, "c");
    put_bytes(&tensor, 9, "12345678", 8);
    add_constant(graph, &tensor);
}

static void add_short_typed_constant(Message *graph)
{
    Message tensor = {.count = 0};
    put_int(&tensor, 1, INT64_C(1) << 40);
    put_int(&tensor, 2, 1);
    put_text(&tensor, 8, "c");
    put_float(&tensor, 4, 1.0F);
    add_constant(graph, &tensor);
}

static void add_odd_floats(Message *graph)
{
    Message tensor = {.count = 0};
    put_int(&tensor, 1, 2);
    put_int(&tensor, 2, 1);
    put_text(&tensor, 8, "c");
    put_bytes(&tensor, 4, "1234567", 7);
    add_constant(graph, &tensor);
}

static void add_text_constant(Message *graph)
{
    Message tensor = {.count = 0};
    put_int(&tensor, 2, 8);
    put_text(&tensor, 8, "c");
    add_constant(graph, &tensor);
}

static void add_external_constant(Message *graph)
{
    Message tensor = {.count = 0};
    put_int(&tensor, 2, 1);
    put_text(&tensor, 8, "c");
    put_int(&tensor, 14, 1);
    add_constant(graph, &tensor);
}

static void add_negative_dimension(Message *graph)
{
    Message tensor = {.count = 0};
    put_int(&tensor, 1, -3);
    put_int(&tensor, 2, 1);
    put_text(&tensor, 8, "c");
    add_constant(graph, &tensor);
}

static void add_too_many_dimensions(Message *graph)
{
    Message tensor = {.count = 0};
    for (int i = 0; i < 9; i++)
        put_int(&tensor, 1, 1);
    put_int(&tensor, 2, 1);
    put_text(&tensor, 8, "c");
    add_constant(graph, &tensor);
}

static void add_constants_of_one_name(Message *graph)
{
    Message tensor = {.count = 0};
    put_text(&tensor, 8, "c");
    put_message(graph, 5, &tensor);
    put_message(graph, 5, &tensor);
}

static void add_text_for_number(Message *graph)
{
    Message tensor = {.count = 0};
    put_text(&tensor, 2, "one");
    put_message(graph, 5, &tensor);
}

static void add_lying_length(Message *graph)
{
    put_varint(graph, 5 << 3 | 2);
    put_varint(graph, UINT64_MAX);
}

static void add_endless_number(Message *graph)
{
    put_varint(graph, 99 << 3);
    put_raw(graph, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
}

static void add_field_zero(Message *graph)
{
    put_raw(graph, "\x00\x00", 2);
}

static void contradictory_files_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        void (*break_graph)(Message *graph);
        const char *message;
    } cases[] = {
        {add_nothing, "the graph has no outputs"},
        {add_unmade_output, "no node makes output 'z'"},
        {add_output_twice, "'y' is an output already"},
        {add_second_maker, "a second tensor 'y'"},
        {add_unmade_input, "nothing before it makes input 'later'"},
        {add_node_without_output, "has no output"},
        {add_text_input, "input 'i' has ONNX data type 8"},
        {add_sparse, "sparse initialisers"},
        {add_control_character, "control characters"},
        {add_broken_text, "not UTF-8"},
        {add_long_text, "more than 4096 bytes"},
        {add_short_raw_constant, "constant 'c' is 3 f32, but has 8 bytes"},
        {add_short_typed_constant, "but has 1 values"},
        {add_odd_floats, "floats of other than 4 bytes"},
        {add_text_constant, "ONNX data type 8"},
        {add_external_constant, "expected a relative path without .."},
        {add_negative_dimension, "dimension 0 is -3"},
        {add_too_many_dimensions, "rank 9, expected 0 to 8"},
        {add_constants_of_one_name, "two constants are named 'c'"},
        {add_text_for_number, "wire type 2, expected 0"},
        {add_lying_length, "a field of 18446744073709551615 bytes"},
        {add_endless_number, "more than 64 bits"},
        {add_field_zero, "field number out of range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refusal(cases[i].break_graph, cases[i].message);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    assert_true(write_file(path, "", 0));
    assert_null(hyperionLoadModel(path));
    assert_non_null(strstr(hyperionGetLastError(), "not an ONNX model"));
    assert_null(hyperionLoadModel("/tmp/no/such/model.onnx"));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    assert_null(hyperionLoadModel("/dev/zero"));
    assert_non_null(strstr(hyperionGetLastError(), "not a regular file"));
}

int main(void)
{
    const int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    (void)close(descriptor);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_that_cannot_be_mapped_say_why),
        cmocka_unit_test(contradictory_files_say_what_is_wrong),
        cmocka_unit_test(other_files_are_refused),
    };
    const int failed = cmocka_run_group_tests_name("onnx_refusals", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
