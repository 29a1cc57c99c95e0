// SPDX-License-Identifier: Apache-2.0
#include "model/run_plan.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/band.h"

#include <stdlib.h>
#include <string.h>

int hyp_run_plan_direct_output(const HyperionModel *model, int root)
{
    if (model->tensors[root].role != HYP_TENSOR_ACTIVATION)
        return -1;
    for (int i = 0; i < model->output_count; i++)
        if (hyp_model_root(model, model->outputs[i]) == root)
            return i;
    return -1;
}

bool hyp_run_plan_places(const HyperionModel *model, int tensor)
{
    return model->tensors[tensor].role == HYP_TENSOR_ACTIVATION &&
           model->tensors[tensor].view_of < 0 && hyp_run_plan_direct_output(model, tensor) < 0;
}

size_t hyp_run_plan_place_apart(const HyperionModel *model, size_t *offsets)
{
    size_t used_bytes = 0;
    for (int i = 0; i < model->tensor_count; i++) {
        const bool placed = hyp_run_plan_places(model, i);
        if (offsets)
            offsets[i] = placed ? used_bytes : SIZE_MAX;
        if (placed && (!hyp_size_add(used_bytes, model->tensors[i].shape.size_bytes, &used_bytes) ||
                       !hyp_size_round_up(used_bytes, 64, &used_bytes)))
            return SIZE_MAX;
    }
    return used_bytes;
}

bool hyp_run_plan_create(const HyperionModel *model, HypRunPlan *plan)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t layer_count = (size_t)model->layer_count + 1;
    *plan = (HypRunPlan){.steps = calloc(layer_count, sizeof *plan->steps),
                         .blockings = calloc(layer_count, sizeof *plan->blockings),
                         .packed = calloc(layer_count, sizeof *plan->packed),
                         .packed_on_load = calloc(layer_count, sizeof *plan->packed_on_load),
                         .offsets = calloc((size_t)model->tensor_count + 1, sizeof *plan->offsets)};
    if (!plan->steps || !plan->blockings || !plan->packed || !plan->packed_on_load ||
        !plan->offsets)
        return hyp_fail(HYPERION_ERROR_MEMORY, "run model %s: out of memory", model->name);
    for (int i = 0; i < model->layer_count; i++) {
        if (!hyp_layer_is_view(model, &model->layers[i]))
            plan->steps[plan->step_count++] = i;
        if (!hyp_layer_blocking(model, &model->layers[i], &plan->blockings[i]))
            return false;
        plan->packed[i] = model->packs_weights;
    }
    plan->activation_bytes = hyp_run_plan_place_apart(model, plan->offsets);
    return true;
}

void hyp_run_plan_free(HypRunPlan *plan)
{
    free(plan->steps);
    free(plan->blockings);
    free(plan->packed);
    free(plan->packed_on_load);
    free(plan->offsets);
    free(plan->placings);
    free(plan->bands);
    free(plan->held_rows);
    *plan = (HypRunPlan){0};
}

size_t hyp_run_plan_tensor_bytes(const HyperionModel *model, const HypRunPlan *plan, int tensor)
{
    const HypShape *shape = &model->tensors[tensor].shape;
    if (!plan->held_rows || !plan->held_rows[tensor])
        return shape->size_bytes;
    return shape->size_bytes / (size_t)hyp_row_count(shape) * (size_t)plan->held_rows[tensor];
}

bool hyp_run_plan_goes_on(const HyperionModel *model, const HypRunPlan *plan, int step)
{
    const int result = model->layers[plan->steps[step]].outputs[0];
    return hyp_step_is_band(plan, step) && !plan->held_rows[result] && plan->bands[step].first > 0;
}

// Whether `offset` is a place for the tensor in the memory for activations.
static bool is_place(const HyperionModel *model, const HypRunPlan *plan, int tensor, size_t offset)
{
    return offset % 64 == 0 && offset <= plan->activation_bytes &&
           hyp_run_plan_tensor_bytes(model, plan, tensor) <= plan->activation_bytes - offset;
}

static bool placings_are_valid(const HyperionModel *model, const HypRunPlan *plan)
{
    int step = 0;
    for (int i = 0; i < plan->placing_count; i++) {
        const HypPlacing *placing = &plan->placings[i];
        if (placing->step < step || placing->step >= plan->step_count || placing->tensor < 0 ||
            placing->tensor >= model->tensor_count ||
            model->tensors[placing->tensor].role != HYP_TENSOR_ACTIVATION ||
            model->tensors[placing->tensor].view_of >= 0 ||
            !is_place(model, plan, placing->tensor, placing->offset))
            return false;
        step = placing->step;
    }
    return true;
}

bool hyp_run_plan_replaces(const HyperionModel *model, const HypRunPlan *plan, int layer)
{
    const HypLayer *shown = &model->layers[layer];
    if (shown->input_count == 0 || plan->placings)
        return false;
    const size_t place = plan->offsets[hyp_model_root(model, shown->inputs[0])];
    return place != SIZE_MAX && place == plan->offsets[shown->outputs[0]];
}

void hyp_run_plan_place(const HyperionModel *model, const HypRunPlan *plan, int step, int *placing,
                        uintptr_t activations, void **data)
{
    const HypLayer *layer = &model->layers[plan->steps[step]];
    for (; *placing < plan->placing_count && plan->placings[*placing].step <= step; ++*placing) {
        const HypPlacing *moved = &plan->placings[*placing];
        data[moved->tensor] = (void *)(activations + moved->offset);
    }
    for (int i = 0; i < layer->input_count; i++)
        data[layer->inputs[i]] = data[hyp_model_root(model, layer->inputs[i])];
}

// Whether the rows that the step needs of an input are in memory.
static bool input_is_held(const HyperionModel *model, const HypRunPlan *plan, int step, int index)
{
    const HypLayer *layer = &model->layers[plan->steps[step]];
    const int tensor = layer->inputs[index];
    const HypRows held = hyp_step_held_rows(model, plan, step, tensor);
    const int64_t all = hyp_row_count(&model->tensors[tensor].shape);
    HypBandInput input = {.rows = {0}};
    if (hyp_step_is_band(plan, step) &&
        !hyp_layer_band(model, layer, index, plan->bands[step], &input))
        return false;
    if (input.rows.count == 0)
        input.rows.count = all;
    return input.rows.first >= held.first &&
           input.rows.first + input.rows.count <= held.first + held.count;
}

static bool step_is_banded_well(const HyperionModel *model, const HypRunPlan *plan, int step)
{
    const HypLayer *layer = &model->layers[plan->steps[step]];
    const int result = layer->outputs[0];
    const int64_t all = hyp_row_count(&model->tensors[result].shape);
    const HypRows made = plan->bands[step];
    const int64_t held = plan->held_rows[result];
    for (int i = 0; i < layer->input_count; i++)
        if (!input_is_held(model, plan, step, i))
            return false;
    return made.first >= 0 && made.count >= 0 && made.first + made.count <= all &&
           (held == 0 || (made.count > 0 && made.count <= held));
}

static bool bands_are_valid(const HyperionModel *model, const HypRunPlan *plan)
{
    if (!plan->bands || !plan->held_rows)
        return !plan->bands && !plan->held_rows;
    for (int i = 0; i < model->tensor_count; i++) {
        const int root = hyp_model_root(model, i);
        if (plan->held_rows[i] < 0 ||
            plan->held_rows[i] > hyp_row_count(&model->tensors[i].shape) ||
            (plan->held_rows[root] && (root != i || !hyp_run_plan_places(model, i))))
            return false;
    }
    for (int i = 0; i < plan->step_count; i++)
        if (!step_is_banded_well(model, plan, i))
            return false;
    return !plan->placings;
}

bool hyp_run_plan_is_valid(const HyperionModel *model, const HypRunPlan *plan)
{
    for (int i = 0; i < plan->step_count; i++)
        if (plan->steps[i] < 0 || plan->steps[i] >= model->layer_count ||
            hyp_layer_is_view(model, &model->layers[plan->steps[i]]))
            return false;
    for (int i = 0; i < model->tensor_count; i++) {
        const size_t offset = plan->offsets[i];
        if ((offset != SIZE_MAX) != hyp_run_plan_places(model, i))
            return false;
        if (offset != SIZE_MAX && !is_place(model, plan, i, offset))
            return false;
    }
    return placings_are_valid(model, plan) && bands_are_valid(model, plan);
}

// Turns a tensor of the plan's memory on or off; others have no bytes here.
static void set_live(const HyperionModel *model, const HypRunPlan *plan, bool *live, int tensor,
                     bool now, size_t *bytes)
{
    const int root = hyp_model_root(model, tensor);
    if (plan->offsets[root] == SIZE_MAX || live[root] == now)
        return;
    live[root] = now;
    const size_t size_bytes = hyp_run_plan_tensor_bytes(model, plan, root);
    *bytes = now ? *bytes + size_bytes : *bytes - size_bytes;
}

void hyp_run_plan_live_bytes(const HyperionModel *model, const HypRunPlan *plan, bool *live,
                             size_t *before_bytes, size_t *after_bytes)
{
    memset(live, 0, (size_t)model->tensor_count * sizeof *live);
    size_t bytes = 0;
    int placing = plan->placing_count - 1;
    for (int step = plan->step_count; step-- > 0;) {
        const HypLayer *layer = &model->layers[plan->steps[step]];
        // A result that nobody reads is there all the same, right after its layer.
        for (int i = 0; i < layer->output_count; i++)
            set_live(model, plan, live, layer->outputs[i], true, &bytes);
        after_bytes[step] = bytes;
        for (int i = 0; i < layer->output_count; i++)
            if (!hyp_run_plan_goes_on(model, plan, step))
                set_live(model, plan, live, layer->outputs[i], false, &bytes);
        for (int i = 0; i < layer->input_count; i++)
            set_live(model, plan, live, layer->inputs[i], true, &bytes);
        before_bytes[step] = bytes;
        for (; placing >= 0 && plan->placings[placing].step == step; placing--)
            // What is placed here and not written was elsewhere before: on disk.
            if (plan->placings[placing].tensor != layer->outputs[0])
                set_live(model, plan, live, plan->placings[placing].tensor, false, &bytes);
    }
}
