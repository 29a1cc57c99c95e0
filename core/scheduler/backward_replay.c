// SPDX-License-Identifier: Apache-2.0
// backward_replay.c - a forward pass whose layers are then visited from the last to the first.
#include "hyperion/tensor.h"

#include "common/fail.h"
#include "model/executor.h"
#include "scheduler/layer_visit.h"

#include <stdlib.h>

// The bytes of a tensor that the layer under visit uses.
static void *find_bytes(const HyperionLayerScheduler *scheduler, const HypRun *run, int tensor)
{
    const int root = hyp_model_root(run->model, tensor);
    const size_t place = scheduler->pass.places[root];
    return place == SIZE_MAX ? run->data[root] : (char *)run->activations + place;
}

static HyperionTensor *wrap(const HyperionLayerScheduler *scheduler, const HypRun *run, int tensor)
{
    const HypShape *shape = &run->model->tensors[tensor].shape;
    return hyperionWrapTensor(shape->type, shape->rank, shape->dims,
                              find_bytes(scheduler, run, tensor));
}

static bool call_back(const HyperionLayerScheduler *scheduler, const HypRun *run,
                      const HyperionLayerVisit *visit)
{
    const uint64_t failures_before = hyp_fail_count();
    if (scheduler->pass.visit(scheduler->pass.user_data, visit))
        return true;
    if (hyp_fail_count() != failures_before)
        return false; // the reason is known: a call of the library failed in it
    return hyp_fail(HYPERION_ERROR_ARGUMENT,
                    "replay model %s: the callback gave false at layer %d, "
                    "'%s'",
                    run->model->name, visit->layer, run->model->layers[visit->layer].name);
}

bool hyp_layer_visit(const HyperionLayerScheduler *scheduler, const HypRun *run, int layer)
{
    const HypLayer *visited = &run->model->layers[layer];
    const size_t count = (size_t)visited->input_count;
    // The result is the last.
    HyperionTensor **tensors = (HyperionTensor **)calloc(count + 1, sizeof(HyperionTensor *));
    if (!tensors)
        return hyp_fail(HYPERION_ERROR_MEMORY, "replay model %s: out of memory", run->model->name);
    bool wrapped = true;
    for (size_t i = 0; wrapped && i <= count; i++) {
        const int tensor = i < count ? visited->inputs[i] : visited->outputs[0];
        if (run->model->tensors[tensor].role == HYP_TENSOR_WEIGHT)
            continue;
        tensors[i] = wrap(scheduler, run, tensor);
        wrapped = tensors[i] != NULL;
    }
    const HyperionLayerVisit visit = {.layer = layer,
                                      .inputs = (const HyperionTensor *const *)tensors,
                                      .input_count = visited->input_count,
                                      .output = tensors[count]};
    const bool called = wrapped && call_back(scheduler, run, &visit);
    for (size_t i = 0; i <= count; i++)
        hyperionFreeTensor(tensors[i]);
    free((void *)tensors);
    return called;
}

static bool replay(HyperionLayerScheduler *scheduler, HyperionTensor *const *inputs)
{
    HyperionModel *model = scheduler->model;
    if (!hyp_pass_begin(model))
        return false;
    for (int i = 0; i < model->input_count; i++)
        hyp_pass_bind(model, model->inputs[i], hyperionTensorData(inputs[i]));
    const HypRun *run = hyp_pass_run(model);
    bool replayed = true;
    while (replayed && run->step < run->plan->step_count)
        replayed = hyp_pass_step(model);
    replayed = replayed && hyp_scheduled_pass_advance(scheduler, run);
    hyp_pass_end(model, replayed);
    return replayed;
}

bool hyperionReplayBackward(HyperionLayerScheduler *scheduler, HyperionTensor *const *inputs,
                            HyperionVisitFunction visit, void *user_data)
{
    if (!hyp_scheduler_hold(scheduler, "replay backward"))
        return false;
    HyperionModel *model = scheduler->model;
    bool replayed = false;
    if (!visit)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "replay model %s: the callback is NULL",
                       model->name);
    else if (hyp_model_check_inputs(model, "replay model", inputs)) {
        // What is prepared is for the other direction, before and afterwards.
        hyp_model_drop_preparation(model);
        scheduler->direction = HYPERION_PASS_BACKWARD;
        scheduler->pass.visit = visit;
        scheduler->pass.user_data = user_data;
        replayed = replay(scheduler, inputs);
        scheduler->direction = HYPERION_PASS_FORWARD;
        hyp_model_drop_preparation(model);
    }
    hyp_scheduler_release(scheduler);
    return replayed;
}
