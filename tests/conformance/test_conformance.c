// SPDX-License-Identifier: Apache-2.0
// test_conformance.c - the operator tests that come with ONNX (libonnx-testdata): every one whose
// operators and types Hyperion has must give the outputs it is said to give, at every SIMD level.
//   test_conformance [--strict] [--verbose] [FOLDER] [PART-OF-A-NAME]
// Prints every failed test, with --verbose every skipped one, then passed, failed, and skipped by
// reason. Exit code 1 with --strict where a test failed; 77 where the tests are not installed.
#define _POSIX_C_SOURCE 200809L
#include "proto.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_TENSORS = 16, LEAST_OPSET = 7, MOST_OPSET = 17 };

typedef enum Verdict {
    PASSED,
    FAILED,
    NO_OPERATOR,
    NO_TYPE,
    NO_OPSET,
    RANDOM,
    VERDICT_COUNT
} Verdict;

static const char *const verdict_names[VERDICT_COUNT] = {
    "passed", "failed", "skipped: operator", "skipped: type", "skipped: opset", "skipped: random"};

// Operators that must be there: a test of these alone is never skipped for its operators.
static const char *const required[] = {"Abs",
                                       "Add",
                                       "AveragePool",
                                       "BatchNormalization",
                                       "Cast",
                                       "Clip",
                                       "Concat",
                                       "Constant",
                                       "ConstantOfShape",
                                       "Conv",
                                       "ConvTranspose",
                                       "Div",
                                       "Dropout",
                                       "Equal",
                                       "Erf",
                                       "Exp",
                                       "Expand",
                                       "Flatten",
                                       "Gather",
                                       "Gemm",
                                       "GlobalAveragePool",
                                       "HardSigmoid",
                                       "HardSwish",
                                       "Identity",
                                       "If",
                                       "LRN",
                                       "LayerNormalization",
                                       "LeakyRelu",
                                       "Log",
                                       "MatMul",
                                       "Max",
                                       "MaxPool",
                                       "Min",
                                       "Mul",
                                       "Neg",
                                       "Pad",
                                       "Pow",
                                       "ReduceMax",
                                       "ReduceMean",
                                       "ReduceSum",
                                       "Relu",
                                       "Reshape",
                                       "Resize",
                                       "Shape",
                                       "Sigmoid",
                                       "Slice",
                                       "Softmax",
                                       "Split",
                                       "Sqrt",
                                       "Squeeze",
                                       "Sub",
                                       "Sum",
                                       "Tanh",
                                       "Transpose",
                                       "Unsqueeze",
                                       "Where"};

// One test: its tensors, in the order of the model's inputs and outputs.
typedef struct Case {
    char model_path[1024];
    ProtoModel model;
    HyperionTensor *inputs[MOST_TENSORS];
    HyperionTensor *outputs[MOST_TENSORS];
    int input_count, output_count;
    char reason[1024];
} Case;

static bool is_required(const char *name)
{
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (strcmp(required[i], name) == 0)
            return true;
    return false;
}

// Reads DATA/KIND_0.pb and so on; false where one is of a type that Hyperion does not have.
static bool read_tensors(const char *folder, const char *kind, HyperionTensor **tensors, int *count)
{
    for (*count = 0; *count < MOST_TENSORS; ++*count) {
        char path[1200];
        (void)snprintf(path, sizeof path, "%s/test_data_set_0/%s_%d.pb", folder, kind, *count);
        if (access(path, R_OK) != 0)
            return true;
        tensors[*count] = proto_read_tensor(path);
        if (!tensors[*count])
            return false;
    }
    return true;
}

static bool is_close(float got, float expected)
{
    if (isnan(got) || isnan(expected))
        return isnan(got) && isnan(expected);
    if (isinf(got) || isinf(expected))
        return got == expected;
    return fabsf(got - expected) <= 1e-4F + 1e-4F * fabsf(expected);
}

static bool compare(const HyperionTensor *got, const HyperionTensor *expected, Case *test)
{
    const size_t count = hyperionTensorElementCount(expected);
    const bool is_float = hyperionTensorType(expected) == HYPERION_TYPE_F32;
    const size_t item_bytes = hyperionTypeBytes(hyperionTensorType(expected));
    const char *a = hyperionTensorConstData(got);
    const char *b = hyperionTensorConstData(expected);
    for (size_t i = 0; i < count; i++) {
        const bool same =
            is_float
                ? is_close(((const float *)(const void *)a)[i], ((const float *)(const void *)b)[i])
                : memcmp(a + i * item_bytes, b + i * item_bytes, item_bytes) == 0;
        if (same)
            continue;
        if (is_float)
            (void)snprintf(test->reason, sizeof test->reason,
                           "element %zu of %zu is %g, expected %g", i, count,
                           (double)((const float *)(const void *)a)[i],
                           (double)((const float *)(const void *)b)[i]);
        else
            (void)snprintf(test->reason, sizeof test->reason, "element %zu of %zu (%s) differs", i,
                           count, hyperionTypeName(hyperionTensorType(expected)));
        return false;
    }
    return true;
}

// Loads the model with inputs `first_fixed` on as constants.
static HyperionModel *load(const Case *test, int first_fixed)
{
    HyperionInputShape shapes[MOST_TENSORS];
    HyperionInputValue values[MOST_TENSORS];
    for (int i = 0; i < test->input_count; i++) {
        shapes[i] = (HyperionInputShape){.name = test->model.inputs[i],
                                         .rank = hyperionTensorRank(test->inputs[i])};
        memcpy(shapes[i].dims, hyperionTensorDims(test->inputs[i]), sizeof shapes[i].dims);
        values[i] = (HyperionInputValue){test->model.inputs[i], test->inputs[i]};
    }
    const HyperionLoadOptions options = {
        .input_shapes = shapes,
        .input_shape_count = (size_t)test->input_count,
        .input_values = values + first_fixed,
        .input_value_count = (size_t)(test->input_count - first_fixed),
    };
    return hyperionLoadModelWith(test->model_path, &options);
}

// Whether the model's output `index` has the type and shape that is expected.
static bool check_output(const HyperionModel *model, int index, Case *test)
{
    const HyperionTensorInfo info = hyperionModelOutput(model, index);
    const HyperionTensor *expected = test->outputs[index];
    const int rank = hyperionTensorRank(expected);
    const bool same =
        info.type == hyperionTensorType(expected) && info.rank == rank &&
        memcmp(info.dims, hyperionTensorDims(expected), (size_t)rank * sizeof info.dims[0]) == 0;
    if (!same)
        (void)snprintf(test->reason, sizeof test->reason,
                       "output %d has another type or shape: %s of rank %d, expected %s of rank %d",
                       index, hyperionTypeName(info.type), info.rank,
                       hyperionTypeName(hyperionTensorType(expected)), rank);
    return same;
}

static bool run_level(HyperionModel *model, int level, int first_fixed, Case *test)
{
    HyperionTensor *made[MOST_TENSORS] = {NULL};
    bool good = true;
    for (int i = 0; good && i < test->output_count; i++) {
        const HyperionTensor *expected = test->outputs[i];
        good = check_output(model, i, test);
        if (good)
            made[i] =
                hyperionCreateTensor(hyperionTensorType(expected), hyperionTensorRank(expected),
                                     hyperionTensorDims(expected));
    }
    hyperionSetSIMDOptimizationLevel(model, level);
    if (good && !hyperionRunModel(model, test->inputs, made)) {
        (void)snprintf(test->reason, sizeof test->reason, "%s", hyperionGetLastError());
        good = false;
    }
    for (int i = 0; good && i < test->output_count; i++)
        good = compare(made[i], test->outputs[i], test);
    if (!good && test->reason[0]) {
        const size_t used = strlen(test->reason);
        (void)snprintf(test->reason + used, sizeof test->reason - used,
                       " (level %s, inputs from %d on constant)", hyperionSIMDLevelName(level),
                       first_fixed);
    }
    for (int i = 0; i < test->output_count; i++)
        hyperionFreeTensor(made[i]);
    return good;
}

static Verdict run_levels(HyperionModel *model, int first_fixed, Case *test)
{
    bool good = hyperionModelOutputCount(model) == test->output_count &&
                hyperionModelInputCount(model) == first_fixed;
    if (!good)
        (void)snprintf(test->reason, sizeof test->reason, "%d outputs, expected %d",
                       hyperionModelOutputCount(model), test->output_count);
    const HyperionSIMDCapabilities capabilities = hyperionGetSIMDCapabilities();
    for (int level = 0; good && level < HYPERION_SIMD_LEVEL_COUNT; level++)
        if (capabilities.levels & 1U << level)
            good = run_level(model, level, first_fixed, test);
    hyperionFreeModel(model);
    return good ? PASSED : FAILED;
}

static bool uses_only_required(const ProtoModel *model)
{
    for (int i = 0; i < model->operator_count; i++)
        if (!is_required(model->operators[i]))
            return false;
    return true;
}

// Loads with all inputs left to the run; where values must be known, with all but the first, then
// with all of them constant.
static Verdict run_case(Case *test)
{
    const int attempts[] = {test->input_count, test->input_count > 1, 0};
    for (int i = 0; i < 3; i++) {
        HyperionModel *model = load(test, attempts[i]);
        if (model)
            return run_levels(model, attempts[i], test);
        (void)snprintf(test->reason, sizeof test->reason, "%s", hyperionGetLastError());
        if (hyperionGetLastErrorKind() != HYPERION_ERROR_UNSUPPORTED)
            return FAILED;
        if (!strstr(test->reason, "constant"))
            break;
    }
    return uses_only_required(&test->model) ? FAILED : NO_OPERATOR;
}

// Training dropout draws random numbers unless its ratio is 0.
static bool is_random(const char *name)
{
    return strstr(name, "training_dropout") && !strstr(name, "zero_ratio");
}

static Verdict judge(const char *folder, const char *name, Case *test)
{
    *test = (Case){.input_count = 0};
    (void)snprintf(test->model_path, sizeof test->model_path, "%s/model.onnx", folder);
    proto_read_model(test->model_path, &test->model);
    Verdict verdict = PASSED;
    if (test->model.opset < LEAST_OPSET || test->model.opset > MOST_OPSET)
        verdict = NO_OPSET;
    else if (is_random(name))
        verdict = RANDOM;
    else if (test->model.other_types ||
             !read_tensors(folder, "input", test->inputs, &test->input_count) ||
             !read_tensors(folder, "output", test->outputs, &test->output_count))
        verdict = NO_TYPE;
    else if (test->input_count != test->model.input_count) {
        (void)snprintf(test->reason, sizeof test->reason, "%d input files, expected %d",
                       test->input_count, test->model.input_count);
        verdict = FAILED;
    } else {
        verdict = run_case(test);
    }
    for (int i = 0; i < MOST_TENSORS; i++) {
        hyperionFreeTensor(test->inputs[i]);
        hyperionFreeTensor(test->outputs[i]);
    }
    return verdict;
}

static int is_test(const struct dirent *entry)
{
    return strncmp(entry->d_name, "test_", 5) == 0;
}

typedef struct Choice {
    const char *folder;
    const char *part; // of a name
    bool strict, verbose;
} Choice;

// Judges the tests of one suite, by name.
static void run_suite(const Choice *choice, const char *suite, int counts[VERDICT_COUNT])
{
    static Case test;
    struct dirent **entries;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", choice->folder, suite);
    const int entry_count = scandir(path, &entries, is_test, alphasort);
    for (int i = 0; i < entry_count; i++) {
        char folder[1000];
        (void)snprintf(folder, sizeof folder, "%s/%.255s", path, entries[i]->d_name);
        if (strstr(folder, choice->part)) {
            const Verdict verdict = judge(folder, entries[i]->d_name, &test);
            counts[verdict]++;
            if (verdict == FAILED || (choice->verbose && verdict != PASSED))
                printf("%s: %s/%s: %s\n", verdict_names[verdict], suite, entries[i]->d_name,
                       test.reason);
        }
        free(entries[i]);
    }
    if (entry_count >= 0)
        free((void *)entries);
}

int main(int argument_count, char **arguments)
{
    static const char *const suites[] = {"node", "simple", "pytorch-operator", "pytorch-converted"};
    Choice choice = {.folder = "/usr/share/libonnx-testdata/data", .part = ""};
    for (int i = 1; i < argument_count; i++) {
        if (strcmp(arguments[i], "--strict") == 0)
            choice.strict = true;
        else if (strcmp(arguments[i], "--verbose") == 0)
            choice.verbose = true;
        else if (strchr(arguments[i], '/'))
            choice.folder = arguments[i];
        else
            choice.part = arguments[i];
    }
    if (access(choice.folder, R_OK) != 0) {
        printf("skipped: no %s (Debian package libonnx-testdata)\n", choice.folder);
        return 77;
    }
    int counts[VERDICT_COUNT] = {0};
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        run_suite(&choice, suites[i], counts);
    for (int i = 0; i < VERDICT_COUNT; i++)
        printf("%s: %d\n", verdict_names[i], counts[i]);
    return choice.strict && counts[FAILED] > 0;
}
