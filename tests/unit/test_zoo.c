// SPDX-License-Identifier: Apache-2.0
// test_zoo.c - built-in models: parameters, seeds, values, agreement of the SIMD levels.
#include "hyperion/hyperion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "small_builtins.h"

enum { MOST_TENSORS = 64 };

// What depends on nothing, as f32, or as i64 from 0 to 2.
static HyperionTensor *create_input(HyperionTensorInfo info)
{
    HyperionTensor *tensor = hyperionCreateTensor(info.type, info.rank, info.dims);
    assert_non_null(tensor);
    for (size_t i = 0; i < hyperionTensorElementCount(tensor); i++)
        if (info.type == HYPERION_TYPE_F32)
            ((float *)hyperionTensorData(tensor))[i] = sinf((float)i);
        else
            ((int64_t *)hyperionTensorData(tensor))[i] = (int64_t)(i % 3);
    return tensor;
}

// The first output of the model; for free().
static float *run(HyperionModel *model, size_t *count)
{
    HyperionTensor *inputs[MOST_TENSORS] = {NULL};
    HyperionTensor *outputs[MOST_TENSORS] = {NULL};
    const HyperionTensorInfo first = hyperionModelOutput(model, 0);
    float *values = malloc(first.size_bytes);
    for (int i = 0; i < hyperionModelInputCount(model); i++)
        inputs[i] = create_input(hyperionModelInput(model, i));
    outputs[0] = hyperionWrapTensor(first.type, first.rank, first.dims, values);
    for (int i = 1; i < hyperionModelOutputCount(model); i++)
        outputs[i] = create_input(hyperionModelOutput(model, i));
    if (!hyperionRunModel(model, inputs, outputs))
        fail_msg("%s", hyperionGetLastError());
    *count = first.size_bytes / sizeof(float);
    for (int i = 0; i < MOST_TENSORS; i++) {
        hyperionFreeTensor(inputs[i]);
        hyperionFreeTensor(outputs[i]);
    }
    return values;
}

static HyperionModel *load(const char *specification)
{
    HyperionModel *model = hyperionLoadModel(specification);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    return model;
}

static void levels_agree_and_values_stay_of_order_one(void **state)
{
    (void)state;
    for (int i = 0; i < SMALL_BUILTIN_COUNT; i++) {
        HyperionModel *model = load(small_builtins[i]);
        assert_string_equal(hyperionModelName(model), small_builtins[i]);
        hyperionSetSIMDOptimizationLevel(model, 0);
        size_t count;
        float *scalar = run(model, &count);
        float greatest = 0.0F;
        for (size_t j = 0; j < count; j++)
            greatest = fmaxf(greatest, fabsf(scalar[j]));
        assert_true(greatest > 0.05F && greatest < 50.0F);
        for (int level = 1; level <= (int)hyperionGetSIMDCapabilities().best_level; level++) {
            hyperionSetSIMDOptimizationLevel(model, level);
            float *values = run(model, &count);
            for (size_t j = 0; j < count; j++)
                assert_true(fabsf(values[j] - scalar[j]) <= 1e-4F + 1e-4F * fabsf(scalar[j]));
            free(values);
        }
        free(scalar);
        hyperionFreeModel(model);
    }
}

static void every_generator_has_a_small_model_that_runs(void **state)
{
    (void)state;
    for (int i = 0; hyperionBuiltinModelName(i); i++) {
        char prefix[64];
        int found = 0;
        (void)snprintf(prefix, sizeof prefix, "builtin:%s:", hyperionBuiltinModelName(i));
        for (int j = 0; j < SMALL_BUILTIN_COUNT; j++)
            found += strncmp(small_builtins[j], prefix, strlen(prefix)) == 0;
        if (!found)
            fail_msg("no model %s in small_builtins.h", prefix);
        assert_non_null(strstr(hyperionBuiltinModelHelp(i), " seed=1 (0..4294967295)"));
    }
    assert_null(hyperionBuiltinModelHelp(-1));
    assert_null(hyperionBuiltinModelName(-1));
    assert_null(hyperionBuiltinModelHelp(1000));
}

static void seed_decides_the_weights(void **state)
{
    (void)state;
    HyperionModel *models[] = {load("builtin:mlp:seed=7"), load("builtin:mlp:seed=7"),
                               load("builtin:mlp:seed=8")};
    float *values[3];
    size_t count;
    for (int i = 0; i < 3; i++)
        values[i] = run(models[i], &count);
    assert_memory_equal(values[0], values[1], count * sizeof(float));
    assert_memory_not_equal(values[0], values[2], count * sizeof(float));
    for (int i = 0; i < 3; i++) {
        free(values[i]);
        hyperionFreeModel(models[i]);
    }
}

static void parameters_give_the_sizes(void **state)
{
    (void)state;
    HyperionModel *model = load("builtin:mlp:batch=8,hidden=20,layers=3,input=30,output=4");
    assert_int_equal(hyperionModelLayerCount(model), 3);
    assert_int_equal(hyperionModelInput(model, 0).dims[0], 8);
    assert_int_equal(hyperionModelOutput(model, 0).dims[1], 4);
    assert_int_equal(hyperionModelWeightBytes(model),
                     4 * (30 * 20 + 20 + 20 * 20 + 20 + 20 * 4 + 4));
    assert_true(hyperionModelFlops(model) == 2.0 * 8 * (30 * 20 + 20 * 20 + 20 * 4));
    assert_int_equal(hyperionModelLayer(model, 1).weight_bytes, 4 * (20 * 20 + 20));
    assert_string_equal(hyperionModelLayer(model, 1).op_name, "gemm");
    assert_int_equal(hyperionModelActivationBytes(model), 2 * 8 * 20 * 4);
    hyperionFreeModel(model);
}

static void bad_specifications_fail_and_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *specification, *message;
    } cases[] = {
        {"builtin:", "the nearest is 'mlp'"},
        {"builtin:transfomer", "there is no 'transfomer'; the nearest is 'transformer'"},
        {"builtin:mlp:hiden=3", "no key 'hiden'; the nearest is 'hidden'"},
        {"builtin:mlp:hidden", "expected key=value, given 'hidden'"},
        {"builtin:mlp:", "expected key=value, given ''"},
        {"builtin:mlp:hidden=", "hidden is 1 to 65536, given ''"},
        {"builtin:mlp:hidden=12x", "given '12x'"},
        {"builtin:mlp:hidden=0", "hidden is 1 to 65536, given '0'"},
        {"builtin:mlp:hidden=99999999999999999999", "hidden is 1 to 65536"},
        {"builtin:mlp:hidden=3,hidden=4", "hidden is given twice"},
        {"builtin:mlp:hidden=3,", "expected key=value"},
        {"builtin:cnn:image=4", "cannot be halved 3 times"},
        {"builtin:transformer:heads=3", "3 heads do not divide hidden=128"},
        {"builtin:transformer:layers=1024,hidden=16384", "more than 8589934592 bytes of weights"},
        {"builtin:gpt2:seq=12,positions=11", "seq=12 is more than positions=11"},
        {"builtin:mlp:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1",
         "is too long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(hyperionLoadModel(cases[i].specification));
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
        if (!strstr(hyperionGetLastError(), cases[i].message))
            fail_msg("%s: %s", cases[i].specification, hyperionGetLastError());
    }
    assert_null(hyperionLoadModel(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_agree_and_values_stay_of_order_one),
        cmocka_unit_test(every_generator_has_a_small_model_that_runs),
        cmocka_unit_test(seed_decides_the_weights),
        cmocka_unit_test(parameters_give_the_sizes),
        cmocka_unit_test(bad_specifications_fail_and_say_why),
    };
    return cmocka_run_group_tests_name("zoo", tests, NULL, NULL);
}
