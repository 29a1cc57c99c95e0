// SPDX-License-Identifier: Apache-2.0
// test_profile.c - a profile tells of each layer what a run did.
#include "hyperion/hyperion.h"

#include "model/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 32, BYTES = 4 * WIDTH };

typedef struct Bench {
    HyperionModel *model;
    HyperionTensor *x, *y;
} Bench;

// x -> a = relu(x) -> b = relu(a) -> view -> c = relu(view) -> y = c + a; all of BYTES bytes.
static int setup(void **state)
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    const int64_t dims[1] = {WIDTH};
    const HyperionLayerAttributes relu = {.activation = HYPERION_ACTIVATION_RELU};
    const HyperionLayerAttributes same = {.rank = 1, .dims = {WIDTH}};
    HyperionModel *model = hyperionCreateModel("profiled");
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, dims);
    const int a = hyperionAddLayer(model, "a", HYPERION_LAYER_ACTIVATION, &relu, &x, 1);
    const int b = hyperionAddLayer(model, "b", HYPERION_LAYER_ACTIVATION, &relu, &a, 1);
    const int view = hyperionAddLayer(model, "v", HYPERION_LAYER_RESHAPE, &same, &b, 1);
    const int c = hyperionAddLayer(model, "c", HYPERION_LAYER_ACTIVATION, &relu, &view, 1);
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_BINARY, NULL, (int[]){c, a}, 2);
    assert_true(y > 0 && hyperionAddOutput(model, y));
    bench->model = model;
    bench->x = hyperionCreateTensor(HYPERION_TYPE_F32, 1, dims);
    bench->y = hyperionCreateTensor(HYPERION_TYPE_F32, 1, dims);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    Bench *bench = *state;
    hyperionFreeModel(bench->model);
    hyperionFreeTensor(bench->x);
    hyperionFreeTensor(bench->y);
    free(bench);
    return 0;
}

static void run(const Bench *bench)
{
    assert_true(hyperionRunModel(bench->model, &bench->x, &bench->y));
}

static void steps_follow_one_another_and_fill_the_run(void **state)
{
    const Bench *bench = *state;
    HyperionProfile *profile = hyperionCreateProfile(bench->model, 3);
    assert_non_null(profile);
    run(bench);
    run(bench);
    assert_int_equal(hyperionProfileRunCount(profile), 2);
    assert_int_equal(hyperionProfileStepCount(profile), 4);
    static const int ran[] = {0, 1, 3, 4};
    uint64_t before_ns = 0;
    for (int i = 0; i < 2; i++) {
        const HyperionProfileRun whole = hyperionProfileRun(profile, i);
        assert_true(whole.valid && whole.start_ns >= before_ns);
        uint64_t sum_ns = 0;
        before_ns = whole.start_ns;
        for (int j = 0; j < 4; j++) {
            const HyperionProfileStep step = hyperionProfileStep(profile, i, j);
            assert_true(step.valid && step.start_ns >= before_ns + step.wait_ns);
            assert_int_equal(step.layer, ran[j]);
            assert_int_equal(step.loaded_bytes, 0);
            before_ns = step.start_ns + step.duration_ns;
            sum_ns += step.wait_ns + step.duration_ns;
        }
        assert_true(sum_ns == whole.duration_ns);
    }
    hyperionFreeProfile(profile);
}

static void layers_tell_bytes_and_the_activations_that_are_needed(void **state)
{
    const Bench *bench = *state;
    HyperionProfile *profile = hyperionCreateProfile(bench->model, 3);
    run(bench);
    // a is needed until y; b only by c; y is the caller's.
    static const size_t before[] = {0, 1, 0, 2, 2};
    static const size_t after[] = {1, 2, 0, 2, 0};
    for (int i = 0; i < 5; i++) {
        const HyperionProfileLayer layer = hyperionProfileLayer(profile, i);
        const bool is_view = i == 2;
        assert_true(layer.valid);
        assert_int_equal(layer.pass_count, is_view ? 0 : 1);
        assert_int_equal(layer.before_bytes, before[i] * BYTES);
        assert_int_equal(layer.after_bytes, after[i] * BYTES);
        assert_int_equal(layer.read_bytes, is_view ? 0 : (i == 4 ? 2 : 1) * BYTES);
        assert_int_equal(layer.written_bytes, is_view ? 0 : BYTES);
        assert_true(layer.least_ns == layer.median_ns);
        assert_int_equal(layer.reused_tensor, -1);
        if (!is_view)
            assert_true(layer.intensity == hyperionModelLayer(bench->model, i).flops /
                                               (i == 4 ? 3 * BYTES : 2 * BYTES));
    }
    const HyperionProfileMemory memory = hyperionProfileMemory(profile);
    assert_true(memory.valid);
    assert_int_equal(memory.activation_bytes, hyperionModelActivationBytes(bench->model));
    assert_int_equal(memory.activation_bytes, 3 * BYTES);
    assert_int_equal(memory.live_peak_bytes, 3 * BYTES);
    assert_int_equal(memory.weight_bytes, 0);
    assert_true(memory.resident_peak_bytes >= hyperionProfileStep(profile, 0, 0).resident_bytes);
    hyperionFreeProfile(profile);
}

static void it_keeps_the_last_runs_and_none_that_failed(void **state)
{
    const Bench *bench = *state;
    HyperionProfile *profile = hyperionCreateProfile(bench->model, 2);
    uint64_t start_ns = 0;
    for (int i = 0; i < 5; i++)
        run(bench);
    assert_false(hyperionRunModel(bench->model, &bench->x, &bench->x));
    assert_int_equal(hyperionProfileRunCount(profile), 2);
    assert_int_equal(hyperionProfileLayer(profile, 0).pass_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(hyperionProfileRun(profile, i).start_ns > start_ns);
        start_ns = hyperionProfileRun(profile, i).start_ns;
    }
    assert_true(hyperionClearProfile(profile));
    assert_int_equal(hyperionProfileRunCount(profile), 0);
    assert_false(hyperionProfileRun(profile, 0).valid);
    assert_string_equal(hyperionGetLastError(), "profile: no run of model profiled was recorded");
    run(bench);
    assert_int_equal(hyperionProfileRunCount(profile), 1);
    assert_true(hyperionProfileRun(profile, 0).start_ns > start_ns);
    hyperionFreeProfile(profile);
    run(bench);
}

static void loads_are_told_with_the_layer_they_were_for(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel(HYPERION_SOURCE_DIR "/tests/data/tiny.onnx");
    HyperionTensor *x = hyperionCreateTensor(HYPERION_TYPE_F32, 4, (int64_t[]){1, 2, 6, 5});
    HyperionTensor *y[] = {hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5}),
                           hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5})};
    HyperionProfile *profile = hyperionCreateProfile(model, 5);
    for (int i = 0; i < 2; i++)
        assert_true(hyperionRunModel(model, &x, y));
    size_t loaded_bytes = 0;
    for (int i = 0; i < hyperionModelLayerCount(model); i++) {
        const HyperionProfileLayer layer = hyperionProfileLayer(profile, i);
        loaded_bytes += layer.loaded_sum_bytes;
        assert_true(layer.loaded_sum_bytes == 0 ||
                    layer.loaded_sum_bytes <= hyperionModelLayer(model, i).weight_bytes);
    }
    assert_true(loaded_bytes > 0 && loaded_bytes <= hyperionModelWeightBytes(model));
    size_t again_bytes = 0;
    uint64_t load_ns = 0;
    for (int i = 0; i < hyperionProfileStepCount(profile); i++) {
        const HyperionProfileStep first = hyperionProfileStep(profile, 0, i);
        assert_int_equal(first.loaded_bytes > 0, first.load_ns > 0);
        load_ns += first.load_ns;
        again_bytes += hyperionProfileStep(profile, 1, i).loaded_bytes;
    }
    assert_int_equal(again_bytes, 0);
    assert_true(hyperionProfileStep(profile, 0, 0).wait_ns >= load_ns);
    hyperionFreeProfile(profile);
    hyperionFreeModel(model);
    hyperionFreeTensor(x);
    hyperionFreeTensor(y[0]);
    hyperionFreeTensor(y[1]);
}

// All results in two places: b gets a new one and c lies in b's.
static bool plan_reuse(void *context, const HyperionModel *model, HypRunPlan *plan)
{
    (void)context;
    plan->offsets[model->layers[3].outputs[0]] = plan->offsets[model->layers[1].outputs[0]];
    return true;
}

static void reuse_is_told_and_whether_it_is_in_place(void **state)
{
    const Bench *bench = *state;
    static const HypExecutorHooks reusing = {.plan = plan_reuse};
    assert_true(hyp_model_attach(bench->model, HYP_ATTACHED_OPTIMIZER, &reusing, NULL));
    HyperionProfile *profile = hyperionCreateProfile(bench->model, 1);
    run(bench);
    const HyperionProfileLayer layer = hyperionProfileLayer(profile, 3);
    assert_int_equal(layer.reused_tensor, bench->model->layers[1].outputs[0]);
    assert_true(layer.in_place);
    assert_int_equal(hyperionProfileLayer(profile, 4).reused_tensor, -1);
    assert_int_equal(hyperionProfileMemory(profile).live_peak_bytes, 2 * BYTES);
    hyperionFreeProfile(profile);
    assert_true(hyp_model_detach(bench->model, HYP_ATTACHED_OPTIMIZER));
}

// Steps: a 0, b 1, c 2, y 3; the view makes b needed by c.
static void places_tell_from_which_step_to_which(void **state)
{
    const Bench *bench = *state;
    HyperionProfile *profile = hyperionCreateProfile(bench->model, 1);
    assert_false(hyperionProfilePlace(profile, 0).valid); // nothing ran yet
    run(bench);
    static const int steps[][2] = {{0, 3}, {1, 2}};
    for (int i = 0; i < 2; i++) {
        const int tensor = bench->model->layers[i].outputs[0];
        const HyperionProfilePlace place = hyperionProfilePlace(profile, tensor);
        assert_true(place.valid && place.placed);
        assert_int_equal(place.first_step, steps[i][0]);
        assert_int_equal(place.last_step, steps[i][1]);
        assert_int_equal(place.size_bytes, BYTES);
        assert_int_equal(place.offset_bytes % 64, 0);
    }
    const int output = bench->model->layers[4].outputs[0];
    assert_true(hyperionProfilePlace(profile, output).valid);
    assert_false(hyperionProfilePlace(profile, output).placed); // the caller's memory
    assert_int_equal(hyperionProfilePlace(profile, output).first_step, -1);
    assert_false(hyperionProfilePlace(profile, bench->model->tensor_count).valid);
    assert_false(hyperionProfilePlace(NULL, 0).valid);
    hyperionFreeProfile(profile);
}

static bool dawdle(void *context, const HypRun *run)
{
    const uint64_t start_ns = hyp_platform_now_ns();
    while (hyp_platform_now_ns() - start_ns < 2000000)
        ;
    for (uint64_t i = 0; i < 2; i++)
        hyp_run_note_load(run->model, &(HypLoad){.layer = run->layer,
                                                 .size_bytes = 5,
                                                 .start_ns = start_ns + i * 500000,
                                                 .end_ns = start_ns + (i + 1) * 500000});
    return context == NULL;
}

static void wait_in_another_hook_is_no_time_of_the_layer(void **state)
{
    const Bench *bench = *state;
    static const HypExecutorHooks slow = {.before_step = dawdle};
    assert_true(hyp_model_attach(bench->model, HYP_ATTACHED_LOADER, &slow, NULL));
    HyperionProfile *profile = hyperionCreateProfile(bench->model, 20);
    for (int i = 0; i < 5; i++)
        run(bench);
    for (int i = 0; i < 4; i++) {
        const HyperionProfileLayer layer = hyperionProfileLayer(profile, i);
        assert_true(!layer.pass_count || layer.wait_sum_ns >= 10000000);
        assert_true(layer.least_ns < 2000000);
        assert_int_equal(layer.loaded_sum_bytes, layer.pass_count * 10);
    }
    const HyperionProfileStep step = hyperionProfileStep(profile, 4, 3);
    assert_int_equal(step.load_ns, 1000000);
    assert_true(step.load_start_ns >= step.start_ns - step.wait_ns);
    hyperionFreeProfile(profile);
    assert_true(hyp_model_detach(bench->model, HYP_ATTACHED_LOADER));
}

static void change_of_the_model_starts_anew(void **state)
{
    const Bench *bench = *state;
    HyperionProfile *profile = hyperionCreateProfile(bench->model, 4);
    run(bench);
    assert_true(
        hyperionAddLayer(bench->model, "more", HYPERION_LAYER_BINARY, NULL, (int[]){0, 0}, 2) > 0);
    run(bench);
    assert_int_equal(hyperionProfileRunCount(profile), 1);
    assert_int_equal(hyperionProfileStepCount(profile), 5);
    hyperionFreeProfile(profile);
}

static void wrong_calls_say_what_is_wrong(void **state)
{
    const Bench *bench = *state;
    assert_null(hyperionCreateProfile(NULL, 1));
    assert_null(hyperionCreateProfile(bench->model, 0));
    assert_string_equal(hyperionGetLastError(),
                        "create profile: it keeps 1 to 1000000 runs, given 0");
    HyperionProfile *profile = hyperionCreateProfile(bench->model, 1);
    assert_null(hyperionCreateProfile(bench->model, 1));
    assert_string_equal(hyperionGetLastError(),
                        "attach to model profiled: it has a profile already");
    run(bench);
    assert_false(hyperionProfileRun(profile, 1).valid);
    assert_string_equal(hyperionGetLastError(), "profile: run 1 of 1");
    assert_false(hyperionProfileStep(profile, 0, -1).valid);
    assert_false(hyperionProfileLayer(profile, 5).valid);
    assert_int_equal(hyperionProfileRunCount(NULL), 0);
    assert_int_equal(hyperionProfileStepCount(NULL), 0);
    assert_false(hyperionProfileMemory(NULL).valid);
    assert_false(hyperionClearProfile(NULL));
    hyperionFreeProfile(NULL);
    assert_true(hyp_model_begin_change(bench->model, "test"));
    hyperionFreeProfile(profile); // refused, or the lines below would read freed memory
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    assert_false(hyperionClearProfile(profile));
    hyp_model_end_change(bench->model);
    assert_int_equal(hyperionProfileRunCount(profile), 1);
    hyperionFreeProfile(profile);
}

static void profile_outlives_its_model(void **state)
{
    (void)state;
    HyperionModel *model = hyperionCreateModel("short");
    HyperionProfile *profile = hyperionCreateProfile(model, 1);
    assert_true(hyperionRunModel(model, NULL, NULL));
    hyperionFreeModel(model);
    assert_false(hyperionProfileMemory(profile).valid);
    assert_string_equal(hyperionGetLastError(), "profile: its model was freed");
    hyperionFreeProfile(profile);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(steps_follow_one_another_and_fill_the_run),
        TEST(layers_tell_bytes_and_the_activations_that_are_needed),
        TEST(it_keeps_the_last_runs_and_none_that_failed),
        TEST(loads_are_told_with_the_layer_they_were_for),
        TEST(reuse_is_told_and_whether_it_is_in_place),
        TEST(places_tell_from_which_step_to_which),
        TEST(wait_in_another_hook_is_no_time_of_the_layer),
        TEST(change_of_the_model_starts_anew),
        TEST(wrong_calls_say_what_is_wrong),
        TEST(profile_outlives_its_model),
    };
#undef TEST
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
