// SPDX-License-Identifier: Apache-2.0
// streaming_run.c - a run with a loader attached: each step waits for its weights, and those of the
// next steps are read meanwhile.
#include "loader/loader.h"

#include "hyperion/planners.h"

#include "common/fail.h"
#include "model/memory_layout.h"
#include "platform/platform.h"

#include <stdlib.h>

// What the plan wants packed once is packed when it is loaded: a copy for all runs would stay
// outside of the cap. With nothing being loaded.
static bool plan_layer(HyperionProgressiveLoader *loader, const HyperionModel *model, int index,
                       HypRunPlan *plan)
{
    const HypResidentLayer *layer = &loader->residency.layers[index];
    const HypLayerPacking *present = &layer->source.packing;
    HypLayerPacking packing = {0};
    if (plan->packed[index] && !hyp_layer_source_find_packing(model, index, &plan->blockings[index],
                                                              &layer->source, &packing))
        return false;
    const bool is_same = packing.packed_bytes == present->packed_bytes &&
                         hyp_memory_layout_is_alike(&packing.blocking, &present->blocking);
    if (!is_same && !hyp_residency_set_packing(&loader->residency, model, index, &packing))
        return false;
    plan->packed[index] = false;
    plan->packed_on_load[index] = present->packed_bytes > 0;
    return true;
}

static bool plan_run(void *context, const HyperionModel *model, HypRunPlan *plan)
{
    HyperionProgressiveLoader *loader = context;
    if (model->layer_count != loader->residency.layer_count)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "run model %s: it had %d layers when its loader was attached, now %d: "
                        "free the loader and attach another",
                        model->name, loader->residency.layer_count, model->layer_count);
    bool planned = true;
    hyp_loader_pause(loader);
    for (int i = 0; i < model->layer_count && planned; i++)
        planned = plan_layer(loader, model, i, plan);
    hyp_loader_go_on(loader);
    return planned;
}

// The steps until each layer runs, from step `at` on and, since runs repeat, round to it again.
static void find_next_uses(HyperionProgressiveLoader *loader, int at)
{
    for (int i = loader->step_count; i-- > 0;) {
        const int step = (at + i) % loader->step_count;
        loader->residency.layers[loader->steps[step]].next_use = (size_t)i;
    }
}

// Measured times of layers with weights, as far as all are known, decide; SIZE_MAX: they do not.
static size_t choose_window(const HyperionProgressiveLoader *loader, size_t most)
{
    const size_t count = (size_t)loader->step_count;
    double *times = calloc(2 * count + 1, sizeof *times);
    size_t *size_bytes = calloc(count + 1, sizeof *size_bytes);
    HyperionPipeline pipeline = {.load = times, .compute = times + count, .size_bytes = size_bytes};
    bool known = times && size_bytes;
    for (size_t i = 0; i < count && known; i++) {
        const HypResidentLayer *layer = &loader->residency.layers[loader->steps[i]];
        const size_t place = pipeline.layer_count;
        if (layer->source.size_bytes == 0)
            continue;
        known = layer->load_end_ns > 0 && layer->compute_end_ns > 0;
        times[place] = (double)(layer->load_end_ns - layer->load_start_ns);
        times[count + place] = (double)(layer->compute_end_ns - layer->compute_start_ns);
        size_bytes[place] = layer->source.size_bytes;
        pipeline.layer_count++;
    }
    const size_t window =
        known ? hyperionChoosePrefetchWindow(&pipeline, most, loader->residency.cap_bytes)
              : SIZE_MAX;
    free(times);
    free(size_bytes);
    return window;
}

static bool begin_run(void *context, const HypRun *run)
{
    HyperionProgressiveLoader *loader = context;
    const HyperionProgressiveLoaderConfig *config = &loader->config;
    hyp_platform_enter(loader->monitor);
    loader->steps = run->plan->steps;
    loader->step_count = run->plan->step_count;
    loader->step = -1;
    loader->last_reader = -1;
    loader->residency.is_running = true;
    size_t window = config->enable_prefetch ? (size_t)config->prefetch_window : 0;
    if (config->enable_adaptive_window) {
        const size_t chosen = choose_window(loader, window);
        window = chosen == SIZE_MAX ? window : chosen;
    }
    hyp_loader_note_window(loader, (int)window);
    hyp_platform_leave(loader->monitor);
    return true;
}

// The time since a layer had its weights is what it, and those without weights behind it, took.
static void note_computed(HyperionProgressiveLoader *loader, uint64_t now_ns)
{
    if (loader->last_reader >= 0) {
        HypResidentLayer *layer = &loader->residency.layers[loader->last_reader];
        layer->compute_start_ns = loader->last_reader_ns;
        layer->compute_end_ns = now_ns;
    }
    loader->last_reader = -1;
}

static bool await_weights(HyperionProgressiveLoader *loader, int index)
{
    HypResidentLayer *layer = &loader->residency.layers[index];
    const uint64_t start_ns = hyp_platform_now_ns();
    note_computed(loader, start_ns);
    if (layer->status == HYPERION_LAYER_STATUS_LOADED) {
        if (layer->was_used)
            loader->io.hit_count++;
        else
            loader->io.prefetched_count++;
    } else {
        loader->io.wait_count++;
        loader->wanted = index;
        loader->wanted_ns = start_ns;
        layer->in_use = true; // or a call of another thread might evict it before this one wakes
        const bool loaded = hyp_loader_await(loader, index);
        loader->wanted = -1;
        loader->io.stall_ns += hyp_platform_now_ns() - start_ns;
        if (!loaded) {
            layer->in_use = false;
            return false;
        }
    }
    layer->in_use = true;
    loader->last_reader = index;
    loader->last_reader_ns = hyp_platform_now_ns();
    return true;
}

static void point_at_weights(const HypRun *run, const HypResidentLayer *resident)
{
    const HypLayer *layer = &run->model->layers[run->layer];
    if (run->plan->packed_on_load[run->layer])
        run->packed[run->layer] = resident->block; // which begins with it
    for (int i = 0; i < layer->input_count; i++)
        for (int j = 0; j < resident->source.weight_count; j++) {
            const HypPlacedWeight *weight = &resident->source.weights[j];
            if (weight->offset != SIZE_MAX &&
                hyp_model_root(run->model, layer->inputs[i]) == weight->tensor) {
                run->data[layer->inputs[i]] = (char *)resident->block + weight->offset;
                run->data[weight->tensor] = run->data[layer->inputs[i]];
            }
        }
}

static bool before_step(void *context, const HypRun *run)
{
    HyperionProgressiveLoader *loader = context;
    HypResidentLayer *layer = &loader->residency.layers[run->layer];
    HypLoad load = {.layer = run->layer, .size_bytes = layer->source.kept_bytes};
    bool ready = true;
    hyp_platform_enter(loader->monitor);
    loader->step = run->step;
    find_next_uses(loader, run->step);
    if (layer->source.size_bytes > 0) {
        ready = await_weights(loader, run->layer);
        if (ready) {
            load.start_ns = layer->was_used ? 0 : layer->load_start_ns;
            load.end_ns = layer->load_end_ns;
            layer->was_used = true;
            point_at_weights(run, layer);
        } else {
            (void)hyp_loader_fail(loader, "run model", run->layer);
        }
    }
    hyp_platform_notify(loader->monitor);
    hyp_platform_leave(loader->monitor);
    if (load.start_ns)
        hyp_run_note_load(run->model, &load);
    return ready;
}

static void after_step(void *context, const HypRun *run)
{
    HyperionProgressiveLoader *loader = context;
    hyp_platform_enter(loader->monitor);
    loader->residency.layers[run->layer].in_use = false;
    find_next_uses(loader, (run->step + 1) % loader->step_count);
    hyp_platform_notify(loader->monitor);
    hyp_platform_leave(loader->monitor);
}

static void end_run(void *context, bool succeeded)
{
    HyperionProgressiveLoader *loader = context;
    HypResidency *residency = &loader->residency;
    hyp_platform_enter(loader->monitor);
    if (succeeded)
        note_computed(loader, hyp_platform_now_ns());
    for (int i = 0; i < residency->layer_count; i++) {
        residency->layers[i].in_use = false;
        residency->layers[i].next_use = (size_t)i;
    }
    residency->is_running = false;
    loader->steps = NULL;
    loader->step_count = 0;
    hyp_platform_leave(loader->monitor);
}

const HypExecutorHooks hyp_loader_hooks = {.plan = plan_run,
                                           .begin_run = begin_run,
                                           .before_step = before_step,
                                           .after_step = after_step,
                                           .end_run = end_run,
                                           .detached = hyp_loader_forget_model,
                                           .provides_weights = true};
