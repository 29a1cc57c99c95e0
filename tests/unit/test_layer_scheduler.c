// SPDX-License-Identifier: Apache-2.0
// test_layer_scheduler.c - passes by a layer scheduler: the same results to the bit, within the
// cap, in the memory that was estimated, with the layers run again that were planned.
#include "support/pass_support.h"

#include "support/skip_model.h"
#include "unit/small_builtins.h"

#include <stdio.h>

enum { CAPS = 6, SKIP_LEVELS = 3, SKIP_ELEMENTS = 512, SKIP_BYTES = 4 * SKIP_ELEMENTS };

static const HyperionLayerSchedulerConfig fast = {
    .enable_checkpointing = true, .memory_speed_tradeoff = 1, .recompute_activations = true};

static HyperionLayerScheduler *create(HyperionModel *model, HyperionLayerSchedulerConfig config)
{
    HyperionLayerScheduler *scheduler = hyperionCreateLayerScheduler(model, &config);
    if (!scheduler)
        fail_msg("%s", hyperionGetLastError());
    return scheduler;
}

static void set_cap(HyperionLayerScheduler *scheduler, size_t cap_bytes)
{
    HyperionLayerSchedulerConfig config = hyperionGetLayerSchedulerConfig(scheduler);
    config.max_activation_memory = cap_bytes;
    assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
}

static HyperionExecutionPlanInfo plan_info(HyperionLayerScheduler *scheduler,
                                           HyperionPassDirection direction)
{
    HyperionExecutionPlan *plan = hyperionCreatePassPlan(scheduler, direction);
    if (!plan)
        fail_msg("%s", hyperionGetLastError());
    const HyperionExecutionPlanInfo info = hyperionExecutionPlanInfo(plan);
    hyperionFreeExecutionPlan(plan);
    return info;
}

// What a pass did is what was planned and estimated.
static void check_pass(HyperionLayerScheduler *scheduler, HyperionPassDirection direction,
                       const HyperionExecutionPlanInfo *info)
{
    const HyperionPassStats stats = hyperionGetPassStats(scheduler);
    const HyperionMemoryEstimate estimate = hyperionEstimatePassMemory(scheduler, direction);
    const size_t cap_bytes = hyperionGetLayerSchedulerConfig(scheduler).max_activation_memory;
    assert_true(stats.valid && stats.complete && estimate.valid && info->valid);
    assert_int_equal(stats.direction, direction);
    assert_int_equal(stats.activation_peak_bytes, estimate.activations_peak_bytes);
    assert_int_equal(stats.activation_peak_bytes, info->activation_bytes);
    assert_int_equal(stats.live_peak_bytes, info->live_peak_bytes);
    assert_true(info->live_peak_bytes <= info->activation_bytes);
    assert_true(cap_bytes == 0 || stats.activation_peak_bytes <= cap_bytes);
    assert_int_equal(stats.recomputed_layers, info->recomputed_layers);
    assert_int_equal(stats.recomputed_layers, estimate.extra_forward_layers);
    assert_int_equal(stats.run_layers, info->run_layers);
    assert_int_equal(stats.spilled_bytes, info->spilled_bytes);
    assert_int_equal(stats.restored_bytes, info->restored_bytes);
    assert_true(estimate.lower_bound_bytes <= estimate.total_peak_bytes);
    assert_true(estimate.checkpoints_bytes <= estimate.activations_peak_bytes);
    assert_int_equal(estimate.total_peak_bytes, estimate.weights_bytes + estimate.workspace_bytes +
                                                    estimate.activations_peak_bytes);
    assert_true(estimate.proved_optimal == info->proved_optimal);
}

static void check_below_least(HyperionLayerScheduler *scheduler, size_t least_bytes, bool ran)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%zu bytes", least_bytes);
    assert_false(ran);
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    assert_non_null(strstr(hyperionGetLastError(), text));
    assert_null(hyperionCreateExecutionPlan(scheduler));
}

static void check_forward(HyperionModel *model, HyperionLayerScheduler *scheduler,
                          const PassTensors *in, const PassTensors *expected)
{
    const HyperionScheduleLimits limits =
        hyperionGetScheduleLimits(scheduler, HYPERION_PASS_FORWARD);
    PassTensors out = pass_make_outputs(model);
    double last_ns = 0;
    assert_true(limits.valid && limits.lower_bound_bytes <= limits.least_bytes);
    for (int i = CAPS; i >= 0; i--) {
        set_cap(scheduler, pass_cap(&limits, i, CAPS));
        const HyperionExecutionPlanInfo info = plan_info(scheduler, HYPERION_PASS_FORWARD);
        pass_clear(&out);
        if (!hyperionRunModel(model, in->of, out.of))
            fail_msg("%s", hyperionGetLastError());
        assert_true(pass_equal(&out, expected));
        check_pass(scheduler, HYPERION_PASS_FORWARD, &info);
        assert_true(info.predicted_ns >= last_ns);
        last_ns = info.predicted_ns;
    }
    if (limits.least_bytes > 1) {
        set_cap(scheduler, limits.least_bytes - 1);
        check_below_least(scheduler, limits.least_bytes, hyperionRunModel(model, in->of, out.of));
    }
    set_cap(scheduler, 0);
    pass_free_tensors(&out);
}

static void check_backward(HyperionModel *model, HyperionLayerScheduler *scheduler,
                           const PassTensors *in)
{
    const HyperionScheduleLimits limits =
        hyperionGetScheduleLimits(scheduler, HYPERION_PASS_BACKWARD);
    PassVisits all = pass_make_visits(model);
    PassVisits visits = pass_make_visits(model);
    double last_ns = 0;
    for (int i = CAPS; i >= 0; i--) {
        set_cap(scheduler, pass_cap(&limits, i, CAPS));
        const HyperionExecutionPlanInfo info = plan_info(scheduler, HYPERION_PASS_BACKWARD);
        PassVisits *made = i == CAPS ? &all : &visits;
        pass_clear_visits(made);
        if (!hyperionReplayBackward(scheduler, in->of, pass_visit, made))
            fail_msg("%s", hyperionGetLastError());
        check_pass(scheduler, HYPERION_PASS_BACKWARD, &info);
        assert_int_equal(made->count, info.run_layers);
        assert_memory_equal(made->seen, all.seen, (size_t)all.layer_count * sizeof *all.seen);
        assert_true(info.predicted_ns >= last_ns);
        last_ns = info.predicted_ns;
    }
    set_cap(scheduler, limits.least_bytes - 1);
    pass_clear_visits(&visits);
    assert_false(hyperionReplayBackward(scheduler, in->of, pass_visit, &visits));
    assert_int_equal(visits.count, 0);
    set_cap(scheduler, 0);
    free(all.seen);
    free(visits.seen);
}

static void check_model(HyperionModel *model)
{
    PassTensors in = pass_make_inputs(model);
    PassTensors expected = pass_make_outputs(model);
    assert_true(hyperionRunModel(model, in.of, expected.of));
    for (int recompute = 0; recompute < 2; recompute++) {
        HyperionLayerSchedulerConfig config = fast;
        config.recompute_activations = recompute;
        HyperionLayerScheduler *scheduler = create(model, config);
        check_forward(model, scheduler, &in, &expected);
        check_backward(model, scheduler, &in);
        check_forward(model, scheduler, &in, &expected); // after a replay as before it
        hyperionFreeLayerScheduler(scheduler);
    }
    pass_free_tensors(&in);
    pass_free_tensors(&expected);
}

static void passes_keep_within_any_cap_and_change_no_result(void **state)
{
    (void)state;
    for (size_t i = 0; i < SMALL_BUILTIN_COUNT; i++) {
        HyperionModel *model = hyperionLoadModel(small_builtins[i]);
        assert_non_null(model);
        check_model(model);
        hyperionFreeModel(model);
    }
    HyperionModel *model = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    assert_non_null(model);
    check_model(model);
    hyperionFreeModel(model);
}

// The layer behind the middle reads it and makes one more result; beside them skips are kept or
// not.
static void skips_are_recomputed_or_spilled_or_stored(void **state)
{
    (void)state;
    HyperionModel *model = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    HyperionLayerScheduler *scheduler = create(model, fast);
    HyperionScheduleLimits limits = hyperionGetScheduleLimits(scheduler, HYPERION_PASS_FORWARD);
    assert_int_equal(limits.lower_bound_bytes, (SKIP_MODEL_WIDTH + 1) * SKIP_BYTES);
    assert_int_equal(limits.least_bytes, limits.lower_bound_bytes);
    assert_int_equal(limits.store_all_bytes, (SKIP_MODEL_WIDTH + 1 + SKIP_LEVELS) * SKIP_BYTES);
    assert_int_equal(limits.most_bytes, limits.store_all_bytes);
    assert_true(limits.order_proved && !limits.measured);
    set_cap(scheduler, limits.least_bytes);
    HyperionExecutionPlanInfo info = plan_info(scheduler, HYPERION_PASS_FORWARD);
    assert_true(info.recomputed_layers > 0 && !info.proved_optimal);
    assert_true(info.predicted_ns > info.forward_ns);
    set_cap(scheduler, limits.store_all_bytes);
    info = plan_info(scheduler, HYPERION_PASS_FORWARD);
    assert_true(info.recomputed_layers == 0 && info.spilled_bytes == 0 && info.proved_optimal);
    // Without recomputing, the same goes to disk.
    HyperionLayerSchedulerConfig config = fast;
    config.recompute_activations = false;
    config.max_activation_memory = limits.least_bytes;
    assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
    info = plan_info(scheduler, HYPERION_PASS_FORWARD);
    assert_true(info.recomputed_layers == 0);
    assert_int_equal(info.spilled_bytes, SKIP_LEVELS * SKIP_BYTES);
    assert_int_equal(info.restored_bytes, SKIP_LEVELS * SKIP_BYTES);
    // Without checkpointing all is kept, and less memory is refused.
    config.enable_checkpointing = false;
    assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
    limits = hyperionGetScheduleLimits(scheduler, HYPERION_PASS_FORWARD);
    assert_int_equal(limits.least_bytes, limits.store_all_bytes);
    assert_null(hyperionCreateExecutionPlan(scheduler));
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

// How many steps of that kind the plan has for the layer.
static int count_steps(HyperionLayerScheduler *scheduler, HyperionPassDirection direction,
                       int layer, HyperionStepOp op)
{
    HyperionExecutionPlan *plan = hyperionCreatePassPlan(scheduler, direction);
    int count = 0;
    assert_non_null(plan);
    for (int i = 0; i < hyperionExecutionPlanStepCount(plan); i++) {
        const HyperionExecutionStep step = hyperionExecutionPlanStep(plan, i);
        assert_true(step.valid);
        count += step.layer == layer && step.op == op;
    }
    hyperionFreeExecutionPlan(plan);
    return count;
}

static void run_both_ways(HyperionModel *model, HyperionLayerScheduler *scheduler)
{
    PassTensors in = pass_make_inputs(model);
    PassTensors out = pass_make_outputs(model);
    PassTensors expected = pass_make_outputs(model);
    HyperionModel *plain = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    assert_true(hyperionRunModel(plain, in.of, expected.of));
    assert_true(hyperionRunModel(model, in.of, out.of));
    assert_true(pass_equal(&out, &expected));
    PassVisits visits = pass_make_visits(model);
    assert_true(hyperionReplayBackward(scheduler, in.of, pass_visit, &visits));
    free(visits.seen);
    hyperionFreeModel(plain);
    pass_free_tensors(&in);
    pass_free_tensors(&out);
    pass_free_tensors(&expected);
}

static void strategies_of_layers_are_respected(void **state)
{
    (void)state;
    enum { DOWN0 = 0, DOWN1 = 1, DOWN2 = 2 };
    HyperionModel *model = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    HyperionLayerScheduler *scheduler = create(model, fast);
    assert_true(hyperionSetLayerCheckpointingStrategy(scheduler, DOWN0, HYPERION_CHECKPOINT_SPILL));
    assert_true(
        hyperionSetLayerCheckpointingStrategy(scheduler, DOWN1, HYPERION_CHECKPOINT_RECOMPUTE));
    assert_true(hyperionSetLayerCheckpointingStrategy(scheduler, DOWN2, HYPERION_CHECKPOINT_STORE));
    assert_int_equal(hyperionGetLayerCheckpointingStrategy(scheduler, DOWN0),
                     HYPERION_CHECKPOINT_SPILL);
    for (int i = 0; i < 2; i++) {
        const HyperionPassDirection direction = (HyperionPassDirection)i;
        assert_true(count_steps(scheduler, direction, DOWN0, HYPERION_STEP_SPILL) == 1);
        assert_true(count_steps(scheduler, direction, DOWN0, HYPERION_STEP_RESTORE) > 0);
        assert_true(count_steps(scheduler, direction, DOWN0, HYPERION_STEP_RECOMPUTE) == 0);
        assert_true(count_steps(scheduler, direction, DOWN1, HYPERION_STEP_RECOMPUTE) > 0);
        assert_true(count_steps(scheduler, direction, DOWN1, HYPERION_STEP_SPILL) == 0);
        assert_true(count_steps(scheduler, direction, DOWN2, HYPERION_STEP_RECOMPUTE) == 0);
        assert_true(count_steps(scheduler, direction, DOWN2, HYPERION_STEP_SPILL) == 0);
    }
    run_both_ways(model, scheduler);
    // At the least memory too.
    HyperionLayerSchedulerConfig config = fast;
    config.memory_speed_tradeoff = 0;
    assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
    assert_true(count_steps(scheduler, HYPERION_PASS_FORWARD, DOWN2, HYPERION_STEP_RECOMPUTE) == 0);
    run_both_ways(model, scheduler);
    for (int strategy = 0; strategy <= HYPERION_CHECKPOINT_SPILL; strategy++) {
        for (int i = 0; i < hyperionModelLayerCount(model); i++)
            assert_true(hyperionSetLayerCheckpointingStrategy(
                scheduler, i, (HyperionCheckpointStrategy)strategy));
        run_both_ways(model, scheduler);
    }
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

static void the_dial_walks_from_least_memory_to_least_time(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:transformer:layers=4,hidden=32,seq=64");
    HyperionLayerSchedulerConfig config = fast;
    HyperionLayerScheduler *scheduler = create(model, config);
    size_t last_bytes = 0;
    double last_ns = 0;
    const HyperionScheduleLimits limits =
        hyperionGetScheduleLimits(scheduler, HYPERION_PASS_BACKWARD);
    for (int i = 0; i <= 10; i++) {
        config.memory_speed_tradeoff = (float)i / 10;
        assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
        const HyperionExecutionPlanInfo info = plan_info(scheduler, HYPERION_PASS_BACKWARD);
        assert_true(info.activation_bytes >= last_bytes);
        assert_true(i == 0 || info.predicted_ns <= last_ns);
        last_bytes = info.activation_bytes;
        last_ns = info.predicted_ns;
        if (i == 0)
            assert_int_equal(info.activation_bytes, limits.least_bytes);
    }
    assert_int_equal(last_bytes, limits.most_bytes);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

// A node with two branches of which the one that the model has first needs more when it runs first.
static HyperionModel *make_branches(void)
{
    HyperionModel *model = hyperionCreateModel("branches");
    const HyperionLayerAttributes widen = {.rank = 2, .dims = {16, 64}};
    const HyperionLayerAttributes mean = {.axis_count = 1, .axes = {0}, .keep_dims = true};
    const HyperionLayerAttributes add = {.binary = HYPERION_BINARY_ADD};
    int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){1, 64});
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

static void layers_run_in_the_order_of_least_memory(void **state)
{
    (void)state;
    enum { WIDE_BYTES = 16 * 64 * 4, THIN_BYTES = 64 * 4 };
    HyperionModel *model = make_branches();
    HyperionLayerScheduler *scheduler = create(model, fast);
    assert_int_equal(hyperionGetScheduleOrder(scheduler), HYPERION_ORDER_LEAST_MEMORY);
    HyperionScheduleLimits limits = hyperionGetScheduleLimits(scheduler, HYPERION_PASS_FORWARD);
    assert_int_equal(limits.store_all_bytes, WIDE_BYTES + 2 * THIN_BYTES);
    assert_true(limits.order_proved);
    assert_true(hyperionSetScheduleOrder(scheduler, HYPERION_ORDER_GIVEN));
    limits = hyperionGetScheduleLimits(scheduler, HYPERION_PASS_FORWARD);
    assert_int_equal(limits.store_all_bytes, 2 * WIDE_BYTES + THIN_BYTES);
    assert_false(limits.order_proved);
    assert_false(hyperionSetScheduleOrder(scheduler, (HyperionScheduleOrder)2));
    assert_int_equal(hyperionGetScheduleOrder(scheduler), HYPERION_ORDER_GIVEN);
    hyperionFreeLayerScheduler(scheduler);
    check_model(model);
    hyperionFreeModel(model);
}

static void plans_are_made_by_times_of_runs_when_asked(void **state)
{
    (void)state;
    HyperionModel *model = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    HyperionLayerScheduler *scheduler = create(model, fast);
    PassTensors in = pass_make_inputs(model);
    PassTensors out = pass_make_outputs(model);
    assert_false(hyperionUseMeasuredLayerTimes(scheduler));
    assert_non_null(strstr(hyperionGetLastError(), "has not run"));
    assert_true(hyperionRunModel(model, in.of, out.of));
    set_cap(scheduler, 0); // what was measured stays known
    assert_true(hyperionUseMeasuredLayerTimes(scheduler));
    const HyperionScheduleLimits limits =
        hyperionGetScheduleLimits(scheduler, HYPERION_PASS_FORWARD);
    assert_true(limits.measured && limits.store_all_ns > 0);
    assert_true(hyperionSetThreadCount(model, 2));
    assert_false(hyperionUseMeasuredLayerTimes(scheduler)); // they were of another number
    hyperionFreeLayerScheduler(scheduler);
    pass_free_tensors(&in);
    pass_free_tensors(&out);
    hyperionFreeModel(model);
}

static void a_plan_is_a_copy_that_can_be_saved(void **state)
{
    (void)state;
    static const char path[] = HYPERION_BINARY_DIR "/test_layer_scheduler.json";
    HyperionModel *model = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    HyperionLayerScheduler *scheduler = create(model, fast);
    HyperionExecutionPlan *plan = hyperionCreatePassPlan(scheduler, HYPERION_PASS_BACKWARD);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
    const int count = hyperionExecutionPlanStepCount(plan);
    assert_true(count > 0 && !hyperionExecutionPlanStep(plan, count).valid &&
                !hyperionExecutionPlanStep(plan, -1).valid);
    assert_true(hyperionSaveExecutionPlan(plan, path));
    assert_false(hyperionSaveExecutionPlan(plan, "/nowhere/plan.json"));
    hyperionFreeExecutionPlan(plan);
    FILE *file = fopen(path, "r");
    char text[256] = "";
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    assert_non_null(strstr(text, "\"model\":\"skips\",\"direction\":\"backward\""));
    assert_int_equal(remove(path), 0);
    assert_string_equal(hyperionStepOpName(HYPERION_STEP_RESTORE), "restore");
    assert_string_equal(hyperionStepOpName(HYPERION_STEP_OP_COUNT), "");
}

static void replays_stop_where_the_callback_says_so(void **state)
{
    (void)state;
    HyperionModel *model = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    HyperionLayerScheduler *scheduler = create(model, fast);
    PassTensors in = pass_make_inputs(model);
    PassVisits visits = pass_make_visits(model);
    visits.stop_after = 4;
    assert_false(hyperionReplayBackward(scheduler, in.of, pass_visit, &visits));
    assert_int_equal(visits.count, 4);
    assert_non_null(strstr(hyperionGetLastError(), "'up2'"));
    assert_false(hyperionGetPassStats(scheduler).complete);
    assert_false(hyperionReplayBackward(scheduler, in.of, NULL, NULL));
    assert_false(hyperionReplayBackward(scheduler, NULL, pass_visit, &visits));
    HyperionTensor *wrong = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){3});
    assert_false(hyperionReplayBackward(scheduler, &wrong, pass_visit, &visits));
    assert_non_null(strstr(hyperionGetLastError(), "replay model skips: input 0, 'x', is"));
    hyperionFreeTensor(wrong);
    free(visits.seen);
    pass_free_tensors(&in);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    HyperionModel *model = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    HyperionLayerSchedulerConfig bad = fast;
    assert_null(hyperionCreateLayerScheduler(NULL, &fast));
    assert_null(hyperionCreateLayerScheduler(model, NULL));
    bad.memory_speed_tradeoff = 1.5F;
    assert_null(hyperionCreateLayerScheduler(model, &bad));
    HyperionLayerScheduler *scheduler = create(model, fast);
    assert_null(hyperionCreateLayerScheduler(model, &fast));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    assert_false(hyperionSetLayerSchedulerConfig(scheduler, &bad));
    assert_false(hyperionSetLayerSchedulerConfig(scheduler, NULL));
    assert_false(hyperionSetLayerCheckpointingStrategy(scheduler, -1, HYPERION_CHECKPOINT_AUTO));
    assert_false(
        hyperionSetLayerCheckpointingStrategy(scheduler, 0, HYPERION_CHECKPOINT_SPILL + 1));
    assert_false(hyperionGetScheduleLimits(scheduler, 2).valid);
    assert_null(hyperionCreatePassPlan(scheduler, 2));
    assert_false(hyperionEstimatePassMemory(scheduler, 2).valid);
    assert_false(hyperionGetPassStats(scheduler).valid);
    hyperionFreeModel(model); // first; the scheduler says so from now on
    assert_null(hyperionCreateExecutionPlan(scheduler));
    assert_non_null(strstr(hyperionGetLastError(), "the model was freed"));
    assert_false(hyperionSetSpillFolder(scheduler, "/tmp"));
    assert_false(hyperionUseMeasuredLayerTimes(scheduler));
    assert_false(hyperionAbandonPass(scheduler));
    hyperionFreeLayerScheduler(scheduler);
    assert_false(hyperionSetSpillFolder(NULL, NULL));
    assert_false(hyperionSetScheduleOrder(NULL, HYPERION_ORDER_GIVEN));
    assert_false(hyperionEstimateMemoryUsage(NULL).valid);
    assert_false(hyperionGetPassStats(NULL).valid);
    assert_false(hyperionExecutionPlanInfo(NULL).valid);
    assert_false(hyperionExecutionPlanStep(NULL, 0).valid);
    assert_int_equal(hyperionExecutionPlanStepCount(NULL), 0);
    assert_false(hyperionSaveExecutionPlan(NULL, "x"));
    assert_false(hyperionReplayBackward(NULL, NULL, pass_visit, NULL));
}

static void spilling_where_nothing_can_be_written_fails_the_run(void **state)
{
    (void)state;
    HyperionModel *model = skip_model_create(SKIP_LEVELS, SKIP_ELEMENTS);
    HyperionLayerScheduler *scheduler = create(model, fast);
    PassTensors in = pass_make_inputs(model);
    PassTensors out = pass_make_outputs(model);
    assert_true(hyperionSetLayerCheckpointingStrategy(scheduler, 0, HYPERION_CHECKPOINT_SPILL));
    assert_true(hyperionSetSpillFolder(scheduler, "/nowhere"));
    assert_false(hyperionRunModel(model, in.of, out.of));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    assert_non_null(strstr(hyperionGetLastError(), "/nowhere"));
    assert_true(hyperionSetSpillFolder(scheduler, HYPERION_BINARY_DIR));
    assert_true(hyperionRunModel(model, in.of, out.of));
    hyperionFreeLayerScheduler(scheduler);
    pass_free_tensors(&in);
    pass_free_tensors(&out);
    hyperionFreeModel(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_keep_within_any_cap_and_change_no_result),
        cmocka_unit_test(skips_are_recomputed_or_spilled_or_stored),
        cmocka_unit_test(strategies_of_layers_are_respected),
        cmocka_unit_test(the_dial_walks_from_least_memory_to_least_time),
        cmocka_unit_test(layers_run_in_the_order_of_least_memory),
        cmocka_unit_test(plans_are_made_by_times_of_runs_when_asked),
        cmocka_unit_test(a_plan_is_a_copy_that_can_be_saved),
        cmocka_unit_test(replays_stop_where_the_callback_says_so),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(spilling_where_nothing_can_be_written_fails_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
