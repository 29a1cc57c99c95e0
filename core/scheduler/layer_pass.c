// SPDX-License-Identifier: Apache-2.0
// layer_pass.c - passes that the caller runs layer by layer.
#include "hyperion/tensor.h"

#include "common/fail.h"
#include "model/executor.h"
#include "model/layer_op.h"
#include "model/run_plan.h"
#include "scheduler/scheduler.h"

static const char *const call = "execute layer";

// What the caller gives with a layer.
typedef struct Given {
    HyperionTensor *input, *output;
} Given;

static const char *layer_name(const HyperionModel *model, int layer)
{
    return model->layers[layer].name;
}

// The number of the model's input or output that tensor `root` is; -1: none.
static int find_number(const HyperionModel *model, const int *tensors, int count, int root)
{
    for (int i = 0; i < count; i++)
        if (hyp_model_root(model, tensors[i]) == root)
            return i;
    return -1;
}

static bool bind(HyperionModel *model, const HypTensorUse *use, HyperionTensor *given)
{
    if (!hyp_model_check_tensor(model, use, given))
        return false;
    hyp_pass_bind(model, hyp_model_root(model, use->tensor), hyperionTensorData(given));
    return true;
}

// One that was given before need not be given again.
static bool bind_inputs(HyperionModel *model, int index, const Given *given)
{
    const HypLayer *layer = &model->layers[index];
    const HypRun *run = hyp_pass_run(model);
    int bound = -1;
    for (int i = 0; i < layer->input_count; i++) {
        const int root = hyp_model_root(model, layer->inputs[i]);
        const int number = find_number(model, model->inputs, model->input_count, root);
        if (number < 0 || number == bound || (run->data[root] && (!given->input || bound >= 0)))
            continue;
        if (bound >= 0)
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "%s %s: it reads inputs %d and %d of model %s, and one can be given: "
                            "use hyperionRunModel",
                            call, layer->name, bound, number, model->name);
        const HypTensorUse use = {call, layer->name, "input", number, model->inputs[number]};
        if (!bind(model, &use, given->input))
            return false;
        bound = number;
    }
    return true;
}

static bool bind_output(HyperionModel *model, int index, const Given *given)
{
    const HypLayer *layer = &model->layers[index];
    const int number = hyp_run_plan_direct_output(model, layer->outputs[0]);
    if (number < 0)
        return true;
    const HypTensorUse use = {call, layer->name, "output", number, model->outputs[number]};
    return bind(model, &use, given->output);
}

static bool check_outputs(const HyperionModel *model)
{
    for (int i = 0; i < model->output_count; i++)
        if (hyp_run_plan_direct_output(model, hyp_model_root(model, model->outputs[i])) != i)
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "%s: no layer of model %s writes output %d, '%s': use hyperionRunModel",
                            call, model->name, i, model->tensors[model->outputs[i]].name);
    return true;
}

static bool is_over(const HypRun *run, const HypScheduledPass *pass, int layer)
{
    return run->step == run->plan->step_count && pass->called[layer];
}

// A pass layer by layer is under way afterwards; *begun: it was not before.
static bool enter_pass(HyperionLayerScheduler *scheduler, int layer, bool *begun)
{
    HyperionModel *model = scheduler->model;
    const HypRun *run = hyp_pass_run(model);
    *begun = !run || !scheduler->pass.by_layers || is_over(run, &scheduler->pass, layer);
    if (!*begun)
        return true;
    hyp_pass_end(model, run && scheduler->pass.by_layers);
    if (!check_outputs(model) || !hyp_pass_begin(model))
        return false;
    scheduler->pass.by_layers = true;
    return true;
}

// The step that runs the layer for the first time: all that is between has to run before, and may
// not be a layer that the caller would have called before. -1, last error set: it is.
static int find_step(const HyperionLayerScheduler *scheduler, const HypRun *run, int layer)
{
    const HypScheduledPass *pass = &scheduler->pass;
    int step = run->step;
    for (; run->plan->steps[step] != layer; step++) {
        const int other = run->plan->steps[step];
        if (!pass->ran[other] && other < layer) {
            (void)hyp_fail(HYPERION_ERROR_ARGUMENT,
                           "%s: it is not the turn of layer %d, '%s': layer %d, '%s', must run "
                           "first",
                           call, layer, layer_name(run->model, layer), other,
                           layer_name(run->model, other));
            return -1;
        }
    }
    return step;
}

static bool check_given(const HyperionModel *model, int layer, const Given *given)
{
    if (!given->input || !given->output || !hyp_tensors_overlap(given->input, given->output))
        return true;
    return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s %s: input and output share memory", call,
                    layer_name(model, layer));
}

static bool bind_steps(HyperionModel *model, const bool *ran, int first, int last,
                       const Given *given)
{
    const HypRun *run = hyp_pass_run(model);
    for (int step = first; step <= last; step++) {
        const int layer = run->plan->steps[step];
        if (!ran[layer] && (!bind_inputs(model, layer, given) || !bind_output(model, layer, given)))
            return false;
    }
    return true;
}

static bool run_until(HyperionModel *model, int last)
{
    const HypRun *run = hyp_pass_run(model);
    while (run->step <= last)
        if (!hyp_pass_step(model)) {
            hyp_pass_end(model, false);
            return false;
        }
    return true;
}

static int count_layers(const HyperionModel *model)
{
    int count = 0;
    for (int i = 0; i < model->layer_count; i++)
        count += !hyp_layer_is_view(model, &model->layers[i]);
    return count;
}

static bool run_layer(HyperionLayerScheduler *scheduler, int layer, const Given *given)
{
    HyperionModel *model = scheduler->model;
    HypScheduledPass *pass = &scheduler->pass;
    const HypRun *run = hyp_pass_run(model);
    if (pass->called[layer])
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "%s: layer %d, '%s', has run in this pass, in which others are missing: "
                        "hyperionAbandonPass begins another",
                        call, layer, layer_name(model, layer));
    if (!pass->ran[layer]) {
        const int step = find_step(scheduler, run, layer);
        if (step < 0 || !check_given(model, layer, given) ||
            !bind_steps(model, pass->ran, run->step, step, given) || !run_until(model, step))
            return false;
    }
    pass->called[layer] = true;
    if (++pass->called_count == count_layers(model))
        hyp_pass_end(model, true);
    return true;
}

static bool execute(HyperionLayerScheduler *scheduler, int layer, const Given *given)
{
    HyperionModel *model = scheduler->model;
    bool begun = false;
    if (layer < 0 || layer >= model->layer_count)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: layer %d of %d of model %s", call, layer,
                        model->layer_count, model->name);
    if (hyp_layer_is_view(model, &model->layers[layer]))
        return true;
    if (!enter_pass(scheduler, layer, &begun))
        return false;
    if (run_layer(scheduler, layer, given))
        return true;
    if (begun)
        hyp_pass_end(model, false);
    return false;
}

bool hyperionExecuteLayerWithMemoryOptimization(HyperionLayerScheduler *scheduler, int layer_index,
                                                HyperionTensor *input, HyperionTensor *output)
{
    if (!hyp_scheduler_hold(scheduler, call))
        return false;
    const Given given = {input, output};
    const bool executed = execute(scheduler, layer_index, &given);
    hyp_scheduler_release(scheduler);
    return executed;
}

bool hyperionAbandonPass(HyperionLayerScheduler *scheduler)
{
    if (!hyp_scheduler_hold(scheduler, "abandon pass"))
        return false;
    hyp_pass_end(scheduler->model, false);
    hyp_scheduler_release(scheduler);
    return true;
}
