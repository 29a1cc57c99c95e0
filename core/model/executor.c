// SPDX-License-Identifier: Apache-2.0
// Runs models by a plan (hooks.h). Unless a loader provides them, weights are all read before the
// first layer runs, so that a run that fails has written nothing, unless an index among the values
// is out of range.
#include "model/executor.h"

#include "hyperion/tensor.h"

#include "common/fail.h"
#include "model/band.h"
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
    void *workspace;      // of the step that needs most
    void **data;          // by tensor: its bytes in the run under way
    const float **packed; // by layer: its weight as a loader packed it, for its step
    HypBandRoom *bands;   // NULL: the plan has none
    HyperionParallel parallel;
    HypRun run; // the pass under way
    bool in_pass;
    int placing; // of the plan's, the next to come
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

static void free_preparation(HypPreparation *preparation)
{
    if (!preparation)
        return;
    hyp_platform_release(preparation->activations);
    hyp_platform_release(preparation->workspace);
    hyp_run_plan_free(&preparation->plan);
    hyp_band_room_free(preparation->bands);
    free((void *)preparation->data);
    free((void *)preparation->packed);
    free(preparation);
}

static HypLayerRun describe_step(const HyperionModel *model, const HypPreparation *preparation,
                                 int layer)
{
    const HypRunPlan *plan = &preparation->plan;
    return (HypLayerRun){.model = model,
                         .layer = &model->layers[layer],
                         .data = preparation->data,
                         .blocking = plan->blockings[layer],
                         .packed =
                             plan->packed_on_load[layer]
                                 ? preparation->packed[layer]
                                 : hyp_memory_layout_data(model, layer, &plan->blockings[layer]),
                         .replaces = hyp_run_plan_replaces(model, plan, layer),
                         .workspace = preparation->workspace,
                         .parallel = &preparation->parallel};
}

// Memory that is large enough for the workspace of every step.
static bool allocate_workspace(const HyperionModel *model, HypPreparation *preparation)
{
    HypRunPlan *plan = &preparation->plan;
    plan->workspace_bytes = 0;
    for (int i = 0; i < plan->step_count; i++) {
        static const float marker; // that there will be one
        HypLayerRun run = describe_step(model, preparation, plan->steps[i]);
        run.packed = plan->packed_on_load[plan->steps[i]] ? &marker : run.packed;
        const size_t needed_bytes = hyp_step_workspace_bytes(preparation->bands, plan, i, &run);
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
    made->packed = (const float **)calloc((size_t)model->layer_count + 1, sizeof *made->packed);
    bool ready = false;
    if (!made->data || !made->packed)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "run model %s: out of memory", model->name);
    else if (make_plan(model, &made->plan) && hyp_memory_layout_refresh(model, &made->plan)) {
        made->bands = made->plan.bands ? hyp_band_room_create(model) : NULL;
        made->activations = hyp_platform_allocate(made->plan.activation_bytes, 64);
        ready = made->activations && (made->bands || !made->plan.bands) &&
                allocate_workspace(model, made);
    }
    if (!ready) {
        free_preparation(made);
        return NULL;
    }
    return made;
}

bool hyp_model_check_tensor(const HyperionModel *model, const HypTensorUse *use,
                            const HyperionTensor *given)
{
    const HypGraphTensor *tensor = &model->tensors[use->tensor];
    HypShape shape;
    char want[HYP_SHAPE_TEXT_BYTES];
    char got[HYP_SHAPE_TEXT_BYTES];
    if (!given)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s %s: %s %d, '%s', is NULL", use->call,
                        use->caller, use->what, use->index, tensor->name);
    if (hyperionTensorType(given) == HYPERION_TYPE_COUNT)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s %s: %s %d, '%s': %s", use->call, use->caller,
                        use->what, use->index, tensor->name, hyperionGetLastError());
    if (!hyp_shape_create(&shape, tensor->name, hyperionTensorType(given),
                          hyperionTensorRank(given), hyperionTensorDims(given)))
        return false;
    return hyp_shape_equal(&shape, &tensor->shape) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s %s: %s %d, '%s', is %s, given %s", use->call,
                    use->caller, use->what, use->index, tensor->name,
                    hyp_shape_text(&tensor->shape, want), hyp_shape_text(&shape, got));
}

bool hyp_tensors_overlap(const HyperionTensor *a, const HyperionTensor *b)
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
            if (hyp_tensors_overlap(outputs[i], outputs[j]))
                return hyp_fail(HYPERION_ERROR_ARGUMENT,
                                "run model %s: outputs %d and %d ('%s') share memory", model->name,
                                j, i, name);
        for (int j = 0; j < model->input_count; j++)
            if (hyp_tensors_overlap(outputs[i], inputs[j]))
                return hyp_fail(HYPERION_ERROR_ARGUMENT,
                                "run model %s: input %d and output %d ('%s') share memory",
                                model->name, j, i, name);
    }
    return true;
}

bool hyp_model_check_inputs(const HyperionModel *model, const char *call,
                            HyperionTensor *const *inputs)
{
    if (!inputs && model->input_count)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s %s: inputs is NULL", call, model->name);
    for (int i = 0; i < model->input_count; i++)
        if (!hyp_model_check_tensor(
                model, &(HypTensorUse){call, model->name, "input", i, model->inputs[i]}, inputs[i]))
            return false;
    return true;
}

static bool check_call(const HyperionModel *model, HyperionTensor *const *inputs,
                       HyperionTensor *const *outputs)
{
    if (!hyp_model_check_inputs(model, "run model", inputs))
        return false;
    if (!outputs && model->output_count)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "run model %s: outputs is NULL", model->name);
    for (int i = 0; i < model->output_count; i++)
        if (!hyp_model_check_tensor(
                model, &(HypTensorUse){"run model", model->name, "output", i, model->outputs[i]},
                outputs[i]))
            return false;
    return check_overlap(model, inputs, outputs);
}

// NULL where the tensor is none.
static void *find_weight(const HyperionModel *model, int tensor)
{
    void *copy = hyp_weight_copies_data(model->weight_copies, tensor);
    return copy ? copy : model->tensors[tensor].data;
}

// Says where weights and activations are, as a pass begins.
static void bind_memory(const HyperionModel *model)
{
    const HypPreparation *preparation = model->preparation;
    for (int i = 0; i < model->tensor_count; i++) {
        const size_t offset = preparation->plan.offsets[i];
        preparation->data[i] =
            offset == SIZE_MAX ? find_weight(model, i) : (char *)preparation->activations + offset;
    }
}

// False where the values of an input cannot be computed with.
static bool execute_step(const HypPreparation *preparation, const HypLayerRun *run)
{
    const HypLayerOp *op = hyp_layer_op(run->layer->op);
    if (op->check_values && !op->check_values(run))
        return false;
    if (hyp_step_is_band(&preparation->plan, preparation->run.step))
        hyp_step_execute_band(preparation->bands, &preparation->plan, preparation->run.step, run);
    else
        op->execute(run);
    return true;
}

bool hyp_pass_step(HyperionModel *model)
{
    HypPreparation *preparation = model->preparation;
    HypRun *run = &preparation->run;
    assert(preparation->in_pass && run->step < run->plan->step_count);
    run->layer = run->plan->steps[run->step];
    hyp_run_plan_place(model, run->plan, run->step, &preparation->placing,
                       (uintptr_t)preparation->activations, preparation->data);
    if (model->attached.any && !hyp_hooks_before_step(run))
        return false;
    const HypLayerRun layer_run = describe_step(model, preparation, run->layer);
    if (!execute_step(preparation, &layer_run))
        return false;
    if (model->attached.any)
        hyp_hooks_after_step(run);
    run->step++;
    return true;
}

// Outputs that no layer writes: inputs, weights, and further views of an output.
static void copy_outputs(const HyperionModel *model, HyperionTensor *const *outputs)
{
    for (int i = 0; i < model->output_count; i++) {
        const int tensor = model->outputs[i];
        const size_t size_bytes = model->tensors[tensor].shape.size_bytes;
        if (size_bytes && hyp_run_plan_direct_output(model, hyp_model_root(model, tensor)) != i)
            memcpy(hyperionTensorData(outputs[i]),
                   model->preparation->data[hyp_model_root(model, tensor)], size_bytes);
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

void hyp_pass_end(HyperionModel *model, bool succeeded)
{
    HypPreparation *preparation = model->preparation;
    if (!preparation || !preparation->in_pass)
        return;
    preparation->in_pass = false;
    if (model->attached.any)
        hyp_hooks_end_run(model, succeeded);
}

const HypRun *hyp_pass_run(const HyperionModel *model)
{
    const HypPreparation *preparation = model->preparation;
    return preparation && preparation->in_pass ? &preparation->run : NULL;
}

void hyp_pass_bind(HyperionModel *model, int tensor, void *bytes)
{
    assert(hyp_pass_run(model) && model->tensors[tensor].view_of < 0);
    model->preparation->data[tensor] = bytes;
}

const HypRunPlan *hyp_model_prepared_plan(const HyperionModel *model)
{
    return model->preparation ? &model->preparation->plan : NULL;
}

bool hyp_pass_begin(HyperionModel *model)
{
    hyp_pass_end(model, false);
    if (!model->preparation && hyp_model_start_threads(model))
        model->preparation = prepare(model);
    HypPreparation *preparation = model->preparation;
    if (!preparation)
        return false;
    preparation->run = (HypRun){.model = model,
                                .plan = &preparation->plan,
                                .activations = preparation->activations,
                                .data = preparation->data,
                                .packed = preparation->packed,
                                .step = -1,
                                .layer = -1};
    if (model->attached.any && !hyp_hooks_begin_run(&preparation->run))
        return false;
    preparation->in_pass = true;
    if (!read_weights(model)) {
        hyp_pass_end(model, false);
        return false;
    }
    hyp_weight_copies_turn(model->weight_copies);
    bind_memory(model);
    preparation->placing = 0;
    preparation->run.step = 0;
    return true;
}

void hyp_model_drop_preparation(HyperionModel *model)
{
    hyp_pass_end(model, false);
    free_preparation(model->preparation);
    model->preparation = NULL;
}

static void bind_callers(HyperionModel *model, HyperionTensor *const *inputs,
                         HyperionTensor *const *outputs)
{
    for (int i = 0; i < model->input_count; i++)
        hyp_pass_bind(model, model->inputs[i], hyperionTensorData(inputs[i]));
    for (int i = 0; i < model->output_count; i++) {
        const int root = hyp_model_root(model, model->outputs[i]);
        if (hyp_run_plan_direct_output(model, root) == i)
            hyp_pass_bind(model, root, hyperionTensorData(outputs[i]));
    }
}

static bool run_whole(HyperionModel *model, HyperionTensor *const *inputs,
                      HyperionTensor *const *outputs)
{
    if (!hyp_pass_begin(model))
        return false;
    bind_callers(model, inputs, outputs);
    const HypRun *run = hyp_pass_run(model);
    bool ran = true;
    while (ran && run->step < run->plan->step_count)
        ran = hyp_pass_step(model);
    if (ran)
        copy_outputs(model, outputs);
    hyp_pass_end(model, ran);
    return ran;
}

bool hyperionRunModel(HyperionModel *model, HyperionTensor *const *inputs,
                      HyperionTensor *const *outputs)
{
    if (!hyp_model_hold(model, "run model"))
        return false;
    const bool ran = check_call(model, inputs, outputs) && run_whole(model, inputs, outputs);
    hyp_model_end_change(model);
    return ran;
}
