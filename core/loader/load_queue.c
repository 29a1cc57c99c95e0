// SPDX-License-Identifier: Apache-2.0
// load_queue.c - what is loaded next, and the thread that does it.
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

// Takes the bytes of a layer that a call waits for, or says that they are not to be had; false: not
// now.
static bool take_for_call(HyperionProgressiveLoader *loader, int index)
{
    HypResidency *residency = &loader->residency;
    HypResidentLayer *layer = &residency->layers[index];
    if (hyp_residency_reserve(residency, index, HYP_ROOM_FOR_CALL))
        return true;
    if (!hyp_residency_is_pinned_full(residency, index))
        return false;
    (void)hyp_fail(HYPERION_ERROR_MEMORY,
                   "needs %zu bytes, and pinned layers leave no room within the cap of %zu",
                   layer->source.size_bytes, residency->cap_bytes);
    end_load(layer, false);
    hyp_platform_notify(loader->monitor);
    return false;
}

// The first of the layers that calls wait for and that there is room for; -1: none.
static int take_requested(HyperionProgressiveLoader *loader)
{
    for (int i = 0; i < loader->residency.layer_count; i++) {
        const HypResidentLayer *layer = &loader->residency.layers[i];
        if (layer->requested && is_waiting(layer) && take_for_call(loader, i))
            return i;
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

// A block of just that size, made of one that was kept, if any. NULL, last error set, when out of
// memory.
static void *make_block(HypSpareBlock base, size_t size_bytes)
{
    if (base.size_bytes == size_bytes)
        return base.block;
    return base.block ? hyp_platform_remap(base.block, base.size_bytes, size_bytes)
                      : hyp_platform_map(size_bytes);
}

// A load has ended, or never began; with the monitor held.
static void finish(HyperionProgressiveLoader *loader, int index, bool succeeded)
{
    HypResidentLayer *layer = &loader->residency.layers[index];
    loader->io.load_count++;
    loader->io.failed_count += !succeeded;
    if (succeeded) {
        loader->io.loaded_bytes += layer->source.kept_bytes;
        hyp_residency_settle(&loader->residency, index);
    } else {
        hyp_residency_release(&loader->residency, index);
    }
    end_load(layer, succeeded);
    loader->loading_count--;
    hyp_platform_notify(loader->monitor);
}

// Begins the load of a layer whose bytes are taken; with the monitor left meanwhile.
static void begin_load(HyperionProgressiveLoader *loader, int index)
{
    const HyperionModel *model = loader->model;
    HypResidentLayer *layer = &loader->residency.layers[index];
    const HypLayerSource *source = &layer->source;
    const HypSpareBlock base = {layer->block, layer->block_bytes};
    const uint64_t begin_ns = index == loader->wanted ? loader->wanted_ns : hyp_platform_now_ns();
    loader->loading_count++;
    hyp_platform_leave(loader->monitor);
    void *block = make_block(base, source->size_bytes);
    if (block)
        hyp_layer_reader_begin(loader->reader, model, index, source, block, begin_ns);
    hyp_platform_enter(loader->monitor);
    if (block) {
        layer->block = block;
        layer->block_bytes = source->size_bytes;
    } else {
        finish(loader, index, false);
    }
}

// Begins the next load, if there is one that can be.
static bool begin_next(HyperionProgressiveLoader *loader)
{
    if (loader->is_paused || !hyp_layer_reader_has_room(loader->reader))
        return false;
    const int index = take_next(loader);
    if (index >= 0)
        begin_load(loader, index);
    return index >= 0;
}

// Tells the program how far a load is; with the monitor left while its function runs.
static void tell_progress(HyperionProgressiveLoader *loader, const HypReaderReport *report)
{
    const HypLoaderProgress told = loader->progress;
    const HyperionLoaderProgress progress = {
        .layer = report->layer,
        .done_bytes = report->done_bytes,
        .layer_bytes = loader->residency.layers[report->layer].source.stored_bytes,
        .loaded_bytes = loader->io.loaded_bytes + report->done_bytes,
        .elapsed_ns = hyp_platform_now_ns() - report->begin_ns};
    if (!told.function || report->event == HYP_READER_FAILED)
        return;
    loader->progress.is_called = true;
    hyp_platform_leave(loader->monitor);
    told.function(told.user_data, &progress);
    hyp_platform_enter(loader->monitor);
    loader->progress.is_called = false;
    hyp_platform_notify(loader->monitor);
}

// With the monitor held.
static void take_report(HyperionProgressiveLoader *loader, const HypReaderReport *report)
{
    HypResidentLayer *layer = &loader->residency.layers[report->layer];
    hyp_loader_note_reader(loader);
    tell_progress(loader, report);
    if (report->event != HYP_READER_LOADED && report->event != HYP_READER_FAILED)
        return;
    layer->load_start_ns = report->start_ns;
    layer->load_end_ns = report->end_ns;
    if (report->event == HYP_READER_FAILED)
        (void)hyp_fail(report->error_kind, "%s", report->error);
    finish(loader, report->layer, report->event == HYP_READER_LOADED);
}

// Gives back what a packed weight was made of; a block that gets smaller stays where it is.
static void let_go(const HypResidentLayer *layer)
{
    const HypLayerSource *source = &layer->source;
    if (source->kept_bytes < source->size_bytes)
        (void)hyp_platform_remap(layer->block, source->size_bytes, source->kept_bytes);
}

// Handles what comes next of the loads under way, with the monitor left meanwhile. False: none is.
static bool read_on(HyperionProgressiveLoader *loader)
{
    HypReaderReport report;
    if (hyp_layer_reader_is_idle(loader->reader))
        return false;
    hyp_platform_leave(loader->monitor);
    hyp_layer_reader_step(loader->reader, &report);
    if (report.event == HYP_READER_LOADED)
        let_go(&loader->residency.layers[report.layer]);
    hyp_platform_enter(loader->monitor);
    take_report(loader, &report);
    return true;
}

// Something of what there is to do; with the monitor held, and left meanwhile. False: there is
// nothing, or a thread that waits does it.
static bool work_once(HyperionProgressiveLoader *loader)
{
    if (loader->is_worked)
        return false;
    loader->is_worked = true;
    const bool worked = begin_next(loader) || read_on(loader);
    loader->is_worked = false;
    return worked;
}

void hyp_loader_work(void *opaque)
{
    HyperionProgressiveLoader *loader = opaque;
    hyp_platform_enter(loader->monitor);
    while (!loader->stopping)
        if (!work_once(loader))
            hyp_platform_wait(loader->monitor);
    hyp_platform_leave(loader->monitor);
}

// Has a layer read by the calling thread while there is nothing else to read: that is sooner than
// to wake the loader's. Nothing else is begun, since io_uring drops what a thread has asked for
// when that thread ends.
static void read_myself(HyperionProgressiveLoader *loader, int index)
{
    HypResidentLayer *layer = &loader->residency.layers[index];
    const uint64_t before = layer->load_count;
    const bool is_for_run = index == loader->wanted;
    const bool is_free = !loader->is_worked && !loader->is_paused && is_waiting(layer) &&
                         hyp_layer_reader_is_idle(loader->reader);
    if (!is_free || (loader->wanted >= 0 && !is_for_run) ||
        !(is_for_run ? hyp_residency_reserve(&loader->residency, index, HYP_ROOM_FOR_RUN)
                     : take_for_call(loader, index)))
        return;
    loader->is_worked = true;
    begin_load(loader, index);
    while (layer->load_count == before)
        (void)read_on(loader);
    loader->is_worked = false;
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
    read_myself(loader, index);
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
    hyp_layer_reader_forget_model(loader->reader);
    hyp_residency_free(&loader->residency);
    hyp_platform_leave(loader->monitor);
}
