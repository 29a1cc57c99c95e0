// SPDX-License-Identifier: Apache-2.0
// layer_times.h - how long each layer of a model takes in each of its variants.
#ifndef HYP_LAYER_TIMES_H
#define HYP_LAYER_TIMES_H

#include "memory/band_search.h"
#include "memory/layer_variants.h"

typedef struct HypLayerTimes {
    uint64_t key; // of the model and settings they are of; 0: there are none
    int layer_count;
    HypBanding banding; // that all groups of were run by, for the times of layers in bands
    double *ns;         // [layer][whole, in bands][variant number]; 0: not measured
} HypLayerTimes;

// Those of a layer by variant number: run whole, or, the sum of a run, in the bands of `banding`.
double *hyp_layer_times_of(const HypLayerTimes *times, int layer, bool in_bands);

// Of what times depend on: the graph, level, blocking, threads. Never 0.
uint64_t hyp_layer_times_key(const HyperionModel *model);

// Whether they are of the model as it is.
bool hyp_layer_times_match(const HypLayerTimes *times, const HyperionModel *model);

// For the key of the model, all 0. False, last error set and `times` unchanged, when out of memory.
bool hyp_layer_times_create(HypLayerTimes *times, const HyperionModel *model);
void hyp_layer_times_free(HypLayerTimes *times); // a zeroed one is allowed

// Text, one line a layer. False, last error set and `times` unchanged, where the file cannot be
// written or read, or is none of these.
bool hyp_layer_times_save(const HypLayerTimes *times, const char *path);
bool hyp_layer_times_load(HypLayerTimes *times, const char *path);

// A guess where nothing was measured: 40 GFLOP/s, packing at 8 GB/s, in each band anew, 2 us a
// band, smaller blocks 1/64 slower a step down.
double hyp_layer_times_guess(const HyperionModel *model, int layer, const HypVariant *variant,
                             const HypBandShare *share);

#endif
