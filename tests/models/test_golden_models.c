// SPDX-License-Identifier: Apache-2.0
// test_golden_models.c - trained and exported models give the outputs that ONNX Runtime gave, at
// every SIMD level, with graph rewriting on and off, with one thread and with three.
#include "hyperion/hyperion.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MODELS HYPERION_SOURCE_DIR "/../shared/models"

enum { MOST_TENSORS = 4 };

// A model's file, and the inputs and outputs of one run.
typedef struct Golden {
    char path[1024];
    HyperionTensor *inputs[MOST_TENSORS];
    HyperionTensor *outputs[MOST_TENSORS];
    size_t input_count, output_count;
} Golden;

static HyperionTensor *read_tensor(const char *name, json_t *entry)
{
    char path[1024];
    int64_t dims[HYPERION_MAX_RANK];
    json_t *list = json_object_get(entry, "dims");
    const int rank = (int)json_array_size(list);
    assert_in_range(rank, 0, HYPERION_MAX_RANK);
    for (int i = 0; i < rank; i++)
        dims[i] = json_integer_value(json_array_get(list, (size_t)i));
    const char *type = json_string_value(json_object_get(entry, "type"));
    HyperionTensor *tensor = hyperionCreateTensor(
        strcmp(type, "int64") == 0 ? HYPERION_TYPE_I64 : HYPERION_TYPE_F32, rank, dims);
    assert_non_null(tensor);
    (void)snprintf(path, sizeof path, MODELS "/golden/%s/%s", name,
                   json_string_value(json_object_get(entry, "file")));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size_bytes = hyperionTensorBytes(tensor);
    assert_int_equal(fread(hyperionTensorData(tensor), 1, size_bytes, file), size_bytes);
    (void)fclose(file);
    return tensor;
}

static size_t read_tensors(const char *name, json_t *list, HyperionTensor **tensors)
{
    const size_t count = json_array_size(list);
    assert_in_range(count, 1, MOST_TENSORS);
    for (size_t i = 0; i < count; i++)
        tensors[i] = read_tensor(name, json_array_get(list, i));
    return count;
}

// False, with the reason printed, where the files are not here.
static bool read_golden(const char *name, Golden *golden)
{
    char path[1024];
    (void)snprintf(path, sizeof path, MODELS "/golden/%s/meta.json", name);
    json_t *meta = json_load_file(path, 0, NULL);
    if (!meta) {
        print_message("skipped: no %s\n", path);
        return false;
    }
    (void)snprintf(golden->path, sizeof golden->path, MODELS "/%s",
                   json_string_value(json_object_get(meta, "model")));
    golden->input_count = read_tensors(name, json_object_get(meta, "inputs"), golden->inputs);
    golden->output_count = read_tensors(name, json_object_get(meta, "outputs"), golden->outputs);
    json_decref(meta);
    return true;
}

// |a - b| <= 1e-4 + 1e-4 |b| for every value.
static void expect_close(const HyperionTensor *got, const HyperionTensor *expected,
                         const char *where)
{
    const float *a = hyperionTensorConstData(got);
    const float *b = hyperionTensorConstData(expected);
    for (size_t i = 0; i < hyperionTensorElementCount(expected); i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-4F + 1e-4F * fabsf(b[i])))
            fail_msg("%s: value %zu is %g, expected %g", where, i, (double)a[i], (double)b[i]);
}

static void run_model(const Golden *golden, HyperionModel *model, int level, int thread_count,
                      const char *where)
{
    HyperionTensor *made[MOST_TENSORS] = {NULL};
    for (size_t i = 0; i < golden->output_count; i++) {
        const HyperionTensor *expected = golden->outputs[i];
        made[i] = hyperionCreateTensor(hyperionTensorType(expected), hyperionTensorRank(expected),
                                       hyperionTensorDims(expected));
    }
    hyperionSetSIMDOptimizationLevel(model, level);
    assert_true(hyperionSetThreadCount(model, thread_count));
    if (!hyperionRunModel(model, golden->inputs, made))
        fail_msg("%s: %s", where, hyperionGetLastError());
    for (size_t i = 0; i < golden->output_count; i++) {
        expect_close(made[i], golden->outputs[i], where);
        hyperionFreeTensor(made[i]);
    }
}

static void check_model(const char *name)
{
    Golden golden = {.input_count = 0};
    if (!read_golden(name, &golden))
        skip();
    const unsigned levels = hyperionGetSIMDCapabilities().levels;
    for (int rewriting = 0; rewriting < 2; rewriting++) {
        const HyperionLoadOptions options = {.no_rewriting = !rewriting};
        HyperionModel *model = hyperionLoadModelWith(golden.path, &options);
        if (!model)
            fail_msg("%s", hyperionGetLastError());
        for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
            char where[256];
            (void)snprintf(where, sizeof where, "%s, %s, rewriting %s", name,
                           hyperionSIMDLevelName(level), rewriting ? "on" : "off");
            if (levels & 1U << level)
                run_model(&golden, model, level, level == 0 ? 3 : 1, where);
        }
        hyperionFreeModel(model);
    }
    for (size_t i = 0; i < MOST_TENSORS; i++) {
        hyperionFreeTensor(golden.inputs[i]);
        hyperionFreeTensor(golden.outputs[i]);
    }
}

static void ultraface_finds_the_faces_of_the_reference(void **state)
{
    (void)state;
    check_model("ultraface-rfb-320");
}

static void mnist_reads_the_digit_of_the_reference(void **state)
{
    (void)state;
    check_model("mnist");
}

static void gpt2_gives_the_logits_of_the_reference(void **state)
{
    (void)state;
    check_model("gpt2-tiny");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ultraface_finds_the_faces_of_the_reference),
        cmocka_unit_test(mnist_reads_the_digit_of_the_reference),
        cmocka_unit_test(gpt2_gives_the_logits_of_the_reference),
    };
    return cmocka_run_group_tests_name("golden_models", tests, NULL, NULL);
}
