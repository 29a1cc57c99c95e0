// SPDX-License-Identifier: Apache-2.0
// loader_log.h - what a loader did in each of the passes that are timed.
#ifndef HYP_LOADER_LOG_H
#define HYP_LOADER_LOG_H

#include "hyperion/planners.h"
#include "hyperion/progressive_loader.h"

struct Sample;

// Of one pass; the table in loader_log.c has their names.
typedef enum LoaderValue {
    LOADER_LOAD_NS,
    LOADER_COMPUTE_NS,
    LOADER_STALL_NS,
    LOADER_READ_BYTES,
    LOADER_LOADS,
    LOADER_HITS,
    LOADER_PREFETCHED,
    LOADER_WAITS,
    LOADER_WASTED,
    LOADER_FINISHED_READS,
    LOADER_WINDOW,
    LOADER_PREDICTED_NS,
    LOADER_BOUND_NS,
    LOADER_OVER_PREDICTED, // time of the pass / LOADER_PREDICTED_NS
    LOADER_VALUE_COUNT
} LoaderValue;

enum { LOADER_KEPT_PASSES = 100 };

typedef struct LoaderLog {
    const HyperionProgressiveLoader *loader;
    const HyperionModel *model;
    size_t cap_bytes;
    // Of the pass under way, or of the last:
    double start_ns, end_ns; // of the monotonic clock; the caller sets them
    bool is_open;
    HyperionLoaderIOStats before;
    uint64_t *load_counts; // of each layer
    int *layers;           // those with weights to load, in the order in which they run
    double *load_ns;       // of each of those, and so on
    double *compute_ns;
    size_t *size_bytes;
    HyperionPipeline pipeline; // of these arrays
    double values[LOADER_VALUE_COUNT][LOADER_KEPT_PASSES];
    size_t pass_count;
} LoaderLog;

// The loader must have the model attached; `cap_bytes` is its cap. False: out of memory; the caller
// closes in every case.
bool loader_log_open(LoaderLog *log, const HyperionProgressiveLoader *loader,
                     const HyperionModel *model, size_t cap_bytes);
void loader_log_close(LoaderLog *log); // a zeroed one is allowed

// Around a pass, outside of its time. The end of none that began does nothing.
void loader_log_begin(LoaderLog *log);
void loader_log_end(LoaderLog *log);

// Adds the values of loader.*, medians over the last passes; and, of the last pass, when each layer
// was loaded and computed: step<k>.{load_at load compute_at compute}, k counting those with
// weights. False: out of memory.
bool loader_log_add(const LoaderLog *log, struct Sample *sample);
bool loader_log_add_timeline(const LoaderLog *log, struct Sample *sample);

// Adds what each of these layers is, with the bytes of its weights:
// step<k>.is.<layer>.<operator>.<name>. False: out of memory.
bool loader_log_add_layers(const LoaderLog *log, struct Sample *sample);

#endif
