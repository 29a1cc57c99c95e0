// SPDX-License-Identifier: Apache-2.0
// test_layer_passes.c - passes that the caller runs layer by layer, and with a memory optimizer and
// a loader attached to the same model.
#include "support/pass_support.h"

#include "support/skip_model.h"
#include "unit/small_builtins.h"

#include <stdio.h>
#include <string.h>

static const HyperionLayerSchedulerConfig least = {.enable_checkpointing = true,
                                                   .recompute_activations = true};

// A large model with optimizer or loader alone, too; usually with both.
static bool all;

static HyperionLayerScheduler *create(HyperionModel *model)
{
    HyperionLayerScheduler *scheduler = hyperionCreateLayerScheduler(model, &least);
    if (!scheduler)
        fail_msg("%s", hyperionGetLastError());
    return scheduler;
}

static void expect_refusal(bool executed, const char *text)
{
    assert_false(executed);
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    if (!strstr(hyperionGetLastError(), text))
        fail_msg("expected \"%s\" in: %s", text, hyperionGetLastError());
}

static bool execute(HyperionLayerScheduler *scheduler, int layer, const PassTensors *in,
                    const PassTensors *out)
{
    return hyperionExecuteLayerWithMemoryOptimization(scheduler, layer, in->of[0], out->of[0]);
}

static void run_layers(HyperionModel *model, HyperionLayerScheduler *scheduler,
                       const PassTensors *in, const PassTensors *out)
{
    for (int i = 0; i < hyperionModelLayerCount(model); i++)
        if (!execute(scheduler, i, in, out))
            fail_msg("layer %d: %s", i, hyperionGetLastError());
    assert_true(hyperionGetPassStats(scheduler).complete);
}

static void layers_in_the_models_order_make_a_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < SMALL_BUILTIN_COUNT; i++) {
        HyperionModel *model = hyperionLoadModel(small_builtins[i]);
        PassTensors in = pass_make_inputs(model);
        PassTensors out = pass_make_outputs(model);
        PassTensors expected = pass_make_outputs(model);
        assert_true(hyperionRunModel(model, in.of, expected.of));
        HyperionLayerScheduler *scheduler = create(model);
        for (int pass = 0; in.count == 1 && out.count == 1 && pass < 2; pass++) {
            pass_clear(&out);
            run_layers(model, scheduler, &in, &out);
            assert_true(pass_equal(&out, &expected));
        }
        hyperionFreeLayerScheduler(scheduler);
        pass_free_tensors(&in);
        pass_free_tensors(&out);
        pass_free_tensors(&expected);
        hyperionFreeModel(model);
    }
}

// a - wide_a - thin_a \ sum - out
//   \ wide_b - thin_b /   where the model has both wide ones first
enum { A, WIDE_A, WIDE_B, THIN_A, THIN_B, SUM, OUT, LAYERS };

static HyperionModel *make_branches(void)
{
    HyperionModel *model = hyperionCreateModel("branches");
    const HyperionLayerAttributes widen = {.rank = 2, .dims = {16, 64}};
    const HyperionLayerAttributes mean = {.axis_count = 1, .axes = {0}, .keep_dims = true};
    const HyperionLayerAttributes add = {.binary = HYPERION_BINARY_ADD};
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){1, 64});
    const int a = skip_model_gelu(model, "a", x);
    const int wide_a = hyperionAddLayer(model, "wide_a", HYPERION_LAYER_EXPAND, &widen, &a, 1);
    const int wide_b = hyperionAddLayer(model, "wide_b", HYPERION_LAYER_EXPAND, &widen, &a, 1);
    const int thin_a = hyperionAddLayer(model, "thin_a", HYPERION_LAYER_REDUCE, &mean, &wide_a, 1);
    const int thin_b = hyperionAddLayer(model, "thin_b", HYPERION_LAYER_REDUCE, &mean, &wide_b, 1);
    const int sum =
        hyperionAddLayer(model, "sum", HYPERION_LAYER_BINARY, &add, (int[]){thin_a, thin_b}, 2);
    assert_true(hyperionAddOutput(model, skip_model_gelu(model, "out", sum)));
    return model;
}

static void calls_come_in_the_models_order_or_the_plans(void **state)
{
    (void)state;
    static const int orders[][LAYERS] = {{A, WIDE_A, WIDE_B, THIN_A, THIN_B, SUM, OUT},
                                         {A, WIDE_A, THIN_A, WIDE_B, THIN_B, SUM, OUT}};
    HyperionModel *model = make_branches();
    PassTensors in = pass_make_inputs(model);
    PassTensors out = pass_make_outputs(model);
    PassTensors expected = pass_make_outputs(model);
    assert_true(hyperionRunModel(model, in.of, expected.of));
    HyperionLayerScheduler *scheduler = create(model);
    for (size_t order = 0; order < 2; order++) {
        pass_clear(&out);
        for (int i = 0; i < LAYERS; i++)
            if (!execute(scheduler, orders[order][i], &in, &out))
                fail_msg("%s", hyperionGetLastError());
        assert_true(pass_equal(&out, &expected) && hyperionGetPassStats(scheduler).complete);
    }
    expect_refusal(execute(scheduler, SUM, &in, &out), "layer 0, 'a', must run first");
    assert_true(execute(scheduler, A, &in, &out));
    expect_refusal(execute(scheduler, A, &in, &out), "'a', has run in this pass");
    expect_refusal(execute(scheduler, OUT, &in, &out), "must run first");
    expect_refusal(execute(scheduler, LAYERS, &in, &out), "layer 7 of 7");
    expect_refusal(execute(scheduler, -1, &in, &out), "layer -1 of 7");
    assert_true(hyperionAbandonPass(scheduler));
    assert_false(hyperionGetPassStats(scheduler).complete);
    run_layers(model, scheduler, &in, &out);
    assert_true(pass_equal(&out, &expected));
    assert_true(hyperionAbandonPass(scheduler)); // there is none
    hyperionFreeLayerScheduler(scheduler);
    pass_free_tensors(&in);
    pass_free_tensors(&out);
    pass_free_tensors(&expected);
    hyperionFreeModel(model);
}

static void tensors_are_needed_where_layers_use_them_and_must_fit(void **state)
{
    (void)state;
    HyperionModel *model = make_branches();
    HyperionLayerScheduler *scheduler = create(model);
    PassTensors in = pass_make_inputs(model);
    PassTensors out = pass_make_outputs(model);
    PassTensors expected = pass_make_outputs(model);
    HyperionTensor *wrong = hyperionCreateTensor(HYPERION_TYPE_I32, 2, (int64_t[]){2, 3});
    expect_refusal(hyperionExecuteLayerWithMemoryOptimization(scheduler, A, NULL, NULL),
                   "execute layer a: input 0, 'x', is NULL");
    expect_refusal(hyperionExecuteLayerWithMemoryOptimization(scheduler, A, wrong, NULL),
                   "execute layer a: input 0, 'x', is 1x64 f32, given 2x3 i32");
    assert_true(hyperionExecuteLayerWithMemoryOptimization(scheduler, A, in.of[0], NULL));
    for (int i = WIDE_A; i <= SUM; i++)
        assert_true(hyperionExecuteLayerWithMemoryOptimization(scheduler, i, NULL, NULL));
    expect_refusal(hyperionExecuteLayerWithMemoryOptimization(scheduler, OUT, NULL, NULL),
                   "execute layer out: output 0, 'out', is NULL");
    expect_refusal(hyperionExecuteLayerWithMemoryOptimization(scheduler, OUT, NULL, wrong),
                   "execute layer out: output 0, 'out', is 1x64 f32, given 2x3 i32");
    expect_refusal(hyperionExecuteLayerWithMemoryOptimization(scheduler, OUT, out.of[0], out.of[0]),
                   "share memory");
    assert_true(hyperionExecuteLayerWithMemoryOptimization(scheduler, OUT, NULL, out.of[0]));
    assert_true(hyperionRunModel(model, in.of, expected.of));
    assert_true(pass_equal(&out, &expected));
    expect_refusal(hyperionExecuteLayerWithMemoryOptimization(NULL, 0, NULL, NULL), "is NULL");
    hyperionFreeTensor(wrong);
    hyperionFreeLayerScheduler(scheduler);
    pass_free_tensors(&in);
    pass_free_tensors(&out);
    pass_free_tensors(&expected);
    hyperionFreeModel(model);
}

// Other runs and changes of the model end a pass; the next call begins another one.
static void a_pass_ends_before_its_time(void **state)
{
    (void)state;
    HyperionModel *model = make_branches();
    HyperionLayerScheduler *scheduler = create(model);
    PassTensors in = pass_make_inputs(model);
    PassTensors out = pass_make_outputs(model);
    PassVisits visits = pass_make_visits(model);
    for (int way = 0; way < 3; way++) {
        assert_true(execute(scheduler, A, &in, &out));
        if (way == 0)
            assert_true(hyperionRunModel(model, in.of, out.of));
        else if (way == 1)
            assert_true(hyperionReplayBackward(scheduler, in.of, pass_visit, &visits));
        else
            assert_true(hyperionSetThreadCount(model, 2));
        expect_refusal(execute(scheduler, WIDE_A, &in, &out), "'a', must run first");
    }
    run_layers(model, scheduler, &in, &out);
    assert_true(execute(scheduler, A, &in, &out));
    hyperionFreeLayerScheduler(scheduler); // in the middle of a pass
    scheduler = create(model);
    assert_true(execute(scheduler, A, &in, &out));
    hyperionFreeModel(model); // and likewise
    assert_false(hyperionGetPassStats(scheduler).complete);
    hyperionFreeLayerScheduler(scheduler);
    free(visits.seen);
    pass_free_tensors(&in);
    pass_free_tensors(&out);
}

static void outputs_that_no_layer_writes_are_refused(void **state)
{
    (void)state;
    HyperionModel *model = hyperionCreateModel("through");
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, (int64_t[]){4});
    assert_true(hyperionAddOutput(model, skip_model_gelu(model, "y", x)));
    assert_true(hyperionAddOutput(model, x));
    HyperionLayerScheduler *scheduler = create(model);
    PassTensors in = pass_make_inputs(model);
    PassTensors out = pass_make_outputs(model);
    expect_refusal(execute(scheduler, 0, &in, &out), "output 1, 'x'");
    assert_true(hyperionRunModel(model, in.of, out.of));
    hyperionFreeLayerScheduler(scheduler);
    pass_free_tensors(&in);
    pass_free_tensors(&out);
    hyperionFreeModel(model);
}

// What is attached beside the scheduler.
typedef struct Others {
    HyperionMemoryOptimizer *optimizer;
    HyperionProgressiveLoader *loader;
} Others;

static Others attach_others(HyperionModel *model, bool with_optimizer, bool with_loader)
{
    Others others = {NULL, NULL};
    if (with_loader) {
        const HyperionProgressiveLoaderConfig config = {.enable_prefetch = true,
                                                        .prefetch_window = 2};
        others.loader = hyperionCreateProgressiveLoader(&config);
        if (!others.loader || !hyperionAttachModel(others.loader, model))
            fail_msg("%s", hyperionGetLastError());
    }
    if (with_optimizer) {
        const HyperionMemoryOptimizerConfig config = {
            .enable_tensor_reuse = true, .enable_in_place_ops = true, .memory_speed_tradeoff = 1};
        others.optimizer = hyperionCreateMemoryOptimizer(&config);
        if (!others.optimizer || !hyperionOptimizeMemoryUsage(others.optimizer, model, 0))
            fail_msg("%s", hyperionGetLastError());
    }
    return others;
}

static void check_together(HyperionModel *model, HyperionLayerScheduler *scheduler,
                           const PassTensors *in, const PassTensors *expected)
{
    const HyperionPassDirection both[] = {HYPERION_PASS_FORWARD, HYPERION_PASS_BACKWARD};
    PassTensors out = pass_make_outputs(model);
    PassVisits visits = pass_make_visits(model);
    for (int step = 0; step <= 2; step++) {
        HyperionLayerSchedulerConfig config = least;
        config.memory_speed_tradeoff = (float)step / 2;
        assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
        size_t estimated_bytes[2];
        for (int i = 0; i < 2; i++) {
            const HyperionMemoryEstimate estimate = hyperionEstimatePassMemory(scheduler, both[i]);
            assert_true(estimate.valid);
            estimated_bytes[i] = estimate.activations_peak_bytes;
        }
        pass_clear(&out);
        assert_true(hyperionRunModel(model, in->of, out.of));
        assert_true(pass_equal(&out, expected));
        assert_int_equal(hyperionGetPassStats(scheduler).activation_peak_bytes, estimated_bytes[0]);
        pass_clear_visits(&visits);
        assert_true(hyperionReplayBackward(scheduler, in->of, pass_visit, &visits));
        assert_int_equal(hyperionGetPassStats(scheduler).activation_peak_bytes, estimated_bytes[1]);
        pass_clear(&out);
        run_layers(model, scheduler, in, &out);
        assert_true(pass_equal(&out, expected));
    }
    free(visits.seen);
    pass_free_tensors(&out);
}

static void optimizer_loader_and_scheduler_work_together(void **state)
{
    (void)state;
    static const char path[] = HYPERION_BINARY_DIR "/test_layer_passes.stream";
    static const char *const models[] = {"builtin:cnn:image=8,channels=4,stages=2",
                                         "builtin:transformer:seq=8,hidden=16,heads=2,layers=3",
                                         "builtin:densenet121:image=33,growth=2,classes=7"};
    enum { WITH_ANY_MODELS = 2 };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        HyperionModel *built_in = hyperionLoadModel(models[i]);
        assert_true(hyperionSaveModel(built_in, path));
        PassTensors in = pass_make_inputs(built_in);
        PassTensors expected = pass_make_outputs(built_in);
        assert_true(hyperionRunModel(built_in, in.of, expected.of));
        hyperionFreeModel(built_in);
        // Both orders of attaching and freeing.
        for (int with = 0; with < 8; with++) {
            if (i >= WITH_ANY_MODELS && !all && (with & 3) != 3)
                continue;
            HyperionModel *model = hyperionLoadModel(path);
            HyperionLayerScheduler *scheduler = with & 4 ? create(model) : NULL;
            const Others others = attach_others(model, with & 1, with & 2);
            scheduler = scheduler ? scheduler : create(model);
            check_together(model, scheduler, &in, &expected);
            if (with & 4)
                hyperionFreeLayerScheduler(scheduler);
            hyperionFreeMemoryOptimizer(others.optimizer);
            hyperionFreeProgressiveLoader(others.loader);
            hyperionFreeModel(model);
            if (!(with & 4))
                hyperionFreeLayerScheduler(scheduler);
        }
        pass_free_tensors(&in);
        pass_free_tensors(&expected);
    }
    assert_int_equal(remove(path), 0);
}

// Where the optimizer finds lower places for a run that moves nothing, they are taken.
static void the_lower_places_of_optimizer_and_scheduler_are_taken(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:densenet121:image=33,growth=2,classes=7");
    HyperionLayerSchedulerConfig config = least;
    config.memory_speed_tradeoff = 1;
    config.enable_checkpointing = false;
    HyperionLayerScheduler *scheduler = hyperionCreateLayerScheduler(model, &config);
    const size_t alone_bytes = hyperionEstimateMemoryUsage(scheduler).activations_peak_bytes;
    const Others others = attach_others(model, true, false);
    const size_t together_bytes = hyperionEstimateMemoryUsage(scheduler).activations_peak_bytes;
    assert_true(together_bytes <= alone_bytes);
    assert_int_equal(hyperionGetMemoryPlan(others.optimizer).activation_bytes, together_bytes);
    hyperionFreeMemoryOptimizer(others.optimizer);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

int main(int argc, char **argv)
{
    all = argc == 2 && strcmp(argv[1], "all") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_in_the_models_order_make_a_pass),
        cmocka_unit_test(calls_come_in_the_models_order_or_the_plans),
        cmocka_unit_test(tensors_are_needed_where_layers_use_them_and_must_fit),
        cmocka_unit_test(a_pass_ends_before_its_time),
        cmocka_unit_test(outputs_that_no_layer_writes_are_refused),
        cmocka_unit_test(optimizer_loader_and_scheduler_work_together),
        cmocka_unit_test(the_lower_places_of_optimizer_and_scheduler_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
