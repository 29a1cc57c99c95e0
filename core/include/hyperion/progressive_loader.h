// SPDX-License-Identifier: Apache-2.0
// progressive_loader.h - weights on demand, prefetched, within a cap.
// A thread of the loader has several blocks read at a time, by io_uring or by threads, and checks
// those that came, of what a streaming file has checksums of, while others are on their way. Layers
// are read whole; weights that several layers share are held by each. No file is mapped.
// Weights that were given as bytes (hyperionAddWeight), those that are outputs, and the scales that
// normalisation was folded from stay outside of the loader and its cap; those of built-in models
// are generated when they are loaded. What is to be packed once (hyperionOptimizeMemoryLayout, the
// tradeoff of a memory optimizer) is packed at each load, within the cap, which then has to hold
// both what was read and what is made of it; products whose layer does not fit so pack at each
// call.
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

// Who reads: io_uring, or a pool of threads that make positioned reads.
typedef enum HyperionLoaderBackend {
    HYPERION_LOADER_BACKEND_AUTO,
    HYPERION_LOADER_BACKEND_URING,
    HYPERION_LOADER_BACKEND_THREADS,
    HYPERION_LOADER_BACKEND_COUNT
} HyperionLoaderBackend;

// What is asked of the page cache.
typedef enum HyperionLoaderMode {
    HYPERION_LOADER_MODE_BUFFERED, // reads go through it
    HYPERION_LOADER_MODE_DIRECT,   // reads pass it by (O_DIRECT)
    HYPERION_LOADER_MODE_DONTNEED, // what was read is dropped from it (posix_fadvise)
    HYPERION_LOADER_MODE_COUNT
} HyperionLoaderMode;

typedef struct HyperionLoaderIOConfig {
    HyperionLoaderBackend backend; // AUTO takes the one that suits the mode (default)
    HyperionLoaderMode mode;       // default: BUFFERED
    size_t block_bytes;            // of one read, a multiple of 4096 up to 256 MiB; 0 = 1 MiB
    int queue_depth;               // reads under way at a time, up to 256; 0 = 8
} HyperionLoaderIOConfig;

// How the loader reads now, and why not otherwise.
typedef struct HyperionLoaderIO {
    HyperionLoaderBackend backend; // not AUTO
    HyperionLoaderMode mode;       // what is asked for until a file refuses it
    size_t block_bytes;
    int queue_depth;
    char backend_reason[160]; // why this back end; "": it was asked for
    char mode_reason[160];    // why another mode than asked for; "": it is that
    bool valid;               // false: the call failed, see hyperionGetLastError
} HyperionLoaderIO;

// What the loader did since it was made.
typedef struct HyperionLoaderIOStats {
    uint64_t load_count;       // layers read, also in vain
    uint64_t failed_count;     // of them, in vain
    uint64_t loaded_bytes;     // of layers that were read
    uint64_t read_count;       // reads that ended, of a block or what was left of one
    uint64_t read_bytes;       // that came from files
    uint64_t short_count;      // reads that gave less than they were asked for, and were finished
    uint64_t retry_count;      // reads that were interrupted or put off, and tried again
    uint64_t hit_count;        // steps whose weights were in memory since an earlier use
    uint64_t prefetched_count; // steps whose weights came in time
    uint64_t wait_count;       // steps that waited for theirs,
    uint64_t stall_ns;         // in total so long
    uint64_t wasted_count;     // layers that were loaded and left memory without any use
    uint64_t run_count;        // runs that began
    int window;                // layers ahead, of the last run
    bool valid;                // false: the call failed, see hyperionGetLastError
} HyperionLoaderIOStats;

// When a layer was loaded and run last, in nanoseconds of one clock that never goes back. 0: not
// yet. Loads follow one another: one starts with its first read, or when the one before has ended.
typedef struct HyperionLoaderLayerTimes {
    uint64_t load_start_ns, load_end_ns;       // reads, checks and whatever the weights need then
    uint64_t compute_start_ns, compute_end_ns; // its step and those without weights behind it
    uint64_t load_count;                       // how often it was read
    size_t size_bytes;                         // in memory; 0 = it has no weights to load
    bool valid;                                // false: the call failed, see hyperionGetLastError
} HyperionLoaderLayerTimes;

// From run `run` on, counted from 1, the loader went `window` layers ahead.
typedef struct HyperionLoaderWindowChange {
    uint64_t run;
    uint64_t start_ns; // of that run, of the clock above
    int window;
} HyperionLoaderWindowChange;

typedef struct HyperionLoaderProgress {
    int layer;
    size_t done_bytes, layer_bytes; // of the layer, as its file has it: read, and in all
    uint64_t loaded_bytes;          // of all layers since the loader was made, this one included
    uint64_t elapsed_ns;            // since the load of the layer began
} HyperionLoaderProgress;

typedef void (*HyperionLoaderProgressFunction)(void *user_data,
                                               const HyperionLoaderProgress *progress);

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
// one that is not in memory. The loader keeps its memory for the next, that of one layer at most,
// until the model is detached.
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
// less; lower bound: the largest layer while it is loaded. `valid` false on failure.
HyperionMemoryStats hyperionGetProgressiveLoaderStats(const HyperionProgressiveLoader *loader);

// `valid` false on a NULL.
HyperionLoaderIOStats hyperionGetLoaderIOStats(const HyperionProgressiveLoader *loader);

// Sets how files are read, from the next layer on; returns when loads under way have ended. NULL:
// the defaults. What the system or a file refuses is done another way, and hyperionGetLoaderIO says
// so. False, and nothing changed, on values out of range or when out of memory. Any thread.
bool hyperionSetLoaderIO(HyperionProgressiveLoader *loader, const HyperionLoaderIOConfig *config);

// `valid` false on a NULL. Any thread.
HyperionLoaderIO hyperionGetLoaderIO(const HyperionProgressiveLoader *loader);

// "auto", "uring", "threads"; "buffered", "direct", "dontneed". NULL for no such value.
const char *hyperionLoaderBackendName(HyperionLoaderBackend backend);
const char *hyperionLoaderModeName(HyperionLoaderMode mode);

// Has `function` called while layers load: after each block that was read, the last one too
// (done_bytes is layer_bytes), and once a second while none comes. NULL: no longer,
// and no call is under way when this returns. It is called by a thread of the loader or by one
// that waits for a layer, which reads on when it returns; it must not call the loader.
void hyperionSetLoaderProgress(HyperionProgressiveLoader *loader,
                               HyperionLoaderProgressFunction function, void *user_data);

// `valid` false on a NULL, no such layer, or no model attached. Any thread.
HyperionLoaderLayerTimes hyperionGetLoaderLayerTimes(const HyperionProgressiveLoader *loader,
                                                     int layer_index);

// The window over time: how often it changed, the first run's included; the last of them go to
// changes[0..capacity), oldest first. Some 256 are kept. SIZE_MAX, last error set, on a NULL
// loader.
size_t hyperionGetLoaderWindows(const HyperionProgressiveLoader *loader,
                                HyperionLoaderWindowChange *changes, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
