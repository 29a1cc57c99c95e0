// SPDX-License-Identifier: Apache-2.0
// loader.h - the inside of a progressive loader. Threads that read take the next layer that is
// wanted: by the step under way, by a call, or ahead of the run.
#ifndef HYP_LOADER_H
#define HYP_LOADER_H

#include "loader/residency.h"

// One reads while the other checks and fetches pages.
enum { HYP_LOADER_THREADS = 2 };

struct HyperionProgressiveLoader {
    HyperionProgressiveLoaderConfig config;
    HypMonitor *monitor; // of all below but `model` as its own thread sees it
    HypThread *threads[HYP_LOADER_THREADS];
    HyperionModel *model; // attached; NULL: none
    HypResidency residency;
    HyperionLoaderIOStats io;
    // Of the run under way:
    const int *steps; // NULL: none
    int step_count, step;
    int wanted;      // layer that a step waits for; -1: none
    int last_reader; // layer with weights that runs or ran last; -1: none
    uint64_t last_reader_ns;
    int loading_count; // layers that are read just now
    int caller_count;  // calls that wait for one
    bool stopping;
};

// Body of the threads that read.
void hyp_loader_work(void *opaque);

// Asks for a layer and waits for it, with the monitor held. False where it failed, and the layer
// says why.
bool hyp_loader_await(HyperionProgressiveLoader *loader, int layer);

// Records the failure of a layer as last error; returns false.
bool hyp_loader_fail(const HyperionProgressiveLoader *loader, const char *call, int layer);

extern const HypExecutorHooks hyp_loader_hooks;

// Lets go of the model, once nothing reads of it: without one afterwards.
void hyp_loader_forget_model(void *opaque);

#endif
