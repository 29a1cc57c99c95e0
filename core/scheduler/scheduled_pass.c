// SPDX-License-Identifier: Apache-2.0
// scheduled_pass.c - what a scheduler does while its model runs: tensors go to disk and back,
// layers are visited, and it is counted what is really used.
#include "common/fail.h"
#include "model/run_plan.h"
#include "scheduler/layer_visit.h"
#include "scheduler/scheduler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void hyp_scheduled_pass_free(HypScheduledPass *pass)
{
    free(pass->places);
    free(pass->file_offsets);
    free(pass->ran);
    free(pass->called);
    pass->places = NULL;
    pass->file_offsets = NULL;
    pass->ran = pass->called = NULL;
}

static bool allocate_pass(HypScheduledPass *pass, const HyperionModel *model)
{
    const size_t tensors = (size_t)model->tensor_count + 1;
    const size_t layers = (size_t)model->layer_count + 1;
    hyp_scheduled_pass_free(pass);
    pass->places = calloc(tensors, sizeof *pass->places);
    pass->file_offsets = calloc(tensors, sizeof *pass->file_offsets);
    pass->ran = calloc(layers, sizeof *pass->ran);
    pass->called = calloc(layers, sizeof *pass->called);
    return (pass->places && pass->file_offsets && pass->ran && pass->called) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", model->name);
}

static bool plan_run(void *context, const HyperionModel *model, HypRunPlan *run_plan)
{
    HyperionLayerScheduler *scheduler = context;
    HyperionExecutionPlan *plan = hyp_scheduler_plan(scheduler, scheduler->direction);
    if (!plan || !hyp_execution_plan_apply(plan, model, run_plan) ||
        (!scheduler->estimating && !allocate_pass(&scheduler->pass, model))) {
        hyperionFreeExecutionPlan(plan);
        return false;
    }
    if (scheduler->estimating) {
        scheduler->estimated = plan->info;
        scheduler->estimated_waiting_bytes = plan->waiting_bytes;
        hyperionFreeExecutionPlan(plan);
        return true;
    }
    hyperionFreeExecutionPlan(scheduler->plan);
    scheduler->plan = plan;
    return true;
}

static bool begin_run(void *context, const HypRun *run)
{
    HyperionLayerScheduler *scheduler = context;
    HypScheduledPass *pass = &scheduler->pass;
    const size_t layers = (size_t)run->model->layer_count;
    for (int i = 0; i < run->model->tensor_count; i++) {
        pass->places[i] = SIZE_MAX;
        pass->file_offsets[i] = UINT64_MAX;
    }
    memset(pass->ran, 0, layers * sizeof *pass->ran);
    memset(pass->called, 0, layers * sizeof *pass->called);
    pass->next_step = 0;
    pass->called_count = 0;
    pass->by_layers = false;
    pass->file_bytes = 0;
    pass->live_bytes = 0;
    pass->stats = (HyperionPassStats){.direction = scheduler->plan->info.direction, .valid = true};
    if (scheduler->measured_change_count != run->model->change_count) {
        memset(scheduler->layer_ns, 0, layers * sizeof *scheduler->layer_ns);
        scheduler->measured_change_count = run->model->change_count;
    }
    return true;
}

static char *find_bytes(const HypRun *run, size_t place)
{
    return (char *)run->activations + place;
}

static bool spill(HyperionLayerScheduler *scheduler, const HypRun *run, int tensor)
{
    HypScheduledPass *pass = &scheduler->pass;
    const size_t size_bytes = run->model->tensors[tensor].shape.size_bytes;
    const uint64_t start_ns = hyp_platform_now_ns();
    if (!scheduler->scratch)
        scheduler->scratch = hyp_platform_open_scratch(scheduler->folder);
    if (!scheduler->scratch ||
        !hyp_platform_write_scratch(scheduler->scratch, pass->file_bytes,
                                    find_bytes(run, pass->places[tensor]), size_bytes))
        return false;
    pass->file_offsets[tensor] = pass->file_bytes;
    pass->file_bytes += size_bytes;
    const uint64_t spent_ns = hyp_platform_now_ns() - start_ns;
    pass->stats.spilled_bytes += size_bytes;
    pass->stats.transfer_ns += spent_ns;
    scheduler->write_bytes += size_bytes;
    scheduler->write_ns += (double)spent_ns;
    return true;
}

static bool restore(HyperionLayerScheduler *scheduler, const HypRun *run, int tensor)
{
    HypScheduledPass *pass = &scheduler->pass;
    const size_t size_bytes = run->model->tensors[tensor].shape.size_bytes;
    const uint64_t start_ns = hyp_platform_now_ns();
    assert(pass->file_offsets[tensor] != UINT64_MAX);
    if (!hyp_platform_read_scratch(scheduler->scratch, pass->file_offsets[tensor],
                                   find_bytes(run, pass->places[tensor]), size_bytes))
        return false;
    const uint64_t spent_ns = hyp_platform_now_ns() - start_ns;
    pass->stats.restored_bytes += size_bytes;
    pass->stats.transfer_ns += spent_ns;
    scheduler->read_bytes += size_bytes;
    scheduler->read_ns += (double)spent_ns;
    return true;
}

static void note_use(HypScheduledPass *pass, const HypRun *run, const void *bytes,
                     size_t size_bytes)
{
    const char *first = run->activations;
    const char *used = bytes;
    if (!used || used < first || used >= first + run->plan->activation_bytes)
        return; // the caller's, or a weight
    const size_t end = (size_t)(used - first) + size_bytes;
    if (end > pass->stats.activation_peak_bytes)
        pass->stats.activation_peak_bytes = end;
}

static void take_place(HypScheduledPass *pass, const HyperionExecutionStep *step)
{
    if (step->offset_bytes == SIZE_MAX)
        return;
    pass->places[step->tensor] = step->offset_bytes;
    if (step->replaced_tensor < 0)
        pass->live_bytes += step->tensor_bytes;
    if (pass->live_bytes > pass->stats.live_peak_bytes)
        pass->stats.live_peak_bytes = pass->live_bytes;
}

static bool take_step(HyperionLayerScheduler *scheduler, const HypRun *run,
                      const HyperionExecutionStep *step)
{
    HypScheduledPass *pass = &scheduler->pass;
    bool taken = true;
    if (step->op == HYPERION_STEP_VISIT)
        return hyp_layer_visit(scheduler, run, step->layer);
    if (step->op == HYPERION_STEP_RESTORE) {
        take_place(pass, step);
        taken = restore(scheduler, run, step->tensor);
        note_use(pass, run, find_bytes(run, step->offset_bytes), step->tensor_bytes);
        return taken;
    }
    if (step->op == HYPERION_STEP_SPILL)
        taken = spill(scheduler, run, step->tensor);
    pass->live_bytes -= step->tensor_bytes;
    return taken;
}

bool hyp_scheduled_pass_advance(HyperionLayerScheduler *scheduler, const HypRun *run)
{
    HypScheduledPass *pass = &scheduler->pass;
    const HyperionExecutionPlan *plan = scheduler->plan;
    for (; pass->next_step < plan->info.step_count; pass->next_step++) {
        const HyperionExecutionStep *step = &plan->steps[pass->next_step];
        if (step->op == HYPERION_STEP_RUN || step->op == HYPERION_STEP_RECOMPUTE)
            break;
        if (!take_step(scheduler, run, step))
            return false;
    }
    return true;
}

static bool before_step(void *context, const HypRun *run)
{
    HyperionLayerScheduler *scheduler = context;
    HypScheduledPass *pass = &scheduler->pass;
    if (!hyp_scheduled_pass_advance(scheduler, run))
        return false;
    const HyperionExecutionStep *step = &scheduler->plan->steps[pass->next_step++];
    assert(step->layer == run->layer);
    take_place(pass, step);
    pass->start_ns = hyp_platform_now_ns();
    return true;
}

static void count_layer(HyperionLayerScheduler *scheduler, const HypRun *run, uint64_t spent_ns)
{
    HypScheduledPass *pass = &scheduler->pass;
    const HypExecutorHooks *loader = run->model->attached.of[HYP_ATTACHED_LOADER].hooks;
    double *least_ns = &scheduler->layer_ns[run->layer];
    if (pass->ran[run->layer])
        pass->stats.recomputed_layers++;
    else
        pass->stats.run_layers++;
    pass->ran[run->layer] = true;
    pass->stats.layer_ns += spent_ns;
    // With a loader the time is that of waiting for weights too.
    if (!(loader && loader->provides_weights) && (*least_ns == 0 || (double)spent_ns < *least_ns))
        *least_ns = spent_ns > 0 ? (double)spent_ns : 1;
}

static void after_step(void *context, const HypRun *run)
{
    HyperionLayerScheduler *scheduler = context;
    HypScheduledPass *pass = &scheduler->pass;
    const HyperionModel *model = run->model;
    const HypLayer *layer = &model->layers[run->layer];
    count_layer(scheduler, run, hyp_platform_now_ns() - pass->start_ns);
    for (int i = 0; i < layer->input_count; i++) {
        const int root = hyp_model_root(model, layer->inputs[i]);
        if (model->tensors[root].role == HYP_TENSOR_ACTIVATION)
            note_use(pass, run, run->data[root],
                     (model->tensors[root].shape.size_bytes + 63) / 64 * 64);
    }
    note_use(pass, run, run->data[layer->outputs[0]],
             (model->tensors[layer->outputs[0]].shape.size_bytes + 63) / 64 * 64);
}

static void end_run(void *context, bool succeeded)
{
    HyperionLayerScheduler *scheduler = context;
    scheduler->pass.stats.complete = succeeded;
    scheduler->pass.by_layers = false;
}

static void forget_model(void *context)
{
    ((HyperionLayerScheduler *)context)->model = NULL;
}

const HypExecutorHooks hyp_scheduler_hooks = {
    .plan = plan_run,
    .begin_run = begin_run,
    .before_step = before_step,
    .after_step = after_step,
    .end_run = end_run,
    .detached = forget_model,
};

HyperionPassStats hyperionGetPassStats(const HyperionLayerScheduler *scheduler)
{
    if (!scheduler)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get pass stats: the scheduler is NULL");
    else if (!scheduler->pass.stats.valid)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get pass stats: there was no pass");
    return scheduler ? scheduler->pass.stats : (HyperionPassStats){.valid = false};
}
