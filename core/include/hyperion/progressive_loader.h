// SPDX-License-Identifier: Apache-2.0
// progressive_loader.h - weights on demand, prefetched, within a cap.
// Two threads of the loader read, buffered, by positioned reads, and check what a streaming file
// has checksums of. Layers are read whole; weights that several layers share are held by each.
// Weights that were given as bytes (hyperionAddWeight), those that are outputs, and the scales that
// normalisation was folded from stay outside of the loader and its cap; those of built-in models
// are generated when they are loaded. While a loader is attached products pack their weights at
// each call. In this version there is no io_uring, O_DIRECT, choice of block and depth, dropping of
// the page cache or progress callback.
#ifndef HYPERION_PROGRESSIVE_LOADER_H
#define HYPERION_PROGRESSIVE_LOADER_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// Progressive loader configuration
typedef struct {
    bool enable_prefetch;        // Whether to prefetch next layers
    int prefetch_window;         // Number of layers to prefetch
    bool enable_adaptive_window; // Whether to adapt prefetch window size
    size_t max_memory_usage;     // Maximum memory usage in bytes; 0 = no cap
} HyperionProgressiveLoaderConfig;

typedef enum HyperionLayerStatus {
    HYPERION_LAYER_STATUS_UNLOADED,
    HYPERION_LAYER_STATUS_QUEUED, // a call or a run waits for it
    HYPERION_LAYER_STATUS_LOADING,
    HYPERION_LAYER_STATUS_LOADED, // also a layer that has no weights to load
    HYPERION_LAYER_STATUS_FAILED, // the last load; it is tried again when next needed
    HYPERION_LAYER_STATUS_INVALID // no such layer, no loader, or no model attached
} HyperionLayerStatus;

// What the loader did since it was made.
typedef struct HyperionLoaderIOStats {
    uint64_t load_count;       // layers read, also in vain
    uint64_t loaded_bytes;     // into memory
    uint64_t hit_count;        // steps whose weights were in memory since an earlier use
    uint64_t prefetched_count; // steps whose weights came in time
    uint64_t wait_count;       // steps that waited for theirs,
    uint64_t stall_ns;         // in total so long
    uint64_t wasted_count;     // layers that were loaded and left memory without any use
    int window;                // layers ahead, of the last run
    bool valid;                // false: the call failed, see hyperionGetLastError
} HyperionLoaderIOStats;

// Create a progressive loader. The caller frees it. NULL on failure: a NULL or a negative window.
// The adaptive window is the smallest, up to prefetch_window, that by the times of earlier runs is
// within 2 % of the best; that itself while a time is not known.
HyperionProgressiveLoader *
hyperionCreateProgressiveLoader(const HyperionProgressiveLoaderConfig *config);

// Free a progressive loader; detaches its model. NULL is allowed. Where the model is running
// nothing is freed and the last error set. No other call may be under way.
void hyperionFreeProgressiveLoader(HyperionProgressiveLoader *loader);

// Attach a model, whose weights the loader then owns the residency of: those in memory are dropped,
// and runs stream them layer by layer. The model's graph stays as it is from then on. False, and
// nothing attached, where either has another, the model is running, or a layer is larger than the
// cap. The calls below want a model, and may come from any thread, also while it runs.
bool hyperionAttachModel(HyperionProgressiveLoader *loader, HyperionModel *model);

// Load a layer; returns when its weights are in memory, or false with the reason. Others make room:
// those of low priority first, and of equal ones those needed last. Fails, and does not wait, where
// pinned layers leave no room.
bool hyperionLoadLayer(HyperionProgressiveLoader *loader, int layer_index);

// Unload a layer; false where a step uses it, or it is asked for or being read. Nothing is done for
// one that is not in memory.
bool hyperionUnloadLayer(HyperionProgressiveLoader *loader, int layer_index);

// Get layer loading status
HyperionLayerStatus hyperionGetLayerStatus(const HyperionProgressiveLoader *loader,
                                           int layer_index);

// Set layer priority: 0 by default, higher stays longer, INT_MAX pins. During a run the layer goes
// that is needed last (Belady), of equal ones that of the lowest priority, and a pinned one only
// where the run could not go on.
void hyperionSetLayerPriority(HyperionProgressiveLoader *loader, int layer_index, int priority);

// Get memory usage statistics: current, peak and budget bytes, blocks kept for other layers and
// those being read included; naive: all layers at a time; planned: naive or the cap, whichever is
// less; lower bound: the largest layer. `valid` false on failure.
HyperionMemoryStats hyperionGetProgressiveLoaderStats(const HyperionProgressiveLoader *loader);

// `valid` false on a NULL.
HyperionLoaderIOStats hyperionGetLoaderIOStats(const HyperionProgressiveLoader *loader);

#ifdef __cplusplus
}
#endif
#endif
