// SPDX-License-Identifier: Apache-2.0
#include "model/graph.h"

#include "common/fail.h"
#include "common/text.h"
#include "model/executor.h"
#include "model/memory_layout.h"
#include "model/thread_pool.h"
#include "model/weight_copies.h"

#include <stdlib.h>

HyperionModel *hyperionCreateModel(const char *name)
{
    if (!name)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "create model: name is NULL");
    HyperionModel *model = calloc(1, sizeof *model);
    if (!model)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "create model %s: out of memory", name);
    atomic_init(&model->held, false);
    model->settings = (HypModelSettings){
        .dispatch = hyp_dispatch_create(hyperionGetSIMDCapabilities().best_level),
        .cache = {.enable_prefetch = true, .prefetch_distance = 8},
        .topology = hyperionGetHostCacheTopology(),
        .thread_count = 1,
    };
    model->name = hyp_text_copy(name);
    if (!model->name) {
        hyperionFreeModel(model);
        return NULL;
    }
    return model;
}

void hyperionFreeModel(HyperionModel *model)
{
    if (!model || !hyp_model_hold(model, "free model"))
        return;
    hyp_pass_end(model, false);
    hyp_hooks_detach_all(model);
    hyperionFreeThreadPool(model->pool);
    hyp_model_drop_preparation(model);
    hyp_weight_copies_free(model->weight_copies);
    hyp_memory_layout_free(model->memory_layout);
    for (int i = 0; i < model->tensor_count; i++) {
        free(model->tensors[i].name);
        hyp_platform_release(model->tensors[i].data);
    }
    for (int i = 0; i < model->layer_count; i++) {
        free(model->layers[i].name);
        free(model->layers[i].inputs);
    }
    hyp_name_map_free(&model->tensor_names);
    for (int i = 0; i < model->file_count; i++)
        hyp_platform_close(model->files[i]);
    free((void *)model->files);
    free(model->tensors);
    free(model->layers);
    free(model->inputs);
    free(model->outputs);
    free(model->weight_runs);
    free(model->fusions);
    free(model->name);
    free(model);
}

bool hyp_model_hold(HyperionModel *model, const char *call)
{
    if (!model)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: model is NULL", call);
    if (atomic_exchange(&model->held, true))
        return hyp_fail(HYPERION_ERROR_BUSY, "%s: model %s is in use by another call", call,
                        model->name);
    return true;
}

bool hyp_model_begin_change(HyperionModel *model, const char *call)
{
    if (!hyp_model_hold(model, call))
        return false;
    hyp_model_drop_preparation(model);
    model->change_count++;
    return true;
}

void hyp_model_end_change(HyperionModel *model)
{
    atomic_store(&model->held, false);
}

bool hyp_model_is_running(const HyperionModel *model)
{
    return atomic_load(&model->held);
}

int hyp_model_root(const HyperionModel *model, int tensor)
{
    const int viewed = model->tensors[tensor].view_of;
    return viewed < 0 ? tensor : viewed;
}
