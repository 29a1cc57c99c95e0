// SPDX-License-Identifier: Apache-2.0
// test_zoo_parameters.c - built-in models have as many parameters as the literature says, and
// opening them allocates none.
#include "hyperion/hyperion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

// Of torchvision and transformers (sum of p.numel() over model.parameters()); llama as
// SmolLM-135M;
// unet counted from figure 1 of Ronneberger et al. 2015.
static const struct {
    const char *specification;
    size_t parameters;
} models[] = {
    {"builtin:bert", 109482240},
    {"builtin:minilm", 22713216},
    {"builtin:gpt2", 124439808},
    {"builtin:llama", 134515008},
    {"builtin:resnet18", 11689512},
    {"builtin:resnet50", 25557032},
    {"builtin:mobilenetv2", 3504872},
    {"builtin:densenet121", 7978856},
    {"builtin:inceptionv3", 23834568},
    {"builtin:squeezenet:version=10", 1248424},
    {"builtin:squeezenet:version=11", 1235496},
    {"builtin:shufflenet", 2278604},
    {"builtin:vgg16", 138357544},
    {"builtin:unet", 31030658},
};
enum { MODEL_COUNT = sizeof models / sizeof models[0] };

static HyperionModel *load(const char *specification)
{
    HyperionModel *model = hyperionLoadModel(specification);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    return model;
}

// Bytes of address space of this process.
static size_t measure_address_space(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &pages), 1);
    (void)fclose(file);
    return pages * 4096;
}

static void parameter_counts_are_those_of_the_literature(void **state)
{
    (void)state;
    for (int i = 0; i < MODEL_COUNT; i++) {
        HyperionModel *model = load(models[i].specification);
        const size_t parameters = hyperionModelWeightBytes(model) / sizeof(float);
        if (parameters != models[i].parameters)
            fail_msg("%s: %zu parameters, expected %zu", models[i].specification, parameters,
                     models[i].parameters);
        hyperionFreeModel(model);
    }
}

static void opening_allocates_no_weights(void **state)
{
    (void)state;
    for (int i = 0; i < MODEL_COUNT; i++) {
        const size_t before = measure_address_space();
        HyperionModel *model = load(models[i].specification);
        assert_true(measure_address_space() - before < ((size_t)4 << 20));
        hyperionFreeModel(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts_are_those_of_the_literature),
        cmocka_unit_test(opening_allocates_no_weights),
    };
    return cmocka_run_group_tests_name("zoo_parameters", tests, NULL, NULL);
}
