// SPDX-License-Identifier: Apache-2.0
// loader_io.c - entry points of progressive_loader.h about reads: how, how far, and when.
#include "common/fail.h"
#include "loader/loader.h"
#include "platform/platform.h"

#include <string.h>

static const char *const backend_names[HYPERION_LOADER_BACKEND_COUNT] = {
    [HYPERION_LOADER_BACKEND_AUTO] = "auto",
    [HYPERION_LOADER_BACKEND_URING] = "uring",
    [HYPERION_LOADER_BACKEND_THREADS] = "threads",
};

static const char *const mode_names[HYPERION_LOADER_MODE_COUNT] = {
    [HYPERION_LOADER_MODE_BUFFERED] = "buffered",
    [HYPERION_LOADER_MODE_DIRECT] = "direct",
    [HYPERION_LOADER_MODE_DONTNEED] = "dontneed",
};

const char *hyperionLoaderBackendName(HyperionLoaderBackend backend)
{
    return (unsigned)backend < HYPERION_LOADER_BACKEND_COUNT ? backend_names[backend] : NULL;
}

const char *hyperionLoaderModeName(HyperionLoaderMode mode)
{
    return (unsigned)mode < HYPERION_LOADER_MODE_COUNT ? mode_names[mode] : NULL;
}

static bool check_config(const HyperionLoaderIOConfig *config)
{
    static const char call[] = "set loader I/O";
    if (!hyperionLoaderBackendName(config->backend) || !hyperionLoaderModeName(config->mode))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: no such %s: %d", call,
                        hyperionLoaderBackendName(config->backend) ? "mode" : "back end",
                        hyperionLoaderBackendName(config->backend) ? (int)config->mode
                                                                   : (int)config->backend);
    if (config->block_bytes % HYP_LOADER_ALIGNMENT || config->block_bytes > HYP_LOADER_MOST_BLOCK)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "%s: expected a block of a multiple of %d bytes up to %d, given %zu", call,
                        HYP_LOADER_ALIGNMENT, HYP_LOADER_MOST_BLOCK, config->block_bytes);
    return (config->queue_depth >= 0 && config->queue_depth <= HYP_LOADER_MOST_DEPTH) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: expected a queue depth up to %d, given %d", call,
                    HYP_LOADER_MOST_DEPTH, config->queue_depth);
}

bool hyperionSetLoaderIO(HyperionProgressiveLoader *loader, const HyperionLoaderIOConfig *config)
{
    const HyperionLoaderIOConfig defaults = {.backend = HYPERION_LOADER_BACKEND_AUTO};
    if (!loader)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "set loader I/O: the loader is NULL");
    if (!check_config(config ? config : &defaults))
        return false;
    hyp_platform_enter(loader->monitor);
    loader->io_config = config ? *config : defaults;
    hyp_platform_leave(loader->monitor);
    return true;
}

HyperionLoaderIO hyperionGetLoaderIO(const HyperionProgressiveLoader *loader)
{
    if (!loader)
        return (HyperionLoaderIO){
            .valid = hyp_fail(HYPERION_ERROR_ARGUMENT, "get loader I/O: the loader is NULL")};
    hyp_platform_enter(loader->monitor);
    const HyperionLoaderIOConfig *config = &loader->io_config;
    HyperionLoaderIO io = {.backend = HYPERION_LOADER_BACKEND_THREADS,
                           .mode = HYPERION_LOADER_MODE_BUFFERED,
                           .block_bytes = (size_t)1 << 20,
                           .queue_depth = HYP_LOADER_THREADS,
                           .valid = true};
    if (config->backend != HYPERION_LOADER_BACKEND_THREADS)
        strcpy(io.backend_reason, "io_uring is not built in");
    if (config->mode != HYPERION_LOADER_MODE_BUFFERED)
        strcpy(io.mode_reason, "other modes are not built in");
    hyp_platform_leave(loader->monitor);
    return io;
}

HyperionLoaderIOStats hyperionGetLoaderIOStats(const HyperionProgressiveLoader *loader)
{
    if (!loader)
        return (HyperionLoaderIOStats){
            .valid = hyp_fail(HYPERION_ERROR_ARGUMENT, "get loader I/O stats: the loader is NULL")};
    hyp_platform_enter(loader->monitor);
    HyperionLoaderIOStats stats = loader->io;
    stats.wasted_count = loader->residency.wasted_count;
    hyp_platform_leave(loader->monitor);
    return stats;
}

void hyperionSetLoaderProgress(HyperionProgressiveLoader *loader,
                               HyperionLoaderProgressFunction function, void *user_data)
{
    if (!loader) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "set loader progress: the loader is NULL");
        return;
    }
    hyp_platform_enter(loader->monitor);
    while (loader->progress.call_count > 0)
        hyp_platform_wait(loader->monitor);
    loader->progress.function = function;
    loader->progress.user_data = user_data;
    hyp_platform_leave(loader->monitor);
}

HyperionLoaderLayerTimes hyperionGetLoaderLayerTimes(const HyperionProgressiveLoader *loader,
                                                     int layer_index)
{
    if (!hyp_loader_enter(loader, "get loader layer times", layer_index))
        return (HyperionLoaderLayerTimes){.valid = false};
    const HypResidentLayer *layer = &loader->residency.layers[layer_index];
    const HyperionLoaderLayerTimes times = {.load_start_ns = layer->load_start_ns,
                                            .load_end_ns = layer->load_end_ns,
                                            .compute_start_ns = layer->compute_start_ns,
                                            .compute_end_ns = layer->compute_end_ns,
                                            .load_count = layer->load_count,
                                            .size_bytes = layer->source.size_bytes,
                                            .valid = true};
    hyp_platform_leave(loader->monitor);
    return times;
}

void hyp_loader_note_window(HyperionProgressiveLoader *loader, int window)
{
    HypWindowHistory *history = &loader->windows;
    loader->io.run_count++;
    if (history->count > 0 && loader->io.window == window)
        return;
    loader->io.window = window;
    history->changes[history->count++ % HYP_LOADER_WINDOWS] = (HyperionLoaderWindowChange){
        .run = loader->io.run_count, .start_ns = hyp_platform_now_ns(), .window = window};
}

size_t hyperionGetLoaderWindows(const HyperionProgressiveLoader *loader,
                                HyperionLoaderWindowChange *changes, size_t capacity)
{
    if (!loader) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get loader windows: the loader is NULL");
        return SIZE_MAX;
    }
    hyp_platform_enter(loader->monitor);
    const HypWindowHistory *history = &loader->windows;
    size_t kept = history->count < HYP_LOADER_WINDOWS ? history->count : HYP_LOADER_WINDOWS;
    kept = kept < capacity ? kept : capacity;
    for (size_t i = 0; i < kept; i++)
        changes[i] = history->changes[(history->count - kept + i) % HYP_LOADER_WINDOWS];
    const size_t count = history->count;
    hyp_platform_leave(loader->monitor);
    return count;
}
