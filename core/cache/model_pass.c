// SPDX-License-Identifier: Apache-2.0
#include "cache/model_pass.h"

#include "common/fail.h"
#include "model/executor.h"
#include "model/memory_layout.h"
#include "model/run_plan.h"
#include "model/thread_pool.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 4096 };

// Addresses from the next page on.
static void *place(HypModelPass *pass, size_t bytes)
{
    const uintptr_t start = pass->end;
    pass->end += (bytes / PAGE_BYTES + 1) * PAGE_BYTES;
    return (void *)start;
}

// Tensors that have memory of their own: all but activations and views.
static void place_tensors(HypModelPass *pass)
{
    const HyperionModel *model = pass->model;
    for (int i = 0; i < model->tensor_count; i++)
        if (model->tensors[i].view_of < 0 && pass->plan->offsets[i] == SIZE_MAX)
            pass->data[i] = model->tensors[i].data
                                ? model->tensors[i].data
                                : place(pass, model->tensors[i].shape.size_bytes);
    pass->activations = (uintptr_t)place(pass, pass->plan->activation_bytes);
}

static void place_packed(HypModelPass *pass)
{
    const HypRunPlan *plan = pass->plan;
    for (int i = 0; i < pass->model->layer_count; i++) {
        const bool packed = plan->packed[i] || plan->packed_on_load[i];
        const size_t bytes =
            packed ? hyp_memory_layout_layer_bytes(pass->model, i, &plan->blockings[i], pass->data)
                   : 0;
        if (bytes > 0)
            pass->packed[i] = place(pass, bytes);
    }
}

// Of the step that needs most.
static void count_workspace(HypModelPass *pass)
{
    hyp_model_pass_rewind(pass);
    for (int step = 0; step < pass->plan->step_count; step++) {
        const HypLayerRun run = hyp_model_pass_step(pass, step);
        const size_t bytes = hyp_step_workspace_bytes(pass->bands, pass->plan, step, &run);
        pass->workspace_bytes = bytes > pass->workspace_bytes ? bytes : pass->workspace_bytes;
    }
}

bool hyp_model_pass_open(HypModelPass *pass, HyperionModel *model, int threads,
                         const HypDispatch *kernels)
{
    *pass = (HypModelPass){
        .model = model,
        .plan = hyp_model_prepared_plan(model),
        .data = (void **)calloc((size_t)model->tensor_count + 1, sizeof *pass->data),
        .packed = (void **)calloc((size_t)model->layer_count + 1, sizeof *pass->packed),
        .parallel = {.threads = (size_t)threads, .least_work = HYP_LEAST_WORK},
        .end = PAGE_BYTES};
    if (!pass->data || !pass->packed)
        return hyp_fail(HYPERION_ERROR_MEMORY, "predict model %s: out of memory", model->name);
    if (!pass->plan && !hyp_model_plan(model, &pass->own_plan))
        return false;
    pass->plan = pass->plan ? pass->plan : &pass->own_plan;
    if (kernels) {
        memcpy(&pass->own, model, sizeof pass->own);
        pass->own.settings.dispatch = *kernels;
        pass->model = &pass->own;
    }
    pass->bands = pass->plan->bands ? hyp_band_room_create(pass->model) : NULL;
    if (pass->plan->bands && !pass->bands)
        return false;
    place_tensors(pass);
    place_packed(pass);
    count_workspace(pass);
    pass->workspace = place(pass, pass->workspace_bytes);
    return true;
}

void hyp_model_pass_close(HypModelPass *pass)
{
    hyp_run_plan_free(&pass->own_plan);
    hyp_band_room_free(pass->bands);
    free((void *)pass->data);
    free((void *)pass->packed);
}

void hyp_model_pass_rewind(HypModelPass *pass)
{
    pass->placing = 0;
    for (int i = 0; i < pass->model->tensor_count; i++)
        if (pass->plan->offsets[i] != SIZE_MAX)
            pass->data[i] = (void *)(pass->activations + pass->plan->offsets[i]);
}

HypLayerRun hyp_model_pass_step(HypModelPass *pass, int step)
{
    const HypRunPlan *plan = pass->plan;
    const int layer = plan->steps[step];
    hyp_run_plan_place(pass->model, plan, step, &pass->placing, pass->activations, pass->data);
    return (HypLayerRun){.model = pass->model,
                         .layer = &pass->model->layers[layer],
                         .data = pass->data,
                         .blocking = plan->blockings[layer],
                         .packed = pass->packed[layer],
                         .replaces = hyp_run_plan_replaces(pass->model, plan, layer),
                         .workspace = pass->workspace,
                         .parallel = &pass->parallel};
}

HypLayerRun hyp_model_pass_part(HypModelPass *pass, int step, const HypLayerRun *run)
{
    return hyp_step_is_band(pass->plan, step)
               ? hyp_step_band_run(pass->bands, pass->plan, step, run)
               : *run;
}

bool hyp_model_pass_copy(const HypModelPass *pass, int step, const HypLayerRun *run, int index,
                         HypBandCopy *copy)
{
    return hyp_step_is_band(pass->plan, step) && hyp_step_band_copy(pass->bands, run, index, copy);
}
