// SPDX-License-Identifier: Apache-2.0
// test_onnx_export.c - what is written as ONNX means the same when it is read again.
#define _GNU_SOURCE
#include "onnx_export_cases.h"

#include "model/executor.h"
#include "model/onnx/export_onnx.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// Positive, and different from one another; of bool both values.
static void fill(HyperionType type, void *data, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U;
        const float value = 0.25F + (float)(seed >> 16) / 65536;
        if (type == HYPERION_TYPE_F32)
            ((float *)data)[i] = value;
        else if (type == HYPERION_TYPE_I64)
            ((int64_t *)data)[i] = seed >> 16 & 1;
        else if (type == HYPERION_TYPE_I32)
            ((int32_t *)data)[i] = (int32_t)(seed >> 24);
        else
            ((uint8_t *)data)[i] = seed >> 16 & 1;
    }
}

static HyperionModel *build(const Case *test)
{
    static const char *const names[] = {"a", "b", "c"};
    static float values[4096];
    int inputs[MOST_INPUTS] = {0};
    HyperionModel *model = hyperionCreateModel("one");
    for (int i = 0; i < test->input_count && i < MOST_INPUTS; i++) {
        const Input *input = &test->inputs[i];
        fill(HYPERION_TYPE_F32, values, sizeof values / sizeof values[0], 7U + (unsigned)i);
        inputs[i] =
            input->is_weight
                ? hyperionAddWeight(model, names[i], input->type, input->rank, input->dims, values)
                : hyperionAddInput(model, names[i], input->type, input->rank, input->dims);
        assert_true(inputs[i] >= 0);
    }
    const int y =
        hyperionAddLayer(model, "y", test->op, &test->attributes, inputs, test->input_count);
    if (y < 0)
        fail_msg("%s", hyperionGetLastError());
    assert_true(hyperionAddOutput(model, y));
    return model;
}

// The model's only output; the caller frees.
static HyperionTensor *run(HyperionModel *model)
{
    HyperionTensor *inputs[MOST_INPUTS] = {NULL};
    const int count = hyperionModelInputCount(model);
    for (int i = 0; i < count; i++) {
        const HyperionTensorInfo info = hyperionModelInput(model, i);
        inputs[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        fill(info.type, hyperionTensorData(inputs[i]), hyperionTensorElementCount(inputs[i]),
             99U + (unsigned)i);
    }
    const HyperionTensorInfo info = hyperionModelOutput(model, 0);
    HyperionTensor *output = hyperionCreateTensor(info.type, info.rank, info.dims);
    if (!hyperionRunModel(model, inputs, &output))
        fail_msg("%s", hyperionGetLastError());
    for (int i = 0; i < count; i++)
        hyperionFreeTensor(inputs[i]);
    return output;
}

static bool is_close(const HyperionTensor *a, const HyperionTensor *b)
{
    if (hyperionTensorType(a) != HYPERION_TYPE_F32)
        return memcmp(hyperionTensorConstData(a), hyperionTensorConstData(b),
                      hyperionTensorBytes(a)) == 0;
    const float *given = hyperionTensorConstData(a);
    const float *wanted = hyperionTensorConstData(b);
    for (size_t i = 0; i < hyperionTensorElementCount(a); i++)
        if (!(fabsf(given[i] - wanted[i]) <= 1e-5F + 1e-5F * fabsf(wanted[i])))
            return false;
    return true;
}

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/hyperion-export-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static HyperionModel *read_again(HyperionModel *model, bool rewriting)
{
    const char *path = path_of("model.onnx");
    const HyperionLoadOptions options = {.no_rewriting = !rewriting};
    if (!hyperionExportModel(model, path))
        fail_msg("%s", hyperionGetLastError());
    HyperionModel *again = hyperionLoadModelWith(path, &options);
    if (!again)
        fail_msg("%s", hyperionGetLastError());
    return again;
}

static void check_round_trip(const Case *test, const char *what, int number)
{
    HyperionModel *model = build(test);
    HyperionTensor *expected = run(model);
    for (int rewriting = 0; rewriting < 2; rewriting++) {
        HyperionModel *again = read_again(model, rewriting);
        HyperionTensor *given = run(again);
        assert_int_equal(hyperionTensorBytes(given), hyperionTensorBytes(expected));
        assert_string_equal(hyperionModelOutput(again, 0).name, "y");
        const bool same = memcmp(hyperionTensorConstData(given), hyperionTensorConstData(expected),
                                 hyperionTensorBytes(given)) == 0;
        if (!is_close(given, expected) || (rewriting && !same && !test->rounded))
            fail_msg("%s %d, %s, %s rewriting: other outputs", what, number,
                     hyperionLayerOpName(test->op), rewriting ? "with" : "without");
        hyperionFreeTensor(given);
        hyperionFreeModel(again);
        assert_int_equal(remove(path_of("model.onnx")), 0);
    }
    hyperionFreeTensor(expected);
    hyperionFreeModel(model);
}

static void layers_give_the_same_outputs_when_read_again(void **state)
{
    (void)state;
    for (int i = 0; i < CASE_COUNT; i++)
        check_round_trip(&cases[i], "case", i);
}

static void every_layer_operation_has_a_case(void **state)
{
    (void)state;
    for (int op = 0; op < HYPERION_LAYER_OP_COUNT; op++) {
        bool found = false;
        for (int i = 0; i < CASE_COUNT; i++)
            found = found || (int)cases[i].op == op;
        if (!found)
            fail_msg("no case for %s", hyperionLayerOpName((HyperionLayerOp)op));
    }
}

static void functions_give_the_same_outputs_when_read_again(void **state)
{
    (void)state;
    for (int function = 1; function < HYPERION_ACTIVATION_COUNT; function++) {
        const Case alone = {
            HYPERION_LAYER_ACTIVATION,
            {.activation = (HyperionActivation)function, .alpha = 0.3F, .beta = 0.6F},
            {F32(3, 5)},
            1,
            false};
        check_round_trip(&alone, "function", function);
    }
    for (int binary = 0; binary < HYPERION_BINARY_COUNT; binary++) {
        Case both = {HYPERION_LAYER_BINARY,
                     {.binary = (HyperionBinary)binary},
                     {F32(3, 5), F32(5)},
                     2,
                     false};
        if (binary >= HYPERION_BINARY_AND)
            both.inputs[0].type = both.inputs[1].type = HYPERION_TYPE_BOOL;
        check_round_trip(&both, "function of two", binary);
    }
    for (int reduce = 0; reduce < HYPERION_REDUCE_COUNT; reduce++) {
        const Case reduced = {
            HYPERION_LAYER_REDUCE,
            {.reduce = (HyperionReduce)reduce, .axis_count = 1, .axes = {1}, .keep_dims = true},
            {F32(3, 5, 2)},
            1,
            false};
        check_round_trip(&reduced, "reduction", reduce);
    }
}

static void large_weights_go_to_a_file_beside(void **state)
{
    (void)state;
    HyperionModel *model = build(&cases[0]);
    HyperionTensor *expected = run(model);
    assert_true(hyp_model_hold(model, "test"));
    assert_true(hyp_onnx_export(model, path_of("model.onnx"), 0));
    hyp_model_end_change(model);
    FILE *data = fopen(path_of("model.onnx.data"), "rb");
    assert_non_null(data);
    assert_int_equal(fseek(data, 0, SEEK_END), 0);
    assert_int_equal(ftell(data), 4096 + 5 * 4); // the second weight begins at a page
    (void)fclose(data);
    HyperionModel *again = hyperionLoadModel(path_of("model.onnx"));
    assert_non_null(again);
    HyperionTensor *given = run(again);
    assert_memory_equal(hyperionTensorConstData(given), hyperionTensorConstData(expected),
                        hyperionTensorBytes(expected));
    hyperionFreeTensor(given);
    hyperionFreeModel(again);
    hyperionFreeTensor(expected);
    hyperionFreeModel(model);
    assert_int_equal(remove(path_of("model.onnx")), 0);
    assert_int_equal(remove(path_of("model.onnx.data")), 0);
}

static void names_that_are_taken_are_not_taken_again(void **state)
{
    (void)state;
    HyperionModel *model = hyperionCreateModel("names");
    const int64_t dims[] = {4, 4};
    const int a = hyperionAddInput(model, "a", HYPERION_TYPE_F32, 2, dims);
    const int taken = hyperionAddInput(model, "y/linear", HYPERION_TYPE_F32, 2, dims);
    const HyperionLayerAttributes relu = {.activation = HYPERION_ACTIVATION_RELU};
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_GEMM, &relu, (int[]){a, taken}, 2);
    assert_true(hyperionAddOutput(model, y));
    HyperionModel *again = read_again(model, true);
    HyperionTensor *expected = run(model);
    HyperionTensor *given = run(again);
    assert_memory_equal(hyperionTensorConstData(given), hyperionTensorConstData(expected),
                        hyperionTensorBytes(expected));
    hyperionFreeTensor(given);
    hyperionFreeTensor(expected);
    hyperionFreeModel(again);
    hyperionFreeModel(model);
    assert_int_equal(remove(path_of("model.onnx")), 0);
}

static void weights_that_were_not_needed_yet_are_not_kept(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:mlp:input=8,hidden=16,output=4");
    assert_non_null(model);
    HyperionModel *again = read_again(model, true);
    for (int i = 0; i < model->tensor_count; i++)
        assert_null(model->tensors[i].data);
    hyperionFreeModel(again);
    hyperionFreeModel(model);
    assert_int_equal(remove(path_of("model.onnx")), 0);
}

static void assert_refused(HyperionModel *model, const char *path, HyperionErrorKind kind,
                           const char *named)
{
    assert_false(hyperionExportModel(model, path));
    assert_int_equal(hyperionGetLastErrorKind(), kind);
    if (!strstr(hyperionGetLastError(), named))
        fail_msg("'%s' does not name '%s'", hyperionGetLastError(), named);
    assert_int_equal(access(path_of("model.onnx"), F_OK), -1);
    assert_int_equal(access(path_of("model.onnx.part"), F_OK), -1);
}

static void what_cannot_be_written_is_refused_and_leaves_no_file(void **state)
{
    (void)state;
    const Case wide = {
        HYPERION_LAYER_AVERAGE_POOL, {.kernel = {2}, .dilation = {2}}, {F32(1, 2, 8)}, 1, false};
    const Case both = {
        HYPERION_LAYER_RESIZE, {.rank = 1, .dims = {7}, .scales = {3}}, {F32(2)}, 1, false};
    const Case first = {
        HYPERION_LAYER_BINARY, {.binary = HYPERION_BINARY_PRELU}, {F32(5), F32(3, 5)}, 2, false};
    const Case *const refused[] = {&wide, &both, &first};
    for (int i = 0; i < 3; i++) {
        HyperionModel *model = build(refused[i]);
        assert_refused(model, path_of("model.onnx"), HYPERION_ERROR_UNSUPPORTED, "layer 'y'");
        hyperionFreeModel(model);
    }
    HyperionModel *model = build(&cases[0]);
    assert_refused(NULL, path_of("model.onnx"), HYPERION_ERROR_ARGUMENT, "model is NULL");
    assert_refused(model, NULL, HYPERION_ERROR_ARGUMENT, "path is NULL");
    assert_refused(model, "/no-such-folder/x.onnx", HYPERION_ERROR_IO, "/no-such-folder/x.onnx");
    assert_refused(model, folder, HYPERION_ERROR_IO, folder); // a folder cannot be replaced
    assert_true(hyp_model_hold(model, "test"));
    assert_refused(model, path_of("model.onnx"), HYPERION_ERROR_BUSY, "export model");
    hyp_model_end_change(model);
    hyperionFreeModel(model);
    if (access("/dev/full", W_OK) != 0)
        return;
    // The disk is full: /dev/full stands where the part of the file would be written.
    char part[128];
    (void)snprintf(part, sizeof part, "%s", path_of("full.onnx.part"));
    assert_int_equal(symlink("/dev/full", part), 0);
    model = build(&cases[0]);
    assert_refused(model, path_of("full.onnx"), HYPERION_ERROR_IO, "full.onnx");
    hyperionFreeModel(model);
    assert_int_equal(access(part, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_give_the_same_outputs_when_read_again),
        cmocka_unit_test(every_layer_operation_has_a_case),
        cmocka_unit_test(functions_give_the_same_outputs_when_read_again),
        cmocka_unit_test(large_weights_go_to_a_file_beside),
        cmocka_unit_test(names_that_are_taken_are_not_taken_again),
        cmocka_unit_test(weights_that_were_not_needed_yet_are_not_kept),
        cmocka_unit_test(what_cannot_be_written_is_refused_and_leaves_no_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
