// SPDX-License-Identifier: Apache-2.0
// progressive_loader.h - weights on demand, prefetched, within a cap.
// Declared for the whole API; in this version every call that would do work fails with
// HYPERION_ERROR_UNSUPPORTED and says what is missing.
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
    HYPERION_LAYER_STATUS_QUEUED,
    HYPERION_LAYER_STATUS_LOADING,
    HYPERION_LAYER_STATUS_LOADED,
    HYPERION_LAYER_STATUS_FAILED,
    HYPERION_LAYER_STATUS_INVALID // no such layer, no loader, or no model attached
} HyperionLayerStatus;

// Create a progressive loader. The caller frees it. NULL on failure.
HyperionProgressiveLoader *
hyperionCreateProgressiveLoader(const HyperionProgressiveLoaderConfig *config);

// Free a progressive loader. NULL is allowed.
void hyperionFreeProgressiveLoader(HyperionProgressiveLoader *loader);

// Attach a model, whose weights the loader then owns the residency of
bool hyperionAttachModel(HyperionProgressiveLoader *loader, HyperionModel *model);

// Load a layer; returns when its weights are in memory
bool hyperionLoadLayer(HyperionProgressiveLoader *loader, int layer_index);

// Unload a layer
bool hyperionUnloadLayer(HyperionProgressiveLoader *loader, int layer_index);

// Get layer loading status
HyperionLayerStatus hyperionGetLayerStatus(const HyperionProgressiveLoader *loader,
                                           int layer_index);

// Set layer priority: 0 by default, higher stays longer, INT_MAX pins
void hyperionSetLayerPriority(HyperionProgressiveLoader *loader, int layer_index, int priority);

// Get memory usage statistics; `valid` false on failure.
HyperionMemoryStats hyperionGetProgressiveLoaderStats(const HyperionProgressiveLoader *loader);

#ifdef __cplusplus
}
#endif
#endif
