// SPDX-License-Identifier: Apache-2.0
// test_onnx_import.c - ONNX files: values against independent references, offsets, refusals.
// `test_onnx_import --write PATH` writes the model of tests/data/tiny.onnx anew; its expected
// outputs, y then same, were computed by a separate program in double precision.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char tiny_path[] = HYPERION_SOURCE_DIR "/tests/data/tiny.onnx";
static const char shared_folder[] = HYPERION_SOURCE_DIR "/../shared/models";
static char path[] = "/tmp/hyperion-test-onnx-XXXXXX";

static HyperionModel *load(const char *file)
{
    HyperionModel *model = hyperionLoadModel(file);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    return model;
}

static HyperionModel *load_written(const Message *model)
{
    assert_true(write_file(path, model->bytes, model->count));
    return load(path);
}

// Runs a model of one input and up to two outputs.
static void run(HyperionModel *model, float *x, float *first, float *second)
{
    float *const outputs[2] = {first, second};
    const HyperionTensorInfo in = hyperionModelInput(model, 0);
    HyperionTensor *input = hyperionWrapTensor(in.type, in.rank, in.dims, x);
    HyperionTensor *wrapped[2] = {NULL, NULL};
    for (int i = 0; i < hyperionModelOutputCount(model) && i < 2; i++) {
        const HyperionTensorInfo out = hyperionModelOutput(model, i);
        wrapped[i] = hyperionWrapTensor(out.type, out.rank, out.dims, outputs[i]);
    }
    if (!hyperionRunModel(model, &input, wrapped))
        fail_msg("%s", hyperionGetLastError());
    hyperionFreeTensor(input);
    hyperionFreeTensor(wrapped[0]);
    hyperionFreeTensor(wrapped[1]);
}

static void expect_close(const float *got, const float *want, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(got[i] - want[i]) <= 1e-4F + 1e-4F * fabsf(want[i])))
            fail_msg("element %zu is %.9g, expected %.9g", i, (double)got[i], (double)want[i]);
}

static void committed_model_is_what_the_writer_makes(void **state)
{
    (void)state;
    static unsigned char bytes[sizeof(Message)];
    const Message model = make_tiny_model();
    assert_int_equal(read_file(tiny_path, bytes, sizeof bytes), model.count);
    assert_memory_equal(bytes, model.bytes, model.count);
}

static void committed_model_gives_its_expected_output_at_every_level(void **state)
{
    (void)state;
    float want[10] = {0};
    FILE *file = fopen(HYPERION_SOURCE_DIR "/tests/data/tiny.expected", "r");
    assert_non_null(file);
    for (int i = 0; i < 10; i++)
        assert_int_equal(fscanf(file, "%f", &want[i]), 1);
    (void)fclose(file);
    HyperionModel *model = load(tiny_path);
    for (int level = 0; level <= (int)hyperionGetSIMDCapabilities().best_level; level++) {
        float x[60] = {0};
        float y[5] = {0};
        float same[5] = {0};
        fill_values(x, 60, 5, 19);
        hyperionSetSIMDOptimizationLevel(model, level);
        run(model, x, y, same);
        expect_close(y, want, 5);
        expect_close(same, want + 5, 5);
    }
    hyperionFreeModel(model);
}

static void mnist_gives_its_golden_output_at_every_level(void **state)
{
    (void)state;
    char file[3][sizeof shared_folder + 64];
    (void)snprintf(file[0], sizeof file[0], "%s/mnist.onnx", shared_folder);
    (void)snprintf(file[1], sizeof file[1], "%s/golden/mnist/Input3.in.bin", shared_folder);
    (void)snprintf(file[2], sizeof file[2], "%s/golden/mnist/Plus214_Output_0.out.bin",
                   shared_folder);
    float x[784] = {0};
    float want[10] = {0};
    if (access(file[0], R_OK) != 0) {
        print_message("skipped: no %s\n", file[0]);
        skip();
    }
    assert_int_equal(read_file(file[1], x, sizeof x), sizeof x);
    assert_int_equal(read_file(file[2], want, sizeof want), sizeof want);
    HyperionModel *model = load(file[0]);
    assert_string_equal(hyperionModelOutput(model, 0).name, "Plus214_Output_0");
    for (int level = 0; level <= (int)hyperionGetSIMDCapabilities().best_level; level++) {
        float got[10] = {0};
        hyperionSetSIMDOptimizationLevel(model, level);
        run(model, x, got, NULL);
        expect_close(got, want, 10);
    }
    hyperionFreeModel(model);
}

static void weights_are_where_their_offset_says(void **state)
{
    (void)state;
    static unsigned char bytes[sizeof(Message)];
    assert_true(read_file(tiny_path, bytes, sizeof bytes) < sizeof bytes);
    HyperionModel *model = load(tiny_path);
    float want[72] = {0};
    int found = 0;
    for (int i = 0; i < hyperionModelTensorCount(model); i++) {
        const HyperionTensorInfo info = hyperionModelTensor(model, i);
        if (strcmp(info.name, "W") == 0)
            fill_values(want, 54, 7, 11);
        else if (strcmp(info.name, "G") == 0)
            fill_values(want, 20, 3, 17);
        else if (strcmp(info.name, "matrix") == 0)
            fill_values(want, 72, 5, 13);
        else
            continue;
        found++;
        assert_true(info.is_weight);
        assert_memory_equal(bytes + info.file_offset, want, info.size_bytes);
    }
    assert_int_equal(found, 3);
    assert_int_equal(hyperionModelWeightBytes(model), 4 * (54 + 3 + 3 + 72 + 20 + 5));
    hyperionFreeModel(model);
}

// A graph of x [dims] -> node -> y.
static Message make_graph(const Message *node, const int64_t *x_dims)
{
    Message graph = {.count = 0};
    put_message(&graph, 1, node);
    put_value(&graph, 11, "x", 1, x_dims);
    put_value(&graph, 12, "y", 1, DIMS(1));
    return graph;
}

static void softmax_before_opset_13_takes_all_axes_from_one(void **state)
{
    (void)state;
    Message node = make_node("Softmax", NAMES("x"), NAMES("y"));
    const Message graph = make_graph(&node, DIMS(2, 3, 2));
    Message file = make_model(&graph, 12);
    HyperionModel *model = load_written(&file);
    float x[12] = {0};
    float y[12] = {0};
    run(model, x, y, NULL);
    assert_int_equal(hyperionModelOutput(model, 0).rank, 3);
    assert_true(fabsf(y[0] - 1.0F / 6.0F) < 1e-6F);
    hyperionFreeModel(model);
    file = make_model(&graph, 13);
    model = load_written(&file);
    run(model, x, y, NULL);
    assert_true(fabsf(y[0] - 0.5F) < 1e-6F);
    hyperionFreeModel(model);
}

static void gemm_adds_a_whole_matrix_and_takes_no_bias(void **state)
{
    (void)state;
    const float b[4] = {1, 2, 3, 4};
    const float c[4] = {10, 20, 30, 40};
    const Message b_tensor = make_floats("b", DIMS(2, 2), b, RAW_DATA);
    const Message c_tensor = make_floats("c", DIMS(2, 2), c, RAW_DATA);
    for (int has_c = 0; has_c < 2; has_c++) {
        Message node =
            make_node("Gemm", has_c ? NAMES("x", "b", "c") : NAMES("x", "b"), NAMES("y"));
        Message graph = make_graph(&node, DIMS(2, 2));
        put_message(&graph, 5, &b_tensor);
        put_message(&graph, 5, &c_tensor);
        const Message file = make_model(&graph, 11);
        HyperionModel *model = load_written(&file);
        float x[4] = {1, 0, 0, 1};
        float y[4] = {0};
        run(model, x, y, NULL);
        for (int i = 0; i < 4; i++)
            assert_true(y[i] == b[i] + (has_c ? c[i] : 0.0F));
        hyperionFreeModel(model);
    }
}

static void layer_normalisation_and_valid_padding_are_read(void **state)
{
    (void)state;
    const float scale[2] = {2, 2};
    const Message scale_tensor = make_floats("scale", DIMS(2), scale, PACKED);
    Message node = make_node("LayerNormalization", NAMES("x", "scale"), NAMES("y"));
    Message graph = make_graph(&node, DIMS(1, 2));
    put_message(&graph, 5, &scale_tensor);
    Message file = make_model(&graph, 17);
    HyperionModel *model = load_written(&file);
    float x[9] = {1, 3, 0, 0, 9, 0, 0, 0, 0};
    float y[9] = {0};
    run(model, x, y, NULL);
    assert_true(fabsf(y[0] + 2.0F) < 1e-3F && fabsf(y[1] - 2.0F) < 1e-3F);
    hyperionFreeModel(model);

    node = make_node("MaxPool", NAMES("x"), NAMES("y"));
    put_ints_attribute(&node, "kernel_shape", DIMS(2, 3));
    put_text_attribute(&node, "auto_pad", "VALID");
    graph = make_graph(&node, DIMS(1, 1, 3, 3));
    file = make_model(&graph, 11);
    model = load_written(&file);
    assert_int_equal(hyperionModelOutput(model, 0).dims[2], 2);
    assert_int_equal(hyperionModelOutput(model, 0).dims[3], 1);
    run(model, x, y, NULL);
    assert_true(y[0] == 9.0F && y[1] == 9.0F);
    hyperionFreeModel(model);
}

static void integers_are_read_however_they_are_stored(void **state)
{
    (void)state;
    for (int storage = RAW_DATA; storage <= UNPACKED; storage++) {
        Message node = make_node("Reshape", NAMES("x", "dims"), NAMES("y"));
        Message graph = make_graph(&node, DIMS(2, 300));
        const int64_t dims[] = {0, -1, 150};
        const Message tensor = make_int64s("dims", 3, dims, (Storage)storage);
        put_message(&graph, 5, &tensor);
        const Message file = make_model(&graph, 8);
        HyperionModel *model = load_written(&file);
        const HyperionTensorInfo y = hyperionModelOutput(model, 0);
        assert_int_equal(y.rank, 3);
        assert_int_equal(y.dims[1], 2);
        hyperionFreeModel(model);
    }
}

static void opsets_7_to_17_are_read(void **state)
{
    (void)state;
    const Message node = make_node("Relu", NAMES("x"), NAMES("y"));
    const Message graph = make_graph(&node, DIMS(3));
    for (int opset = 0; opset <= 19; opset++) {
        const Message file = make_model(&graph, opset);
        assert_true(write_file(path, file.bytes, file.count));
        HyperionModel *model = hyperionLoadModel(path);
        assert_int_equal(model != NULL, opset >= 7 && opset <= 17);
        if (!model)
            assert_non_null(strstr(hyperionGetLastError(), "opset"));
        hyperionFreeModel(model);
    }
}

static void missing_operators_are_all_named_with_their_nodes(void **state)
{
    (void)state;
    Message graph = {.count = 0};
    Message node = make_node("LSTM", NAMES("x"), NAMES("a"));
    put_message(&graph, 1, &node);
    node = make_node("Loop", NAMES("a"), NAMES("b"));
    put_message(&graph, 1, &node);
    node = make_node("Relu", NAMES("b"), NAMES("c"));
    put_message(&graph, 1, &node);
    node = make_node("LSTM", NAMES("c"), NAMES("y"));
    put_message(&graph, 1, &node);
    node = make_node("Relu", NAMES("y"), NAMES("d"));
    put_text(&node, 7, "com.example");
    put_message(&graph, 1, &node);
    const Message file = make_model(&graph, 12);
    assert_true(write_file(path, file.bytes, file.count));
    assert_null(hyperionLoadModel(path));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_UNSUPPORTED);
    assert_non_null(strstr(hyperionGetLastError(),
                           "in 4 of 5 nodes: LSTM ('node_a', 'node_y'), Loop ('node_b'), "
                           "Relu ('node_d')"));
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        const Message tiny = make_tiny_model();
        return !write_file(argv[2], tiny.bytes, tiny.count);
    }
    const int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    (void)close(descriptor);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_model_is_what_the_writer_makes),
        cmocka_unit_test(committed_model_gives_its_expected_output_at_every_level),
        cmocka_unit_test(mnist_gives_its_golden_output_at_every_level),
        cmocka_unit_test(weights_are_where_their_offset_says),
        cmocka_unit_test(softmax_before_opset_13_takes_all_axes_from_one),
        cmocka_unit_test(gemm_adds_a_whole_matrix_and_takes_no_bias),
        cmocka_unit_test(layer_normalisation_and_valid_padding_are_read),
        cmocka_unit_test(integers_are_read_however_they_are_stored),
        cmocka_unit_test(opsets_7_to_17_are_read),
        cmocka_unit_test(missing_operators_are_all_named_with_their_nodes),
    };
    const int failed = cmocka_run_group_tests_name("onnx_import", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
