// SPDX-License-Identifier: Apache-2.0
// test_zoo_decode.c - decoding with kept keys and values gives the logits of reading all tokens.
#include "hyperion/hyperion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PAST = 5, VOCAB = 50, LAYERS = 2, STATES = 2 * LAYERS };

static const int64_t tokens[PAST + 1] = {7, 49, 0, 12, 7, 31};

typedef struct Step {
    HyperionModel *model;
    HyperionTensor *inputs[1 + STATES];  // tokens, then keys and values
    HyperionTensor *outputs[1 + STATES]; // logits, then keys and values
} Step;

static HyperionTensor *create_like(HyperionTensorInfo info)
{
    HyperionTensor *tensor = hyperionCreateTensor(info.type, info.rank, info.dims);
    assert_non_null(tensor);
    return tensor;
}

// The model for `count` tokens from `first` on, which are its first input.
static Step open_step(int first, int count, int cache)
{
    Step step = {0};
    char name[128];
    (void)snprintf(name, sizeof name,
                   "builtin:llama:seq=%d,past=%d,cache=%d,hidden=24,heads=6,kv_heads=2,layers=%d,"
                   "inner=40,vocab=%d",
                   count, first, cache, LAYERS, VOCAB);
    step.model = hyperionLoadModel(name);
    if (!step.model)
        fail_msg("%s", hyperionGetLastError());
    for (int i = 0; i < hyperionModelInputCount(step.model); i++)
        step.inputs[i] = create_like(hyperionModelInput(step.model, i));
    for (int i = 0; i < hyperionModelOutputCount(step.model); i++)
        step.outputs[i] = create_like(hyperionModelOutput(step.model, i));
    memcpy(hyperionTensorData(step.inputs[0]), tokens + first, (size_t)count * sizeof *tokens);
    return step;
}

static void run(Step *step)
{
    if (!hyperionRunModel(step->model, step->inputs, step->outputs))
        fail_msg("%s", hyperionGetLastError());
}

static void close_step(Step *step)
{
    for (int i = 0; i <= STATES; i++) {
        hyperionFreeTensor(step->inputs[i]);
        hyperionFreeTensor(step->outputs[i]);
    }
    hyperionFreeModel(step->model);
}

static void decoding_gives_the_logits_of_reading_everything(void **state)
{
    (void)state;
    Step all = open_step(0, PAST + 1, 0);
    Step prompt = open_step(0, PAST, 1);
    Step next = open_step(PAST, 1, 1);
    assert_int_equal(hyperionModelInputCount(next.model), 1 + STATES);
    assert_int_equal(hyperionModelOutputCount(prompt.model), 1 + STATES);
    run(&all);
    run(&prompt);
    for (int i = 1; i <= STATES; i++) {
        assert_string_equal(hyperionModelInput(next.model, i).name + strlen("past"),
                            hyperionModelOutput(prompt.model, i).name + strlen("present"));
        memcpy(hyperionTensorData(next.inputs[i]), hyperionTensorData(prompt.outputs[i]),
               hyperionTensorBytes(next.inputs[i]));
    }
    run(&next);
    const float *expected =
        (const float *)hyperionTensorData(all.outputs[0]) + (size_t)PAST * VOCAB;
    const float *actual = hyperionTensorData(next.outputs[0]);
    for (int i = 0; i < VOCAB; i++)
        assert_true(fabsf(actual[i] - expected[i]) <= 1e-4F + 1e-4F * fabsf(expected[i]));
    close_step(&all);
    close_step(&prompt);
    close_step(&next);
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"builtin:llama:past=3", "past=3 needs cache=1"},
        {"builtin:llama:kv_heads=2", "kv_heads=2 do not divide heads=9"},
        {"builtin:llama:hidden=27", "odd width, 3"},
        {"builtin:unet:image=571", "an image of 571 cannot be halved 4 times"},
        {"builtin:shufflenet:width=115", "width is even, given 115"},
        {"builtin:llama:layers=1024,hidden=16326", "more than 8589934592 bytes of weights"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(hyperionLoadModel(cases[i][0]));
        if (!strstr(hyperionGetLastError(), cases[i][1]))
            fail_msg("%s: %s", cases[i][0], hyperionGetLastError());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_gives_the_logits_of_reading_everything),
        cmocka_unit_test(impossible_sizes_are_refused),
    };
    return cmocka_run_group_tests_name("zoo_decode", tests, NULL, NULL);
}
