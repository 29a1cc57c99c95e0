// SPDX-License-Identifier: Apache-2.0
// loader_io.c - entry points of progressive_loader.h about reads: how, how far, and when.
#include "common/fail.h"
#include "loader/loader.h"
#include "platform/platform.h"

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
    const size_t most_block_bytes = (size_t)256 << 20;
    const int most_depth = 256;
    if (!hyperionLoaderBackendName(config->backend))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "set loader I/O: there is no back end %d",
                        (int)config->backend);
    if (!hyperionLoaderModeName(config->mode))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "set loader I/O: there is no mode %d",
                        (int)config->mode);
    if (config->block_bytes % HYP_READ_ALIGNMENT || config->block_bytes > most_block_bytes)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "set loader I/O: a block is a multiple of %zu bytes up to %zu, given %zu",
                        HYP_READ_ALIGNMENT, most_block_bytes, config->block_bytes);
    return (config->queue_depth >= 0 && config->queue_depth <= most_depth) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT,
                    "set loader I/O: the queue depth is 1 to %d, 0 for the default, given %d",
                    most_depth, config->queue_depth);
}

void hyp_loader_note_reader(HyperionProgressiveLoader *loader)
{
    const HypReadCounts now = hyp_layer_reader_counts(loader->reader);
    const HypReadCounts *earlier = &loader->earlier_reads;
    loader->io_in_force = *hyp_layer_reader_in_force(loader->reader);
    loader->io.read_count = earlier->reads + now.reads;
    loader->io.read_bytes = earlier->bytes + now.bytes;
    loader->io.short_count = earlier->shorts + now.shorts;
    loader->io.retry_count = earlier->retries + now.retries;
}

void hyp_loader_pause(HyperionProgressiveLoader *loader)
{
    hyp_platform_enter(loader->monitor);
    while (loader->is_paused) // by another call
        hyp_platform_wait(loader->monitor);
    loader->is_paused = true;
    while (loader->loading_count > 0)
        hyp_platform_wait(loader->monitor);
}

void hyp_loader_go_on(HyperionProgressiveLoader *loader)
{
    loader->is_paused = false;
    hyp_platform_notify(loader->monitor);
    hyp_platform_leave(loader->monitor);
}

// Puts the reader in the place of the one there is, which it returns.
static HypLayerReader *exchange_reader(HyperionProgressiveLoader *loader, HypLayerReader *reader)
{
    hyp_loader_pause(loader);
    HypLayerReader *before = loader->reader;
    loader->earlier_reads = (HypReadCounts){.reads = loader->io.read_count,
                                            .bytes = loader->io.read_bytes,
                                            .shorts = loader->io.short_count,
                                            .retries = loader->io.retry_count};
    loader->reader = reader;
    hyp_loader_note_reader(loader);
    hyp_loader_go_on(loader);
    return before;
}

bool hyperionSetLoaderIO(HyperionProgressiveLoader *loader, const HyperionLoaderIOConfig *config)
{
    const HyperionLoaderIOConfig defaults = {.backend = HYPERION_LOADER_BACKEND_AUTO};
    if (!loader)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "set loader I/O: the loader is NULL");
    if (!check_config(config ? config : &defaults))
        return false;
    HypLayerReader *reader = hyp_layer_reader_create(config ? config : &defaults);
    if (reader)
        hyp_layer_reader_free(exchange_reader(loader, reader));
    return reader != NULL;
}

HyperionLoaderIO hyperionGetLoaderIO(const HyperionProgressiveLoader *loader)
{
    if (!loader)
        return (HyperionLoaderIO){
            .valid = hyp_fail(HYPERION_ERROR_ARGUMENT, "get loader I/O: the loader is NULL")};
    hyp_platform_enter(loader->monitor);
    const HyperionLoaderIO io = loader->io_in_force;
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
    while (loader->progress.is_called)
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
                                            .size_bytes = layer->source.kept_bytes,
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
