// SPDX-License-Identifier: Apache-2.0
// test_onnx_movement.c - ONNX operators that move elements, in the forms that ONNX's own test
// cases, of the last opsets, do not have: attributes that became inputs, limits, refusals.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/hyperion-test-movement-XXXXXX";

enum { MOST_NUMBERS = 8, MOST_VALUES = 48 };

typedef struct Numbers {
    const char *name; // of an attribute
    int count;
    int64_t values[MOST_NUMBERS];
} Numbers;

// One node from x, whose elements are 0, 1, 2, .., to y.
typedef struct Case {
    const char *op_type;
    int64_t opset;
    int64_t x_dims[5]; // up to -1
    const char *mode;  // attribute `mode`
    const char *text_name, *text;
    const char *int_name;
    int64_t int_value;
    Numbers attributes[3];
    Numbers inputs[4];  // behind x; name NULL: the list ends, "": left out
    float scales[4];    // a further input of f32; scales[0] == 0: none
    const char *reason; // of a refusal
    int64_t dims[5];    // of y, up to -1
    float values[MOST_VALUES];
} Case;

static void put_numbers(Message *node, const Numbers *numbers)
{
    Message attribute = {.count = 0};
    put_text(&attribute, 1, numbers->name);
    for (int i = 0; i < numbers->count; i++)
        put_int(&attribute, 8, numbers->values[i]);
    put_message(node, 5, &attribute);
}

// Adds the constant inputs of a case to the graph and their names to `names`.
static void put_inputs(Message *graph, const Case *c, const char *names[8])
{
    int count = 1;
    names[0] = "x";
    for (int i = 0; i < 4 && c->inputs[i].name; i++) {
        names[count++] = c->inputs[i].name;
        const Message tensor =
            make_int64s(c->inputs[i].name, (size_t)c->inputs[i].count, c->inputs[i].values, PACKED);
        if (c->inputs[i].name[0])
            put_message(graph, 5, &tensor);
    }
    if (c->scales[0] != 0) {
        int64_t rank = 0;
        while (rank < 4 && c->scales[rank] != 0)
            rank++;
        const Message tensor = make_floats("scales", DIMS(rank), c->scales, RAW_DATA);
        put_message(graph, 5, &tensor);
        names[count++] = "scales";
    }
    names[count] = NULL;
}

static HyperionModel *load_case(const Case *c)
{
    const char *names[8];
    Message graph = {.count = 0};
    put_inputs(&graph, c, names);
    Message node = make_node(c->op_type, names, NAMES("y"));
    if (c->mode)
        put_text_attribute(&node, "mode", c->mode);
    if (c->text_name)
        put_text_attribute(&node, c->text_name, c->text);
    if (c->int_name)
        put_int_attribute(&node, c->int_name, c->int_value);
    for (int i = 0; i < 3 && c->attributes[i].name; i++)
        put_numbers(&node, &c->attributes[i]);
    put_message(&graph, 1, &node);
    put_value(&graph, 11, "x", 1, c->x_dims);
    put_value(&graph, 12, "y", 1, DIMS(1));
    const Message file = make_model(&graph, c->opset);
    assert_true(write_file(path, file.bytes, file.count));
    return hyperionLoadModel(path);
}

static void check_values(const Case *c, HyperionModel *model)
{
    float x[MOST_VALUES];
    float y[MOST_VALUES] = {0};
    const HyperionTensorInfo in = hyperionModelInput(model, 0);
    const HyperionTensorInfo out = hyperionModelOutput(model, 0);
    for (int i = 0; i < MOST_VALUES; i++)
        x[i] = (float)i;
    int rank = 0;
    for (; c->dims[rank] >= 0; rank++)
        assert_int_equal(out.dims[rank], c->dims[rank]);
    assert_int_equal(out.rank, rank);
    assert_true(out.size_bytes <= sizeof y);
    HyperionTensor *input = hyperionWrapTensor(in.type, in.rank, in.dims, x);
    HyperionTensor *output = hyperionWrapTensor(out.type, out.rank, out.dims, y);
    assert_true(hyperionRunModel(model, &input, &output));
    for (size_t i = 0; i < out.size_bytes / sizeof *y; i++)
        if (y[i] != c->values[i])
            fail_msg("%s: element %zu is %g, expected %g", c->op_type, i, (double)y[i],
                     (double)c->values[i]);
    hyperionFreeTensor(input);
    hyperionFreeTensor(output);
}

static void check_cases(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        HyperionModel *model = load_case(&cases[i]);
        if (cases[i].reason) {
            if (model || !strstr(hyperionGetLastError(), cases[i].reason))
                fail_msg("case %zu, %s: \"%s\" does not say \"%s\"", i, cases[i].op_type,
                         hyperionGetLastError(), cases[i].reason);
            continue;
        }
        if (!model)
            fail_msg("case %zu: %s", i, hyperionGetLastError());
        check_values(&cases[i], model);
        hyperionFreeModel(model);
    }
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof(cases)[0])

static const Case by_opset[] = {
    {"Slice",
     9,
     {3, 4, -1},
     .attributes = {{"starts", 2, {-2, 1}}, {"ends", 2, {3, -1}}},
     .dims = {2, 2, -1},
     .values = {5, 6, 9, 10}},
    {"Slice",
     9,
     {3, 4, -1},
     .attributes = {{"starts", 1, {2}}, {"ends", 1, {9}}, {"axes", 1, {1}}},
     .dims = {3, 2, -1},
     .values = {2, 3, 6, 7, 10, 11}},
    {"Slice",
     13,
     {3, 4, -1},
     .inputs = {{"s", 1, {-1}}, {"e", 1, {INT64_MIN}}, {"a", 1, {-1}}, {"t", 1, {-3}}},
     .dims = {3, 2, -1},
     .values = {3, 0, 7, 4, 11, 8}},
    {"Slice", 10, {2, 2, -1}, .inputs = {{"s", 1, {5}}, {"e", 1, {INT64_MAX}}}, .dims = {0, 2, -1}},
    {"Slice",
     13,
     {1, 3, -1},
     .inputs = {{"s", 2, {0, 2}}, {"e", 2, {1, 0}}, {"", 0, {0}}, {"t", 2, {INT64_MIN, -1}}},
     .dims = {0, 2, -1}},
    {"Split",
     11,
     {4, -1},
     .int_name = "axis",
     .int_value = -1,
     .attributes = {{"split", 1, {4}}},
     .dims = {4, -1},
     .values = {0, 1, 2, 3}},
    {"Squeeze",
     11,
     {1, 2, 1, -1},
     .attributes = {{"axes", 1, {-1}}},
     .dims = {1, 2, -1},
     .values = {0, 1}},
    {"Squeeze", 13, {1, 2, 1, -1}, .dims = {2, -1}, .values = {0, 1}},
    {"Squeeze",
     13,
     {1, 2, 1, -1},
     .inputs = {{"a", 0, {0}}},
     .dims = {1, 2, 1, -1},
     .values = {0, 1}},
    {"Unsqueeze",
     11,
     {2, -1},
     .attributes = {{"axes", 2, {0, -1}}},
     .dims = {1, 2, 1, -1},
     .values = {0, 1}},
    {"Pad",
     10,
     {1, 2, -1},
     .mode = "edge",
     .attributes = {{"pads", 4, {0, 1, 1, 0}}},
     .dims = {2, 3, -1},
     .values = {0, 0, 1, 0, 0, 1}},
    {"Pad", 13, {4, -1}, .inputs = {{"p", 2, {-1, 1}}}, .dims = {4, -1}, .values = {1, 2, 3, 0}},
    {"Reshape",
     14,
     {2, 3, -1},
     .int_name = "allowzero",
     .int_value = 0,
     .inputs = {{"d", 3, {0, 1, -1}}},
     .dims = {2, 1, 3, -1},
     .values = {0, 1, 2, 3, 4, 5}},
    {"Expand",
     8,
     {2, 1, -1},
     .inputs = {{"d", 3, {2, 1, 2}}},
     .dims = {2, 2, 2, -1},
     .values = {0, 0, 1, 1, 0, 0, 1, 1}},
    {"Gather",
     11,
     {2, 2, -1},
     .int_name = "axis",
     .int_value = -1,
     .inputs = {{"i", 1, {-1}}},
     .dims = {2, 1, -1},
     .values = {1, 3}},
    {"Transpose",
     9,
     {2, 1, 2, -1},
     .attributes = {{"perm", 3, {2, 1, 0}}},
     .dims = {2, 1, 2, -1},
     .values = {0, 2, 1, 3}},
    {"Dropout", 9, {2, -1}, .dims = {2, -1}, .values = {0, 1}},
};

static void lists_are_attributes_in_older_opsets_and_inputs_in_newer(void **state)
{
    (void)state;
    CHECK_CASES(by_opset);
}

static const Case resizes[] = {
    {"Upsample",
     9,
     {1, 2, -1},
     .scales = {2, 2},
     .dims = {2, 4, -1},
     .values = {0, 0, 1, 1, 0, 0, 1, 1}},
    {"Upsample",
     9,
     {2, -1},
     .mode = "linear",
     .scales = {2},
     .dims = {4, -1},
     .values = {0, 0.5F, 1, 1}},
    {"Resize",
     10,
     {4, -1},
     .mode = "nearest",
     .scales = {0.75F},
     .dims = {3, -1},
     .values = {0, 1, 2}},
    {"Resize",
     11,
     {2, -1},
     .mode = "nearest",
     .text_name = "coordinate_transformation_mode",
     .text = "asymmetric",
     .inputs = {{"", 0, {0}}},
     .scales = {2},
     .dims = {4, -1},
     .values = {0, 0, 1, 1}},
    {"Resize",
     13,
     {4, -1},
     .mode = "linear",
     .text_name = "coordinate_transformation_mode",
     .text = "align_corners",
     .inputs = {{"", 0, {0}}, {"", 0, {0}}, {"sizes", 1, {7}}},
     .dims = {7, -1},
     .values = {0, 0.5F, 1, 1.5F, 2, 2.5F, 3}},
    {"Resize",
     13,
     {10, -1},
     .inputs = {{"", 0, {0}}},
     .scales = {0.7F},
     .dims = {7, -1},
     .values = {0, 2, 3, 4, 6, 7, 9}},
    {"Resize",
     13,
     {2, -1},
     .mode = "bilinear",
     .inputs = {{"", 0, {0}}},
     .scales = {2},
     .reason = "mode 'bilinear' is not implemented"},
    {"Resize",
     13,
     {2, 2, -1},
     .inputs = {{"", 0, {0}}},
     .scales = {2},
     .reason = "1 scales for 2 axes"},
    {"Resize",
     13,
     {2, -1},
     .inputs = {{"", 0, {0}}},
     .scales = {-2},
     .reason = "scale -2 of axis 0"},
    {"Resize", 13, {2, -1}, .inputs = {{"", 0, {0}}}, .scales = {1e30F}, .reason = "of axis 0"},
    {"Resize",
     13,
     {2, -1},
     .inputs = {{"", 0, {0}}, {"", 0, {0}}, {"sizes", 2, {1, 1}}},
     .reason = "2 sizes for 1 axes"},
    {"Resize",
     13,
     {2, -1},
     .text_name = "nearest_mode",
     .text = "round",
     .inputs = {{"", 0, {0}}},
     .scales = {2},
     .reason = "nearest_mode 'round'"},
    {"Resize",
     13,
     {2, -1},
     .text_name = "coordinate_transformation_mode",
     .text = "tf_crop_and_resize",
     .inputs = {{"", 0, {0}}},
     .scales = {2},
     .reason = "input 1 is missing"},
};

static void resizes_follow_their_opset(void **state)
{
    (void)state;
    CHECK_CASES(resizes);
}

static const Case refused[] = {
    {"Slice", 9, {4, -1}, .attributes = {{"starts", 1, {0}}}, .reason = "ends has 0 values"},
    {"Slice",
     13,
     {4, -1},
     .inputs = {{"s", 1, {0}}, {"e", 2, {1, 1}}},
     .reason = "ends has 2 values, starts has 1"},
    {"Slice",
     13,
     {4, -1},
     .inputs = {{"s", 1, {0}}, {"e", 1, {1}}, {"a", 1, {1}}},
     .reason = "axis 1 of 1"},
    {"Slice",
     13,
     {4, -1},
     .inputs = {{"s", 1, {0}}, {"e", 1, {1}}, {"a", 1, {0}}, {"t", 1, {0}}},
     .reason = "in steps of 0"},
    {"Slice",
     13,
     {4, 4, -1},
     .inputs = {{"s", 2, {0, 0}}, {"e", 2, {1, 1}}, {"a", 2, {1, -1}}},
     .reason = "axis -1 of 2, or a second time"},
    {"Split", 13, {4, -1}, .inputs = {{"p", 1, {3}}}, .reason = "do not make up an axis"},
    {"Split", 13, {4, -1}, .inputs = {{"p", 2, {2, 2}}}, .reason = "expected at most 1"},
    {"Split", 13, {4, -1}, .inputs = {{"p", 1, {-4}}}, .reason = "part 0 has extent -4"},
    {"Squeeze",
     11,
     {2, 1, -1},
     .attributes = {{"axes", 1, {0}}},
     .reason = "axis 0 has extent 2, expected 1"},
    {"Squeeze", 13, {2, 1, -1}, .inputs = {{"a", 1, {2}}}, .reason = "axis 2 of 2"},
    {"Unsqueeze", 11, {2, -1}, .reason = "no axes"},
    {"Unsqueeze", 13, {2, -1}, .inputs = {{"a", 2, {0, 0}}}, .reason = "or a second time"},
    {"Unsqueeze",
     13,
     {2, -1},
     .inputs = {{"a", 8, {0, 1, 2, 3, 4, 5, 6, 7}}},
     .reason = "too many axes"},
    {"Pad", 10, {2, -1}, .reason = "pads has 0 values, expected 2"},
    {"Pad", 13, {2, -1}, .inputs = {{"p", 2, {INT64_MIN, 0}}}, .reason = "padding of axis 0"},
    {"Pad", 13, {2, -1}, .mode = "wrap", .inputs = {{"p", 2, {1, 1}}}, .reason = "mode 'wrap'"},
    {"Transpose",
     13,
     {2, 2, -1},
     .attributes = {{"perm", 1, {0}}},
     .reason = "perm has 1 values, expected 2"},
    {"Transpose",
     13,
     {2, 2, -1},
     .attributes = {{"perm", 2, {0, 0}}},
     .reason = "axis 0 comes twice"},
    {"Concat", 13, {2, 2, -1}, .int_name = "axis", .int_value = 2, .reason = "axis 2 of 2"},
    {"Expand", 13, {2, -1}, .inputs = {{"d", 1, {3}}}, .reason = "does not broadcast"},
};

static void nodes_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    CHECK_CASES(refused);
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
        cmocka_unit_test(lists_are_attributes_in_older_opsets_and_inputs_in_newer),
        cmocka_unit_test(resizes_follow_their_opset),
        cmocka_unit_test(nodes_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
