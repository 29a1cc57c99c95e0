// SPDX-License-Identifier: Apache-2.0
// loader.h - the inside of a progressive loader. Its thread takes the next layer that is wanted, by
// the step under way, by a call, or ahead of the run, and has it read; so does who waits for a
// layer while that thread does not, since to wake another takes longer than a block.
#ifndef HYP_LOADER_H
#define HYP_LOADER_H

#include "loader/layer_reader.h"
#include "loader/residency.h"

enum { HYP_LOADER_WINDOWS = 256 }; // changes of the window that are kept

typedef struct HypLoaderProgress {
    HyperionLoaderProgressFunction function; // NULL: none
    void *user_data;
    bool is_called; // just now
} HypLoaderProgress;

// A ring: change i at i % HYP_LOADER_WINDOWS.
typedef struct HypWindowHistory {
    HyperionLoaderWindowChange changes[HYP_LOADER_WINDOWS];
    size_t count;
} HypWindowHistory;

struct HyperionProgressiveLoader {
    HyperionProgressiveLoaderConfig config;
    HypMonitor *monitor; // of all below but `model` as its own thread sees it
    HypThread *thread;
    HypLayerReader *reader; // of the thread that works, also while it has left the monitor
    bool is_worked;         // one does
    bool is_paused;         // no load begins: the reader or the packing of layers is to be changed
    HyperionModel *model;   // attached; NULL: none
    HypResidency residency;
    HyperionLoaderIO io_in_force;
    HyperionLoaderIOStats io;
    HypReadCounts earlier_reads; // by readers before
    HypLoaderProgress progress;
    HypWindowHistory windows;
    // Of the run under way:
    const int *steps; // NULL: none
    int step_count, step;
    int wanted;         // layer that a step waits for; -1: none
    uint64_t wanted_ns; // since when
    int last_reader;    // layer with weights that runs or ran last; -1: none
    uint64_t last_reader_ns;
    int loading_count; // layers that are taken and have not ended
    int caller_count;  // calls that wait for one
    bool stopping;
};

// Body of the thread.
void hyp_loader_work(void *opaque);

// Asks for a layer and waits for it, with the monitor held. False where it failed, and the layer
// says why.
bool hyp_loader_await(HyperionProgressiveLoader *loader, int layer);

// Enters the monitor of a loader that has such a layer; false, last error set and not entered.
// `call` names the public function in messages.
bool hyp_loader_enter(const HyperionProgressiveLoader *loader, const char *call, int layer);

// Enters the monitor when nothing is loaded, so that nothing is until hyp_loader_go_on leaves it.
void hyp_loader_pause(HyperionProgressiveLoader *loader);
void hyp_loader_go_on(HyperionProgressiveLoader *loader);

// Keeps what the reader says of itself, with the monitor held.
void hyp_loader_note_reader(HyperionProgressiveLoader *loader);

// A run begins, and goes so many layers ahead.
void hyp_loader_note_window(HyperionProgressiveLoader *loader, int window);

// Records the failure of a layer as last error; returns false.
bool hyp_loader_fail(const HyperionProgressiveLoader *loader, const char *call, int layer);

extern const HypExecutorHooks hyp_loader_hooks;

// Lets go of the model, once nothing reads of it: without one afterwards.
void hyp_loader_forget_model(void *opaque);

#endif
