// SPDX-License-Identifier: Apache-2.0
// test_streaming.c - models come back from a streaming file to the bit, the file is laid out as
// promised, and damage in it is found.
#define _POSIX_C_SOURCE 200809L
#include "common/checksum.h"
#include "hyperion/hyperion.h"
#include "model/layer_attributes.h"
#include "model/weight_bytes.h"

#include "onnx_writer.h"
#include "small_builtins.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_TENSORS = 32 };
static char path[] = "/tmp/hyperion-test-streaming-XXXXXX";

// Tensors like those that `describe` tells of, filled with what depends on nothing.
static void create_tensors(const HyperionModel *model, int count,
                           HyperionTensorInfo (*describe)(const HyperionModel *, int),
                           HyperionTensor **tensors)
{
    assert_true(count <= MOST_TENSORS);
    for (int i = 0; i < count; i++) {
        const HyperionTensorInfo info = describe(model, i);
        tensors[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        assert_non_null(tensors[i]);
        for (size_t j = 0; j < hyperionTensorElementCount(tensors[i]); j++)
            if (info.type == HYPERION_TYPE_F32)
                ((float *)hyperionTensorData(tensors[i]))[j] = sinf((float)j);
            else if (info.type == HYPERION_TYPE_I64)
                ((int64_t *)hyperionTensorData(tensors[i]))[j] = (int64_t)(j % 3);
    }
}

// The outputs of both models on the same inputs are the same bytes.
static void expect_same_results(HyperionModel *a, HyperionModel *b)
{
    HyperionTensor *inputs[MOST_TENSORS] = {NULL};
    HyperionTensor *outputs[2][MOST_TENSORS] = {{NULL}};
    const int output_count = hyperionModelOutputCount(a);
    create_tensors(a, hyperionModelInputCount(a), hyperionModelInput, inputs);
    create_tensors(a, output_count, hyperionModelOutput, outputs[0]);
    create_tensors(b, output_count, hyperionModelOutput, outputs[1]);
    if (!hyperionRunModel(a, inputs, outputs[0]) || !hyperionRunModel(b, inputs, outputs[1]))
        fail_msg("%s", hyperionGetLastError());
    for (int i = 0; i < output_count; i++)
        assert_memory_equal(hyperionTensorConstData(outputs[0][i]),
                            hyperionTensorConstData(outputs[1][i]),
                            hyperionModelOutput(a, i).size_bytes);
    for (int i = 0; i < MOST_TENSORS; i++) {
        hyperionFreeTensor(inputs[i]);
        hyperionFreeTensor(outputs[0][i]);
        hyperionFreeTensor(outputs[1][i]);
    }
}

static void expect_same_tensor(HyperionModel *a, int first, HyperionModel *b, int second)
{
    assert_true(first < a->tensor_count && second < b->tensor_count);
    const HypGraphTensor *one = &a->tensors[first];
    const HypGraphTensor *other = &b->tensors[second];
    assert_string_equal(one->name, other->name);
    assert_true(hyp_shape_equal(&one->shape, &other->shape));
    assert_int_equal(one->role, other->role);
    if (one->role != HYP_TENSOR_WEIGHT)
        return;
    assert_true(hyp_weights_read(a, first) && hyp_weights_read(b, second));
    assert_memory_equal(a->tensors[hyp_model_root(a, first)].data,
                        b->tensors[hyp_model_root(b, second)].data, one->shape.size_bytes);
}

static void expect_same_graph(HyperionModel *a, HyperionModel *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->layer_count, b->layer_count);
    assert_int_equal(a->input_count, b->input_count);
    assert_int_equal(a->output_count, b->output_count);
    for (int i = 0; i < a->input_count; i++)
        expect_same_tensor(a, a->inputs[i], b, b->inputs[i]);
    for (int i = 0; i < a->output_count; i++)
        expect_same_tensor(a, a->outputs[i], b, b->outputs[i]);
    for (int i = 0; i < a->layer_count; i++) {
        const HypLayer *one = &a->layers[i];
        const HypLayer *other = &b->layers[i];
        assert_string_equal(one->name, other->name);
        assert_int_equal(one->op, other->op);
        assert_int_equal(one->input_count, other->input_count);
        for (int j = 0; j < one->input_count; j++)
            expect_same_tensor(a, one->inputs[j], b, other->inputs[j]);
        expect_same_tensor(a, one->outputs[0], b, other->outputs[0]);
        for (size_t j = 0; j < hyp_attribute_count; j++)
            assert_memory_equal((const char *)&one->attributes + hyp_attributes[j].offset,
                                (const char *)&other->attributes + hyp_attributes[j].offset,
                                hyp_attributes[j].size_bytes);
    }
}

// The model in the file that was written.
static HyperionModel *load_back(void)
{
    HyperionModel *model = hyperionLoadModel(path);
    if (!model)
        print_error("%s\n", hyperionGetLastError());
    assert_non_null(model);
    return model;
}

// False where the model is not there or has operators that are missing.
static bool expect_round_trip(const char *source)
{
    HyperionModel *model = hyperionLoadModel(source);
    if (!model) {
        print_message("skipped: %.200s\n", hyperionGetLastError());
        return false;
    }
    if (!hyperionSaveModel(model, path))
        fail_msg("%s: %s", source, hyperionGetLastError());
    HyperionModel *back = load_back();
    expect_same_graph(model, back);
    expect_same_results(model, back);
    hyperionFreeModel(model);
    hyperionFreeModel(back);
    return true;
}

static void built_in_models_come_back_to_the_bit(void **state)
{
    (void)state;
    for (int i = 0; i < SMALL_BUILTIN_COUNT; i++)
        assert_true(expect_round_trip(small_builtins[i]));
}

static void models_of_files_come_back_to_the_bit(void **state)
{
    (void)state;
    assert_true(expect_round_trip(HYPERION_SOURCE_DIR "/tests/data/tiny.onnx"));
    (void)expect_round_trip(HYPERION_SOURCE_DIR "/../shared/models/mnist.onnx");
    (void)expect_round_trip(HYPERION_SOURCE_DIR "/../shared/models/ultraface-rfb-320.onnx");
    (void)expect_round_trip(HYPERION_SOURCE_DIR "/../shared/models/gpt2-tiny.onnx");
}

// A model whose weights are shared, reshaped, empty, of several types, and given out.
static HyperionModel *create_odd_model(void)
{
    static const float values[100] = {1, -2, 0.5F};
    HyperionModel *model = hyperionCreateModel("odd \"name\" \xc3\xa9");
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){3, 4});
    const int b = hyperionAddWeight(model, "b", HYPERION_TYPE_F32, 2, (int64_t[]){4, 4}, values);
    const int c = hyperionAddWeight(model, "c\n", HYPERION_TYPE_F32, 1, (int64_t[]){16}, values);
    const int i =
        hyperionAddWeight(model, "i", HYPERION_TYPE_I64, 1, (int64_t[]){2}, (int64_t[]){2, -1});
    (void)hyperionAddWeight(model, "unused", HYPERION_TYPE_BOOL, 1, (int64_t[]){3}, values);
    const int none =
        hyperionAddWeight(model, "none", HYPERION_TYPE_F32, 2, (int64_t[]){0, 4}, NULL);
    const int one = hyperionAddLayer(model, "one", HYPERION_LAYER_GEMM,
                                     &(HyperionLayerAttributes){.activation = 1}, (int[]){x, b}, 2);
    const int seen =
        hyperionAddLayer(model, "seen", HYPERION_LAYER_RESHAPE,
                         &(HyperionLayerAttributes){.rank = 2, .dims = {4, -1}}, (int[]){c}, 1);
    const int two =
        hyperionAddLayer(model, "two", HYPERION_LAYER_GEMM, NULL, (int[]){one, seen}, 2);
    const int three =
        hyperionAddLayer(model, "three", HYPERION_LAYER_GEMM, NULL, (int[]){two, b}, 2);
    const int four =
        hyperionAddLayer(model, "four", HYPERION_LAYER_GATHER, NULL, (int[]){three, i}, 2);
    const int five =
        hyperionAddLayer(model, "five", HYPERION_LAYER_CONCAT, NULL, (int[]){four, none}, 2);
    const int d = hyperionAddWeight(model, "d", HYPERION_TYPE_F32, 1, (int64_t[]){9}, values);
    const int given =
        hyperionAddLayer(model, "given", HYPERION_LAYER_RESHAPE,
                         &(HyperionLayerAttributes){.rank = 2, .dims = {3, 3}}, (int[]){d}, 1);
    assert_true(five >= 0 && hyperionAddOutput(model, given));
    assert_true(hyperionAddOutput(model, five) && hyperionAddOutput(model, seen));
    return model;
}

static void odd_models_come_back_to_the_bit(void **state)
{
    (void)state;
    HyperionModel *model = create_odd_model();
    assert_true(hyperionSaveModel(model, path));
    HyperionModel *back = load_back();
    expect_same_graph(model, back);
    expect_same_results(model, back);
    // And once more, now from the file, over the file itself.
    assert_true(hyperionSaveModel(back, path));
    HyperionModel *again = hyperionLoadModel(path);
    assert_non_null(again);
    expect_same_graph(model, again);
    hyperionFreeModel(model);
    hyperionFreeModel(back);
    hyperionFreeModel(again);
}

static void runs_are_aligned_and_padded(void **state)
{
    (void)state;
    HyperionModel *model = create_odd_model();
    assert_true(hyperionSaveModel(model, path));
    hyperionFreeModel(model);
    model = hyperionLoadModel(path);
    HyperionWeightsFile *file = hyperionOpenWeights(path);
    assert_non_null(file);
    // Of layers one, two, four and five; of three, one has it already; no work needs the last.
    static const char *const first_weights[] = {"b", "c\n", "i", "none", "d"};
    static const int layers[] = {0, 2, 4, 5, -1};
    assert_int_equal(model->weight_run_count, 5);
    for (int i = 0; i < 5; i++) {
        const HypWeightRun *run = &model->weight_runs[i];
        assert_int_equal(run->file_offset % 4096, 0);
        assert_int_equal(run->layer, layers[i]);
        assert_int_equal(run->has_checksum, hyp_checksum_exists());
        assert_string_equal(model->tensors[run->first_weight].name, first_weights[i]);
    }
    int pads = 0;
    for (int i = 0; i < hyperionWeightsTensorCount(file); i++) {
        const HyperionStoredTensor tensor = hyperionWeightsTensor(file, i);
        if (strncmp(tensor.name, "__pad.", 6) == 0) {
            assert_string_equal(tensor.type, "U8");
            assert_int_equal(atoi(tensor.name + 6), pads++);
        } else {
            assert_int_equal(tensor.file_offset % 64, 0);
        }
    }
    assert_int_equal(pads, 4);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_size % 4096, 0);
    hyperionCloseWeights(file);
    hyperionFreeModel(model);
}

static void weights_that_were_not_in_memory_are_forgotten(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel(small_builtins[0]);
    assert_true(hyperionSaveModel(model, path));
    for (int i = 0; i < model->tensor_count; i++)
        assert_null(model->tensors[i].data);
    hyperionFreeModel(model);
}

static void damaged_weights_fail_the_run(void **state)
{
    (void)state;
    if (!hyp_checksum_exists()) {
        print_message("skipped: built without xxhash\n");
        skip();
    }
    HyperionModel *model = hyperionLoadModel(small_builtins[0]);
    assert_true(hyperionSaveModel(model, path));
    hyperionFreeModel(model);
    model = hyperionLoadModel(path);
    const long place = (long)model->weight_runs[1].file_offset + 5;
    hyperionFreeModel(model);
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, place, SEEK_SET), 0);
    assert_true(fputc(0x55, file) != EOF);
    assert_int_equal(fclose(file), 0);
    model = hyperionLoadModel(path);
    assert_non_null(model);
    HyperionTensor *inputs[MOST_TENSORS] = {NULL};
    HyperionTensor *outputs[MOST_TENSORS] = {NULL};
    create_tensors(model, 1, hyperionModelInput, inputs);
    create_tensors(model, 1, hyperionModelOutput, outputs);
    assert_false(hyperionRunModel(model, inputs, outputs));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_FORMAT);
    assert_non_null(strstr(hyperionGetLastError(), "are damaged: expected checksum"));
    hyperionFreeTensor(inputs[0]);
    hyperionFreeTensor(outputs[0]);
    hyperionFreeModel(model);
}

static void checksums_are_those_of_xxhash(void **state)
{
    (void)state;
    if (!hyp_checksum_exists()) {
        print_message("skipped: built without xxhash\n");
        skip();
    }
    // Of nothing, from the test vectors of the library; pieces make the whole.
    HypChecksum *checksum = hyp_checksum_begin();
    assert_true(hyp_checksum_value(checksum) == 0x2d06800538d394c2);
    hyp_checksum_add(checksum, "hyper", 5);
    hyp_checksum_add(checksum, "ion", 3);
    HypChecksum *whole = hyp_checksum_begin();
    hyp_checksum_add(whole, "hyperion", 8);
    assert_true(hyp_checksum_value(checksum) == hyp_checksum_value(whole));
    hyp_checksum_end(checksum);
    hyp_checksum_end(whole);
    hyp_checksum_end(NULL);
}

static void saving_that_fails_leaves_the_old_file(void **state)
{
    (void)state;
    assert_true(write_file(path, "old", 3));
    HyperionModel *model = hyperionCreateModel("m");
    assert_false(hyperionSaveModel(NULL, path));
    assert_false(hyperionSaveModel(model, NULL));
    assert_false(hyperionSaveModel(model, "/no/such/folder/file"));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    static const char *const names[] = {"__metadata__", "__pad.7", "\xff"};
    for (int i = 0; i < 3; i++) {
        const int weight =
            hyperionAddWeight(model, names[i], HYPERION_TYPE_F32, 0, NULL, &(float){1});
        assert_true(hyperionAddOutput(model, weight));
        assert_false(hyperionSaveModel(model, path));
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_UNSUPPORTED);
        hyperionFreeModel(model);
        model = hyperionCreateModel("m");
    }
    hyperionFreeModel(model);
    char bytes[8];
    char part_path[64];
    (void)snprintf(part_path, sizeof part_path, "%s.part", path);
    assert_int_equal(read_file(path, bytes, sizeof bytes), 3);
    assert_int_equal(access(part_path, F_OK), -1);
}

int main(void)
{
    const int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    (void)close(descriptor);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_models_come_back_to_the_bit),
        cmocka_unit_test(models_of_files_come_back_to_the_bit),
        cmocka_unit_test(odd_models_come_back_to_the_bit),
        cmocka_unit_test(runs_are_aligned_and_padded),
        cmocka_unit_test(weights_that_were_not_in_memory_are_forgotten),
        cmocka_unit_test(damaged_weights_fail_the_run),
        cmocka_unit_test(checksums_are_those_of_xxhash),
        cmocka_unit_test(saving_that_fails_leaves_the_old_file),
    };
    const int failed = cmocka_run_group_tests_name("streaming", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
