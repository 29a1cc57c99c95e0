// SPDX-License-Identifier: Apache-2.0
// load_queue.c - what is loaded next, and the threads that do it.
#include "loader/loader.h"

#include "common/fail.h"
#include "platform/platform.h"

#include <stdio.h>

static bool is_waiting(const HypResidentLayer *layer)
{
    return layer->status == HYPERION_LAYER_STATUS_UNLOADED ||
           layer->status == HYPERION_LAYER_STATUS_QUEUED;
}

static void end_load(HypResidentLayer *layer, bool succeeded)
{
    layer->status = succeeded ? HYPERION_LAYER_STATUS_LOADED : HYPERION_LAYER_STATUS_FAILED;
    layer->succeeded = succeeded;
    layer->requested = false;
    layer->load_count++;
    if (succeeded)
        return;
    layer->error_kind = hyperionGetLastErrorKind();
    (void)snprintf(layer->error, sizeof layer->error, "%s", hyperionGetLastError());
}

// The first of the layers that calls wait for and that there is room for; -1: none.
static int take_requested(HyperionProgressiveLoader *loader)
{
    HypResidency *residency = &loader->residency;
    for (int i = 0; i < residency->layer_count; i++) {
        HypResidentLayer *layer = &residency->layers[i];
        if (!layer->requested || !is_waiting(layer))
            continue;
        if (hyp_residency_reserve(residency, i, HYP_ROOM_FOR_CALL))
            return i;
        if (!hyp_residency_is_pinned_full(residency, i))
            continue;
        (void)hyp_fail(HYPERION_ERROR_MEMORY,
                       "needs %zu bytes, and pinned layers leave no room within the cap of %zu",
                       layer->source.size_bytes, residency->cap_bytes);
        end_load(layer, false);
        hyp_platform_notify(loader->monitor);
    }
    return -1;
}

// The next of the layers ahead of the step under way, in their order; -1: none, or no room yet.
static int take_ahead(HyperionProgressiveLoader *loader)
{
    HypResidency *residency = &loader->residency;
    int left = loader->io.window;
    for (int i = loader->step + 1; loader->steps && i < loader->step_count && left > 0; i++) {
        const int index = loader->steps[i];
        const HypResidentLayer *layer = &residency->layers[index];
        if (layer->source.size_bytes == 0)
            continue;
        left--;
        if (is_waiting(layer))
            return hyp_residency_reserve(residency, index, HYP_ROOM_FOR_PREFETCH) ? index : -1;
    }
    return -1;
}

// A layer to load, its bytes taken; -1: none.
static int take_next(HyperionProgressiveLoader *loader)
{
    const int wanted = loader->wanted;
    if (!loader->model)
        return -1;
    if (wanted >= 0 && is_waiting(&loader->residency.layers[wanted]))
        return hyp_residency_reserve(&loader->residency, wanted, HYP_ROOM_FOR_RUN) ? wanted : -1;
    const int requested = take_requested(loader);
    return requested >= 0 ? requested : take_ahead(loader);
}

// With the monitor held, and left while the program's function runs.
static void tell_progress(HyperionProgressiveLoader *loader, int index)
{
    const HypResidentLayer *layer = &loader->residency.layers[index];
    const HypLoaderProgress told = loader->progress;
    const size_t size_bytes = layer->source.size_bytes;
    const HyperionLoaderProgress progress = {.layer = index,
                                             .done_bytes = size_bytes,
                                             .layer_bytes = size_bytes,
                                             .loaded_bytes = loader->io.loaded_bytes,
                                             .elapsed_ns =
                                                 layer->load_end_ns - layer->load_start_ns};
    if (!told.function)
        return;
    loader->progress.call_count++;
    hyp_platform_leave(loader->monitor);
    told.function(told.user_data, &progress);
    hyp_platform_enter(loader->monitor);
    loader->progress.call_count--;
}

// With the monitor left while bytes come.
static void load(HyperionProgressiveLoader *loader, int index)
{
    HypResidentLayer *layer = &loader->residency.layers[index];
    const HyperionModel *model = loader->model;
    void *block = layer->block;
    loader->loading_count++;
    hyp_platform_leave(loader->monitor);
    const uint64_t start_ns = hyp_platform_now_ns();
    if (!block)
        block = hyp_platform_map(layer->source.size_bytes);
    const bool succeeded = block && hyp_layer_source_read(model, &layer->source, block);
    const uint64_t end_ns = hyp_platform_now_ns();
    hyp_platform_enter(loader->monitor);
    layer->block = block;
    layer->load_start_ns = start_ns;
    layer->load_end_ns = end_ns;
    loader->io.load_count++;
    loader->io.failed_count += !succeeded;
    if (succeeded)
        loader->io.loaded_bytes += layer->source.size_bytes;
    else
        hyp_residency_release(&loader->residency, index);
    if (succeeded)
        tell_progress(loader, index);
    end_load(layer, succeeded);
    loader->loading_count--;
    hyp_platform_notify(loader->monitor);
}

void hyp_loader_work(void *opaque)
{
    HyperionProgressiveLoader *loader = opaque;
    hyp_platform_enter(loader->monitor);
    while (!loader->stopping) {
        const int layer = take_next(loader);
        if (layer >= 0)
            load(loader, layer);
        else
            hyp_platform_wait(loader->monitor);
    }
    hyp_platform_leave(loader->monitor);
}

bool hyp_loader_await(HyperionProgressiveLoader *loader, int index)
{
    HypResidentLayer *layer = &loader->residency.layers[index];
    if (layer->status == HYPERION_LAYER_STATUS_LOADED)
        return true;
    const uint64_t before = layer->load_count;
    loader->caller_count++;
    if (layer->status != HYPERION_LAYER_STATUS_LOADING)
        layer->status = HYPERION_LAYER_STATUS_QUEUED;
    hyp_platform_notify(loader->monitor);
    while (loader->model && layer->load_count == before)
        hyp_platform_wait(loader->monitor);
    const bool succeeded = loader->model && layer->succeeded;
    loader->caller_count--;
    if (!loader->model)
        hyp_platform_notify(loader->monitor);
    return succeeded;
}

bool hyp_loader_fail(const HyperionProgressiveLoader *loader, const char *call, int index)
{
    if (!loader->model)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: the model was detached meanwhile", call);
    const HypResidentLayer *layer = &loader->residency.layers[index];
    return hyp_fail(layer->error_kind, "%s: layer %d, %s: %s", call, index,
                    loader->model->layers[index].name, layer->error);
}

void hyp_loader_forget_model(void *opaque)
{
    HyperionProgressiveLoader *loader = opaque;
    hyp_platform_enter(loader->monitor);
    loader->model = NULL;
    hyp_platform_notify(loader->monitor);
    while (loader->loading_count > 0 || loader->caller_count > 0)
        hyp_platform_wait(loader->monitor);
    hyp_residency_free(&loader->residency);
    hyp_platform_leave(loader->monitor);
}
