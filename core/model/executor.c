// SPDX-License-Identifier: Apache-2.0
// Runs models by a plan (hooks.h). Unless a loader provides them, weights are all read before the
// first layer runs, so that a run that fails has written nothing, unless an index among the values
// is out of range.
#include "model/executor.h"

#include "hyperion/tensor.h"

#include "common/fail.h"
#include "model/layer_op.h"
#include "model/memory_layout.h"
#include "model/run_plan.h"
#include "model/thread_pool.h"
#include "model/weight_bytes.h"
#include "model/weight_copies.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct HypPreparation {
    HypRunPlan plan;
    void *activations;
    void *workspace; // of the layer that needs most
    void **data;     // by tensor: its bytes in the run under way
    HyperionParallel parallel;
};

HypHeldBytes hyp_model_held_bytes(const HyperionModel *model)
{
    const HypPreparation *preparation = model->preparation;
    HypHeldBytes held = {.packed_bytes = hyp_memory_layout_held_bytes(model)};
    for (int i = 0; i < model->tensor_count; i++) {
        const HypGraphTensor *tensor = &model->tensors[i];
        if (tensor->role == HYP_TENSOR_WEIGHT && tensor->view_of < 0 && tensor->data)
            held.weight_bytes += tensor->shape.size_bytes;
    }
    if (preparation) {
        held.activation_bytes = preparation->activations ? preparation->plan.activation_bytes : 0;
        held.workspace_bytes = preparation->workspace ? preparation->plan.workspace_bytes : 0;
    }
    return held;
}

void hyp_preparation_free(HypPreparation *preparation)
{
    if (!preparation)
        return;
    hyp_platform_release(preparation->activations);
    hyp_platform_release(preparation->workspace);
    hyp_run_plan_free(&preparation->plan);
    free((void *)preparation->data);
    free(preparation);
}

static HypLayerRun describe_step(const HyperionModel *model, const HypPreparation *preparation,
                                 int layer)
{
    return (HypLayerRun){
        .model = model,
        .layer = &model->layers[layer],
        .data = preparation->data,
        .blocking = preparation->plan.blockings[layer],
        .packed = hyp_memory_layout_data(model, layer, &preparation->plan.blockings[layer]),
        .workspace = preparation->workspace,
        .parallel = &preparation->parallel};
}

// Memory that is large enough for the workspace of every layer.
static bool allocate_workspace(const HyperionModel *model, HypPreparation *preparation)
{
    HypRunPlan *plan = &preparation->plan;
    plan->workspace_bytes = 0;
    for (int i = 0; i < plan->step_count; i++) {
        const HypLayerRun run = describe_step(model, preparation, plan->steps[i]);
        const size_t needed_bytes = hyp_layer_workspace_bytes(&run);
        if (needed_bytes > plan->workspace_bytes)
            plan->workspace_bytes = needed_bytes;
    }
    preparation->workspace = hyp_platform_allocate(plan->workspace_bytes, 64);
    return preparation->workspace != NULL;
}

static bool make_plan(const HyperionModel *model, HypRunPlan *plan)
{
    if (!hyp_run_plan_create(model, plan) || !hyp_hooks_plan(model, plan))
        return false;
    assert(hyp_run_plan_is_valid(model, plan));
    return true;
}

static HypPreparation *prepare(HyperionModel *model)
{
    HypPreparation *made = calloc(1, sizeof *made);
    if (!made)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "run model %s: out of memory", model->name);
    made->parallel = hyperionThreadPoolParallel(model->pool);
    // One more than needed: calloc(0) may be NULL.
    made->data = (void **)calloc((size_t)model->tensor_count + 1, sizeof *made->data);
    bool ready = false;
    if (!made->data)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "run model %s: out of memory", model->name);
    else if (make_plan(model, &made->plan) && hyp_memory_layout_refresh(model, &made->plan)) {
        made->activations = hyp_platform_allocate(made->plan.activation_bytes, 64);
        ready = made->activations && allocate_workspace(model, made);
    }
    if (!ready) {
        hyp_preparation_free(made);
        return NULL;
    }
    return made;
}

// Whether `given` holds what tensor `expected` of the model is.
static bool check_tensor(const HyperionModel *model, const char *what, int index, int expected,
                         const HyperionTensor *given)
{
    const HypGraphTensor *tensor = &model->tensors[expected];
    HypShape shape;
    char want[HYP_SHAPE_TEXT_BYTES];
    char got[HYP_SHAPE_TEXT_BYTES];
    if (!given)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "run model %s: %s %d, '%s', is NULL", model->name,
                        what, index, tensor->name);
    if (hyperionTensorType(given) == HYPERION_TYPE_COUNT)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "run model %s: %s %d, '%s': %s", model->name, what,
                        index, tensor->name, hyperionGetLastError());
    if (!hyp_shape_create(&shape, tensor->name, hyperionTensorType(given),
                          hyperionTensorRank(given), hyperionTensorDims(given)))
        return false;
    return hyp_shape_equal(&shape, &tensor->shape) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "run model %s: %s %d, '%s', is %s, given %s",
                    model->name, what, index, tensor->name, hyp_shape_text(&tensor->shape, want),
                    hyp_shape_text(&shape, got));
}

static bool tensors_overlap(const HyperionTensor *a, const HyperionTensor *b)
{
    const uintptr_t a_first = (uintptr_t)hyperionTensorConstData(a);
    const uintptr_t b_first = (uintptr_t)hyperionTensorConstData(b);
    const size_t a_bytes = hyperionTensorBytes(a);
    const size_t b_bytes = hyperionTensorBytes(b);
    return a_bytes && b_bytes && a_first < b_first + b_bytes && b_first < a_first + a_bytes;
}

// Layers write outputs while others are still to read inputs: an output shares memory with nothing.
static bool check_overlap(const HyperionModel *model, HyperionTensor *const *inputs,
                          HyperionTensor *const *outputs)
{
    for (int i = 0; i < model->output_count; i++) {
        const char *name = model->tensors[model->outputs[i]].name;
        for (int j = 0; j < i; j++)
            if (tensors_overlap(outputs[i], outputs[j]))
                return hyp_fail(HYPERION_ERROR_ARGUMENT,
                                "run model %s: outputs %d and %d ('%s') share memory", model->name,
                                j, i, name);
        for (int j = 0; j < model->input_count; j++)
            if (tensors_overlap(outputs[i], inputs[j]))
                return hyp_fail(HYPERION_ERROR_ARGUMENT,
                                "run model %s: input %d and output %d ('%s') share memory",
                                model->name, j, i, name);
    }
    return true;
}

static bool check_call(const HyperionModel *model, HyperionTensor *const *inputs,
                       HyperionTensor *const *outputs)
{
    if ((!inputs && model->input_count) || (!outputs && model->output_count))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "run model %s: %s is NULL", model->name,
                        inputs ? "outputs" : "inputs");
    for (int i = 0; i < model->input_count; i++)
        if (!check_tensor(model, "input", i, model->inputs[i], inputs[i]))
            return false;
    for (int i = 0; i < model->output_count; i++)
        if (!check_tensor(model, "output", i, model->outputs[i], outputs[i]))
            return false;
    return check_overlap(model, inputs, outputs);
}

// NULL where the tensor is none.
static void *find_weight(const HyperionModel *model, int tensor)
{
    void *copy = hyp_weight_copies_data(model->weight_copies, tensor);
    return copy ? copy : model->tensors[tensor].data;
}

// Fills preparation->data for this run.
static void bind_memory(const HyperionModel *model, HyperionTensor *const *inputs,
                        HyperionTensor *const *outputs)
{
    const HypPreparation *preparation = model->preparation;
    void **data = preparation->data;
    for (int i = 0; i < model->tensor_count; i++) {
        const size_t offset = preparation->plan.offsets[i];
        data[i] =
            offset == SIZE_MAX ? find_weight(model, i) : (char *)preparation->activations + offset;
    }
    for (int i = 0; i < model->input_count; i++)
        data[model->inputs[i]] = hyperionTensorData(inputs[i]);
    for (int i = 0; i < model->output_count; i++) {
        const int root = hyp_model_root(model, model->outputs[i]);
        if (hyp_run_plan_direct_output(model, root) == i)
            data[root] = hyperionTensorData(outputs[i]);
    }
    for (int i = 0; i < model->tensor_count; i++)
        data[i] = data[hyp_model_root(model, i)];
}

// False where the values of an input cannot be computed with.
static bool execute_layer(const HypLayerRun *run)
{
    const HypLayerOp *op = hyp_layer_op(run->layer->op);
    if (op->check_values && !op->check_values(run))
        return false;
    op->execute(run);
    return true;
}

static bool run_step(const HypRun *run)
{
    const HyperionModel *model = run->model;
    const HypLayerRun layer_run = describe_step(model, model->preparation, run->layer);
    if (!model->attached.any)
        return execute_layer(&layer_run);
    if (!hyp_hooks_before_step(run) || !execute_layer(&layer_run))
        return false;
    hyp_hooks_after_step(run);
    return true;
}

static bool run_steps(HypRun *run)
{
    for (run->step = 0; run->step < run->plan->step_count; run->step++) {
        run->layer = run->plan->steps[run->step];
        if (!run_step(run))
            return false;
    }
    return true;
}

// Outputs that no layer writes: inputs, weights, and further views of an output.
static void copy_outputs(const HyperionModel *model, HyperionTensor *const *outputs)
{
    for (int i = 0; i < model->output_count; i++) {
        const int tensor = model->outputs[i];
        const size_t size_bytes = model->tensors[tensor].shape.size_bytes;
        if (size_bytes && hyp_run_plan_direct_output(model, hyp_model_root(model, tensor)) != i)
            memcpy(hyperionTensorData(outputs[i]), model->preparation->data[tensor], size_bytes);
    }
}

bool hyp_model_start_threads(HyperionModel *model)
{
    if (!model->pool && model->settings.thread_count > 1)
        model->pool = hyperionCreateThreadPool(model->settings.thread_count, NULL);
    return model->pool || model->settings.thread_count == 1;
}

// Layer by layer, and says so to what is attached; where a loader provides them, only those that no
// layer reads.
static bool read_weights(HyperionModel *model)
{
    const HypExecutorHooks *loader = model->attached.of[HYP_ATTACHED_LOADER].hooks;
    if (!model->attached.any)
        return hyp_weights_read_all(model);
    for (int i = 0; !(loader && loader->provides_weights) && i < model->layer_count; i++) {
        HypLoad load = {.layer = i, .start_ns = hyp_platform_now_ns()};
        if (!hyp_weights_read_layer(model, i, &load.size_bytes))
            return false;
        load.end_ns = hyp_platform_now_ns();
        if (load.size_bytes)
            hyp_run_note_load(model, &load);
    }
    return hyp_weights_read_outputs(model);
}

static bool run_prepared(HyperionModel *model, HyperionTensor *const *inputs,
                         HyperionTensor *const *outputs)
{
    const HypPreparation *preparation = model->preparation;
    HypRun run = {.model = model,
                  .plan = &preparation->plan,
                  .activations = preparation->activations,
                  .data = preparation->data,
                  .step = -1,
                  .layer = -1};
    if (model->attached.any && !hyp_hooks_begin_run(&run))
        return false;
    bool ran = read_weights(model);
    if (ran) {
        hyp_weight_copies_turn(model->weight_copies);
        bind_memory(model, inputs, outputs);
        ran = run_steps(&run);
    }
    if (ran)
        copy_outputs(model, outputs);
    if (model->attached.any)
        hyp_hooks_end_run(model, ran);
    return ran;
}

bool hyperionRunModel(HyperionModel *model, HyperionTensor *const *inputs,
                      HyperionTensor *const *outputs)
{
    if (!hyp_model_hold(model, "run model"))
        return false;
    bool ran = false;
    if (check_call(model, inputs, outputs)) {
        if (!model->preparation && hyp_model_start_threads(model))
            model->preparation = prepare(model);
        ran = model->preparation && run_prepared(model, inputs, outputs);
    }
    hyp_model_end_change(model);
    return ran;
}
