// SPDX-License-Identifier: Apache-2.0
// test_scheduler_allocation.c - what the library allocates for passes with a layer scheduler: as
// many bytes as were estimated, counted where it asks the system for them; and the n-th allocation
// fails, for every n.
#include "support/pass_support.h"

#include "platform/platform.h"
#include "support/counted_allocations.h"
#include "support/skip_model.h"

#include <stdio.h>

static const HyperionLayerSchedulerConfig fast = {
    .enable_checkpointing = true, .memory_speed_tradeoff = 1, .recompute_activations = true};

static void check_pass(const char *name, HyperionPassDirection direction, int step, int steps)
{
    HyperionModel *model = hyperionLoadModel(name);
    HyperionLayerScheduler *scheduler = hyperionCreateLayerScheduler(model, &fast);
    PassTensors in = pass_make_inputs(model);
    PassTensors out = pass_make_outputs(model);
    PassVisits visits = pass_make_visits(model);
    const HyperionScheduleLimits limits = hyperionGetScheduleLimits(scheduler, direction);
    HyperionLayerSchedulerConfig config = fast;
    config.max_activation_memory = pass_cap(&limits, step, steps);
    assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
    const HyperionMemoryEstimate estimate = hyperionEstimatePassMemory(scheduler, direction);
    const size_t before_bytes = held_bytes;
    peak_bytes = held_bytes;
    const bool ran = direction == HYPERION_PASS_FORWARD
                         ? hyperionRunModel(model, in.of, out.of)
                         : hyperionReplayBackward(scheduler, in.of, pass_visit, &visits);
    if (!ran)
        fail_msg("%s: %s", name, hyperionGetLastError());
    assert_int_equal(peak_bytes - before_bytes, estimate.total_peak_bytes);
    free(visits.seen);
    pass_free_tensors(&in);
    pass_free_tensors(&out);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

static void passes_allocate_what_was_estimated(void **state)
{
    (void)state;
    enum { STEPS = 4 };
    static const char *const models[] = {
        "builtin:mlp:hidden=64,batch=8", "builtin:cnn:image=32", "builtin:transformer:layers=4",
        "builtin:unet:image=28,width=4,depth=1", "builtin:resnet18:image=64,width=16"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (int step = 0; step <= STEPS; step++) {
            check_pass(models[i], HYPERION_PASS_FORWARD, step, STEPS);
            check_pass(models[i], HYPERION_PASS_BACKWARD, step, STEPS);
        }
}

static bool accept_visit(void *user_data, const HyperionLayerVisit *visit)
{
    (void)user_data;
    return visit->output != NULL;
}

static bool run_layers(HyperionModel *model, HyperionLayerScheduler *scheduler,
                       HyperionTensor *input, HyperionTensor *output)
{
    for (int i = 0; i < hyperionModelLayerCount(model); i++)
        if (!hyperionExecuteLayerWithMemoryOptimization(scheduler, i, input, output))
            return false;
    return true;
}

static bool save_plan(HyperionLayerScheduler *scheduler)
{
    static const char path[] = HYPERION_BINARY_DIR "/test_scheduler_allocation.json";
    HyperionExecutionPlan *plan = hyperionCreatePassPlan(scheduler, HYPERION_PASS_BACKWARD);
    const bool saved = plan && hyperionSaveExecutionPlan(plan, path);
    hyperionFreeExecutionPlan(plan);
    (void)remove(path);
    return saved;
}

static bool use_scheduler(HyperionModel *model, HyperionLayerScheduler *scheduler,
                          HyperionTensor *input, HyperionTensor *output)
{
    const HyperionCheckpointStrategy spill = HYPERION_CHECKPOINT_SPILL;
    const HyperionCheckpointStrategy recompute = HYPERION_CHECKPOINT_RECOMPUTE;
    return hyperionSetLayerCheckpointingStrategy(scheduler, 0, spill) &&
           hyperionSetLayerCheckpointingStrategy(scheduler, 1, recompute) &&
           hyperionEstimateMemoryUsage(scheduler).valid &&
           hyperionRunModel(model, &input, &output) && hyperionUseMeasuredLayerTimes(scheduler) &&
           hyperionReplayBackward(scheduler, &input, accept_visit, NULL) &&
           run_layers(model, scheduler, input, output) && save_plan(scheduler) &&
           hyperionSetSpillFolder(scheduler, "/tmp");
}

static bool create_and_use(void)
{
    HyperionModel *model = skip_model_create(3, 16);
    HyperionLayerScheduler *scheduler = model ? hyperionCreateLayerScheduler(model, &fast) : NULL;
    HyperionTensor *input =
        scheduler ? hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 16}) : NULL;
    HyperionTensor *output =
        input ? hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 16}) : NULL;
    const bool used = output && use_scheduler(model, scheduler, input, output);
    hyperionFreeTensor(input);
    hyperionFreeTensor(output);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
    return used;
}

static void each_allocation_that_fails_fails_cleanly(void **state)
{
    (void)state;
    int n = 0;
    for (;; n++) {
        const int64_t live_before = live_count;
        until_failure = n;
        const bool used = create_and_use();
        const bool failed_one = until_failure < 0;
        until_failure = -1;
        assert_int_equal(live_count, live_before);
        assert_true(used != failed_one);
        if (used)
            break;
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    }
    assert_true(n > 200);
}

int main(void)
{
    until_failure = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_allocate_what_was_estimated),
        cmocka_unit_test(each_allocation_that_fails_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
