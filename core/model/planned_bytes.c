// SPDX-License-Identifier: Apache-2.0
// planned_bytes.c - what the next run of a model will allocate, without allocating it.
#include "common/fail.h"
#include "model/band.h"
#include "model/executor.h"
#include "model/memory_layout.h"
#include "model/run_plan.h"
#include "model/thread_pool.h"
#include "model/weight_bytes.h"

#include <stdlib.h>

// Scratch of the step that needs most. `data` is room for the places of all tensors.
static size_t count_workspace(const HyperionModel *model, const HypRunPlan *plan, HypBandRoom *room,
                              void **data)
{
    static const float place = 0; // of a packed weight, which is not looked at
    const HyperionParallel parallel = hyperionThreadPoolParallel(model->pool);
    size_t most_bytes = 0;
    for (int i = 0; i < plan->step_count; i++) {
        const int layer = plan->steps[i];
        HypLayerRun run = {.model = model,
                           .layer = &model->layers[layer],
                           .data = data,
                           .blocking = plan->blockings[layer],
                           .parallel = &parallel};
        if (plan->packed[layer] &&
            hyp_memory_layout_layer_bytes(model, layer, &run.blocking, data) > 0)
            run.packed = &place;
        const size_t needed_bytes = hyp_step_workspace_bytes(room, plan, i, &run);
        most_bytes = needed_bytes > most_bytes ? needed_bytes : most_bytes;
    }
    return most_bytes;
}

static bool count_weights(const HyperionModel *model, size_t *weight_bytes)
{
    const HypExecutorHooks *loader = model->attached.of[HYP_ATTACHED_LOADER].hooks;
    *weight_bytes = 0;
    if (loader && loader->provides_weights)
        return true;
    *weight_bytes = hyp_weights_needed_bytes(model);
    return *weight_bytes != SIZE_MAX;
}

static bool count_bytes(const HyperionModel *model, const HypRunPlan *plan, HypHeldBytes *bytes)
{
    void **data = (void **)calloc((size_t)model->tensor_count + 1, sizeof *data);
    HypBandRoom *room = data ? hyp_band_room_create(model) : NULL;
    if (room) {
        bytes->activation_bytes = plan->activation_bytes;
        bytes->workspace_bytes = count_workspace(model, plan, room, data);
    }
    const bool counted =
        room || hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
    free((void *)data);
    hyp_band_room_free(room);
    return counted && count_weights(model, &bytes->weight_bytes) &&
           hyp_memory_layout_plan_bytes(model, plan, &bytes->packed_bytes);
}

bool hyp_model_plan(HyperionModel *model, HypRunPlan *plan)
{
    *plan = (HypRunPlan){0};
    return hyp_model_start_threads(model) && hyp_run_plan_create(model, plan) &&
           hyp_hooks_plan_unseen(model, plan);
}

bool hyp_model_planned_bytes(HyperionModel *model, HypHeldBytes *bytes)
{
    HypRunPlan plan;
    const bool planned = hyp_model_plan(model, &plan) && count_bytes(model, &plan, bytes);
    hyp_run_plan_free(&plan);
    return planned;
}
