// SPDX-License-Identifier: Apache-2.0
// test_onnx_sources.c - constants come in every form that files have: typed, raw, half precision,
// in other files, as attributes, and from the branch that a constant condition chooses.
#define _XOPEN_SOURCE 700
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/hyperion-test-sources-XXXXXX";
static char path[128];

// A model of the nodes in `graph` whose output is "y", two f32.
static void write_graph(Message *graph)
{
    put_value(graph, 12, "y", 1, DIMS(2));
    const Message file = make_model(graph, 14);
    assert_true(write_file(path, file.bytes, file.count));
}

static void expect_values(float first, float second)
{
    HyperionModel *model = hyperionLoadModel(path);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    const HyperionTensorInfo info = hyperionModelOutput(model, 0);
    assert_string_equal(info.name, "y");
    assert_int_equal(info.type, HYPERION_TYPE_F32);
    HyperionTensor *y = hyperionCreateTensor(info.type, info.rank, info.dims);
    if (!hyperionRunModel(model, NULL, &y))
        fail_msg("%s", hyperionGetLastError());
    const float *values = hyperionTensorConstData(y);
    assert_float_equal(values[0], first, 0.0F);
    assert_float_equal(values[1], second, 0.0F);
    hyperionFreeTensor(y);
    hyperionFreeModel(model);
}

static void expect_refusal(const char *message)
{
    HyperionModel *model = hyperionLoadModel(path);
    assert_null(model);
    if (!strstr(hyperionGetLastError(), message) || !strstr(hyperionGetLastError(), path))
        fail_msg("expected '%s': %s", message, hyperionGetLastError());
}

static Message make_tensor(int64_t data_type)
{
    Message tensor = {.count = 0};
    put_int(&tensor, 1, 2);
    put_int(&tensor, 2, data_type);
    put_text(&tensor, 8, "y");
    return tensor;
}

// A model that gives an initialiser out.
static void write_tensor(const Message *tensor)
{
    Message graph = {.count = 0};
    put_message(&graph, 5, tensor);
    write_graph(&graph);
}

static void floats_of_other_widths_become_f32(void **state)
{
    (void)state;
    enum { FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16 };
    const uint16_t halves[] = {0x3e00, 0x8001}; // 1.5, the smallest subnormal below 0
    const uint16_t extremes[] = {0x7bff, 0xfc00};
    const uint16_t brains[] = {0x3fc0, 0xc000};
    const double doubles[] = {0.1, -3.0};
    Message tensor = make_tensor(FLOAT16);
    put_bytes(&tensor, 9, halves, sizeof halves);
    write_tensor(&tensor);
    expect_values(1.5F, -0x1p-24F);
    tensor = make_tensor(FLOAT16); // as varints
    put_int(&tensor, 5, extremes[0]);
    put_int(&tensor, 5, extremes[1]);
    write_tensor(&tensor);
    expect_values(65504.0F, -1.0F / 0.0F);
    tensor = make_tensor(BFLOAT16);
    put_bytes(&tensor, 9, brains, sizeof brains);
    write_tensor(&tensor);
    expect_values(1.5F, -2.0F);
    tensor = make_tensor(DOUBLE);
    put_bytes(&tensor, 9, doubles, sizeof doubles);
    write_tensor(&tensor);
    expect_values(0.1F, -3.0F);
    tensor = make_tensor(DOUBLE); // packed, the first form of typed values
    put_bytes(&tensor, 10, doubles, sizeof doubles);
    write_tensor(&tensor);
    expect_values(0.1F, -3.0F);
}

static Message make_external(const char *location, const char *offset)
{
    Message tensor = make_tensor(1);
    const char *const texts[][2] = {{"location", location}, {"offset", offset}};
    for (size_t i = 0; i < 2; i++) {
        Message entry = {.count = 0};
        put_text(&entry, 1, texts[i][0]);
        put_text(&entry, 2, texts[i][1]);
        put_message(&tensor, 13, &entry);
    }
    put_int(&tensor, 14, 1);
    return tensor;
}

static void weights_in_other_files_are_read(void **state)
{
    (void)state;
    const float values[] = {9.0F, 4.0F, 5.0F};
    char data[160];
    (void)snprintf(data, sizeof data, "%s/weights", folder);
    assert_int_equal(mkdir(data, 0700), 0);
    (void)snprintf(data, sizeof data, "%s/weights/w.bin", folder);
    assert_true(write_file(data, values, sizeof values));
    const Message tensor = make_external("weights/w.bin", "4");
    write_tensor(&tensor);
    expect_values(4.0F, 5.0F);
}

static void weights_outside_of_the_folder_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *location, *offset, *message;
    } cases[] = {
        {"../w.bin", "0", "expected a relative path without .."},
        {"weights/../../w.bin", "0", "expected a relative path without .."},
        {"/etc/passwd", "0", "expected a relative path without .."},
        {"", "0", "expected a relative path without .."},
        {"link.bin", "0", "leads out of the folder"},
        {"links/passwd", "0", "leads out of the folder"},
        {"none.bin", "0", "No such file"},
        {"weights", "0", "not a regular file"},
        {"weights/w.bin", "8", "reaches past its 12 bytes"},
        {"weights/w.bin", "18446744073709551615", "reaches past its 12 bytes"},
        {"weights/w.bin", "-4", "an offset that is no number"},
        {"weights/w.bin", "4x", "an offset that is no number"},
    };
    char link_path[160];
    (void)snprintf(link_path, sizeof link_path, "%s/link.bin", folder);
    assert_int_equal(symlink("/etc/passwd", link_path), 0);
    (void)snprintf(link_path, sizeof link_path, "%s/links", folder);
    assert_int_equal(symlink("/etc", link_path), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const Message tensor = make_external(cases[i].location, cases[i].offset);
        write_tensor(&tensor);
        expect_refusal(cases[i].message);
    }
}

static void constant_nodes_have_numbers_in_any_form(void **state)
{
    (void)state;
    const float pair[] = {2.5F, -1.0F};
    Message graph = {.count = 0};
    Message node = make_node("Constant", NAMES(NULL), NAMES("y"));
    Message attribute = {.count = 0};
    put_text(&attribute, 1, "value_floats");
    put_bytes(&attribute, 7, pair, sizeof pair);
    put_message(&node, 5, &attribute);
    put_message(&graph, 1, &node);
    write_graph(&graph);
    expect_values(2.5F, -1.0F);

    graph.count = 0; // y = two scalars reshaped as value_ints says, added with broadcasting
    node = make_node("Constant", NAMES(NULL), NAMES("shape"));
    put_ints_attribute(&node, "value_ints", DIMS(2));
    put_message(&graph, 1, &node);
    node = make_node("Constant", NAMES(NULL), NAMES("scalar"));
    put_float_attribute(&node, "value_float", 0.5F);
    put_message(&graph, 1, &node);
    const Message tensor = make_floats("w", DIMS(2, 1), pair, PACKED);
    put_message(&graph, 5, &tensor);
    node = make_node("Reshape", NAMES("w", "shape"), NAMES("flat"));
    put_message(&graph, 1, &node);
    node = make_node("Add", NAMES("flat", "scalar"), NAMES("y"));
    put_message(&graph, 1, &node);
    write_graph(&graph);
    expect_values(3.0F, -0.5F);
}

// A subgraph that gives out what `op_type` makes of "w" of the graph around it.
static void put_branch(Message *node, const char *name, const char *op_type)
{
    Message attribute = {.count = 0};
    Message branch = {.count = 0};
    const Message inner = make_node(op_type, NAMES("w"), NAMES("t"));
    put_message(&branch, 1, &inner);
    put_value(&branch, 12, "t", 1, DIMS(2));
    put_text(&attribute, 1, name);
    put_message(&attribute, 6, &branch);
    put_message(node, 5, &attribute);
}

// y = if c then Relu(w) else <the other>(w), twice, so that the branches' names are used again.
static void write_choice(bool condition, const char *other)
{
    const float pair[] = {-2.0F, 3.0F};
    Message graph = {.count = 0};
    Message tensor = make_floats("w", DIMS(2), pair, RAW_DATA);
    put_message(&graph, 5, &tensor);
    tensor = (Message){.count = 0};
    put_int(&tensor, 2, 9);
    put_int(&tensor, 5, condition);
    put_text(&tensor, 8, "c");
    put_message(&graph, 5, &tensor);
    for (int i = 0; i < 2; i++) {
        Message node = make_node("If", NAMES("c"), i ? NAMES("b") : NAMES("a"));
        put_branch(&node, "then_branch", "Relu");
        put_branch(&node, "else_branch", other);
        put_message(&graph, 1, &node);
    }
    const Message sum = make_node("Add", NAMES("a", "b"), NAMES("y"));
    put_message(&graph, 1, &sum);
    write_graph(&graph);
}

static void constant_conditions_choose_a_branch(void **state)
{
    (void)state;
    write_choice(true, "Identity");
    expect_values(0.0F, 6.0F);
    write_choice(false, "Identity");
    expect_values(-4.0F, 6.0F);
    write_choice(true, "LSTM"); // not needed: it may be anything
    expect_values(0.0F, 6.0F);
    write_choice(false, "LSTM");
    expect_refusal("operators that are not implemented in this version, in 1 of 1 nodes: LSTM");
}

static void graphs_within_one_another_end(void **state)
{
    (void)state;
    const float pair[] = {0.0F, 0.0F};
    const Message weight = make_floats("w", DIMS(2), pair, RAW_DATA);
    Message condition = {.count = 0};
    put_int(&condition, 2, 9);
    put_int(&condition, 5, 1);
    put_text(&condition, 8, "c");
    Message inner = make_node("Relu", NAMES("w"), NAMES("t"));
    for (int depth = 0; depth < 20; depth++) {
        Message branch = {.count = 0};
        put_message(&branch, 1, &inner);
        put_value(&branch, 12, "t", 1, DIMS(2));
        Message attribute = {.count = 0};
        put_text(&attribute, 1, "then_branch");
        put_message(&attribute, 6, &branch);
        inner = make_node("If", NAMES("c"), depth == 19 ? NAMES("y") : NAMES("t"));
        put_message(&inner, 5, &attribute);
    }
    Message graph = {.count = 0};
    put_message(&graph, 5, &weight);
    put_message(&graph, 5, &condition);
    put_message(&graph, 1, &inner);
    write_graph(&graph);
    expect_refusal("more than 16 graphs within one another");
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"model.onnx", "weights/w.bin", "link.bin", "links"};
    char name[160];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        (void)unlink(name);
    }
    (void)snprintf(name, sizeof name, "%s/weights", folder);
    (void)rmdir(name);
    return rmdir(folder);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/model.onnx", folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_of_other_widths_become_f32),
        cmocka_unit_test(weights_in_other_files_are_read),
        cmocka_unit_test(weights_outside_of_the_folder_are_refused),
        cmocka_unit_test(constant_nodes_have_numbers_in_any_form),
        cmocka_unit_test(constant_conditions_choose_a_branch),
        cmocka_unit_test(graphs_within_one_another_end),
    };
    return cmocka_run_group_tests_name("onnx_sources", tests, NULL, remove_folder);
}
