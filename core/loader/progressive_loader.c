// SPDX-License-Identifier: Apache-2.0
// Entry points of progressive_loader.h.
#include "hyperion/progressive_loader.h"

#include "common/fail.h"
#include "loader/loader.h"
#include "model/memory_layout.h"
#include "model/weight_bytes.h"

#include <stdlib.h>

// Also one that is not complete.
static void stop(HyperionProgressiveLoader *loader)
{
    if (loader->thread) {
        hyp_platform_enter(loader->monitor);
        loader->stopping = true;
        hyp_platform_notify(loader->monitor);
        hyp_platform_leave(loader->monitor);
        hyp_platform_join_thread(loader->thread);
    }
    hyp_layer_reader_free(loader->reader);
    hyp_platform_free_monitor(loader->monitor);
    free(loader);
}

HyperionProgressiveLoader *
hyperionCreateProgressiveLoader(const HyperionProgressiveLoaderConfig *config)
{
    const HyperionLoaderIOConfig defaults = {.backend = HYPERION_LOADER_BACKEND_AUTO};
    if (!config || config->prefetch_window < 0)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "create progressive loader: %s",
                             config ? "the prefetch window is negative"
                                    : "the configuration is NULL");
    HyperionProgressiveLoader *loader = calloc(1, sizeof *loader);
    if (!loader)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "create progressive loader: out of memory");
    *loader = (HyperionProgressiveLoader){
        .config = *config, .wanted = -1, .last_reader = -1, .io.valid = true};
    loader->monitor = hyp_platform_create_monitor();
    loader->reader = loader->monitor ? hyp_layer_reader_create(&defaults) : NULL;
    if (loader->reader) {
        hyp_loader_note_reader(loader);
        loader->thread = hyp_platform_start_thread(hyp_loader_work, loader, -1);
    }
    if (loader->thread)
        return loader;
    stop(loader);
    return NULL;
}

void hyperionFreeProgressiveLoader(HyperionProgressiveLoader *loader)
{
    if (!loader || (loader->model && !hyp_model_detach(loader->model, HYP_ATTACHED_LOADER)))
        return;
    if (loader->model)
        hyp_loader_forget_model(loader);
    stop(loader);
}

// What the rows of weights are folded with.
static bool read_folds(HyperionModel *model)
{
    for (int i = 0; i < model->tensor_count; i++)
        if (model->tensors[i].role == HYP_TENSOR_WEIGHT && !hyp_weights_read_folds(model, i))
            return false;
    return true;
}

static bool has_placed(const HypResidency *residency, int tensor)
{
    for (int i = 0; i < residency->layer_count; i++)
        for (int j = 0; j < residency->layers[i].source.weight_count; j++)
            if (residency->layers[i].source.weights[j].tensor == tensor)
                return true;
    return false;
}

static bool is_fold(const HyperionModel *model, int tensor)
{
    for (int i = 0; i < model->tensor_count; i++) {
        const HypRowFold *rows = &model->tensors[i].rows;
        if ((rows->scaled && rows->scale == tensor) || (rows->shifted && rows->shift == tensor))
            return true;
    }
    return false;
}

// What the loader brings from now on.
static void drop_weights(const HypResidency *residency, HyperionModel *model)
{
    for (int i = 0; i < model->tensor_count; i++)
        if (model->tensors[i].role == HYP_TENSOR_WEIGHT && model->tensors[i].view_of < 0 &&
            model->tensors[i].data && has_placed(residency, i) && !is_fold(model, i))
            hyp_weights_drop(model, i);
}

static bool check_attach(const HyperionProgressiveLoader *loader, const HyperionModel *model)
{
    if (!loader || !model)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "attach model: %s is NULL",
                        loader ? "the model" : "the loader");
    return !loader->model ||
           hyp_fail(HYPERION_ERROR_BUSY, "attach model %s: the loader is attached to model %s",
                    model->name, loader->model->name);
}

bool hyperionAttachModel(HyperionProgressiveLoader *loader, HyperionModel *model)
{
    HypResidency residency = {0};
    if (!check_attach(loader, model) || !hyp_model_begin_change(model, "attach model"))
        return false;
    const bool made = hyp_residency_create(&residency, model, loader->config.max_memory_usage) &&
                      read_folds(model);
    hyp_model_end_change(model);
    if (!made || !hyp_model_attach(model, HYP_ATTACHED_LOADER, &hyp_loader_hooks, loader)) {
        hyp_residency_free(&residency);
        return false;
    }
    if (hyp_model_begin_change(model, "attach model")) {
        drop_weights(&residency, model);
        hyp_memory_layout_release(model);
        hyp_model_end_change(model);
    }
    hyp_platform_enter(loader->monitor);
    loader->residency = residency;
    loader->model = model;
    hyp_platform_leave(loader->monitor);
    return true;
}

bool hyp_loader_enter(const HyperionProgressiveLoader *loader, const char *call, int layer_index)
{
    if (!loader)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: the loader is NULL", call);
    hyp_platform_enter(loader->monitor);
    if (loader->model && layer_index >= 0 && layer_index < loader->residency.layer_count)
        return true;
    if (!loader->model)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: no model is attached, see hyperionAttachModel",
                       call);
    else
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: expected a layer from 0 to %d, given %d", call,
                       loader->residency.layer_count - 1, layer_index);
    hyp_platform_leave(loader->monitor);
    return false;
}

bool hyperionLoadLayer(HyperionProgressiveLoader *loader, int layer_index)
{
    if (!hyp_loader_enter(loader, "load layer", layer_index))
        return false;
    HypResidentLayer *layer = &loader->residency.layers[layer_index];
    layer->requested = layer->status != HYPERION_LAYER_STATUS_LOADED;
    const bool loaded =
        hyp_loader_await(loader, layer_index) || hyp_loader_fail(loader, "load layer", layer_index);
    hyp_platform_leave(loader->monitor);
    return loaded;
}

bool hyperionUnloadLayer(HyperionProgressiveLoader *loader, int layer_index)
{
    if (!hyp_loader_enter(loader, "unload layer", layer_index))
        return false;
    const HypResidentLayer *layer = &loader->residency.layers[layer_index];
    const bool is_busy = layer->in_use || layer->requested ||
                         layer->status == HYPERION_LAYER_STATUS_QUEUED ||
                         layer->status == HYPERION_LAYER_STATUS_LOADING;
    if (is_busy)
        (void)hyp_fail(HYPERION_ERROR_BUSY, "unload layer: layer %d, %s, is %s", layer_index,
                       loader->model->layers[layer_index].name,
                       layer->in_use ? "in use" : "being loaded");
    else if (layer->block)
        hyp_residency_unload(&loader->residency, layer_index);
    hyp_platform_notify(loader->monitor);
    hyp_platform_leave(loader->monitor);
    return !is_busy;
}

HyperionLayerStatus hyperionGetLayerStatus(const HyperionProgressiveLoader *loader, int layer_index)
{
    if (!hyp_loader_enter(loader, "get layer status", layer_index))
        return HYPERION_LAYER_STATUS_INVALID;
    const HyperionLayerStatus status = loader->residency.layers[layer_index].status;
    hyp_platform_leave(loader->monitor);
    return status;
}

void hyperionSetLayerPriority(HyperionProgressiveLoader *loader, int layer_index, int priority)
{
    if (!hyp_loader_enter(loader, "set layer priority", layer_index))
        return;
    loader->residency.layers[layer_index].priority = priority;
    hyp_platform_notify(loader->monitor);
    hyp_platform_leave(loader->monitor);
}

HyperionMemoryStats hyperionGetProgressiveLoaderStats(const HyperionProgressiveLoader *loader)
{
    if (!loader)
        return (HyperionMemoryStats){.valid =
                                         hyp_fail(HYPERION_ERROR_ARGUMENT,
                                                  "get progressive loader stats: the loader is "
                                                  "NULL")};
    hyp_platform_enter(loader->monitor);
    const HypResidency *residency = &loader->residency;
    HyperionMemoryStats stats = {.current_bytes = residency->held_bytes,
                                 .peak_bytes = residency->peak_bytes,
                                 .budget_bytes = loader->config.max_memory_usage,
                                 .allocation_count = residency->allocation_count,
                                 .reuse_count = residency->reuse_count,
                                 .valid = true};
    for (int i = 0; i < residency->layer_count; i++) {
        const HypLayerSource *source = &residency->layers[i].source;
        stats.naive_bytes += source->kept_bytes;
        if (source->size_bytes > stats.lower_bound_bytes)
            stats.lower_bound_bytes = source->size_bytes;
    }
    hyp_platform_leave(loader->monitor);
    stats.planned_bytes = stats.budget_bytes && stats.budget_bytes < stats.naive_bytes
                              ? stats.budget_bytes
                              : stats.naive_bytes;
    return stats;
}
