// SPDX-License-Identifier: Apache-2.0
// layer_source.h - where the weights of a layer come from, and where in a block of memory they go.
#ifndef HYP_LAYER_SOURCE_H
#define HYP_LAYER_SOURCE_H

#include "model/graph.h"

// What is read as one: a run of a streaming file, or one weight.
typedef struct HypLayerPart {
    int run;    // of HyperionModel.weight_runs; -1: none
    int tensor; // where there is no run
    size_t offset;
} HypLayerPart;

typedef struct HypPlacedWeight {
    int tensor; // no view
    size_t offset;
} HypPlacedWeight;

typedef struct HypLayerSource {
    HypLayerPart *parts;
    HypPlacedWeight *weights;
    int part_count, weight_count;
    size_t size_bytes; // of the block: whole pages; 0 for a layer without such weights
} HypLayerSource;

// Weights that are in memory from the start are none of the loader's. False, last error set; free
// in every case.
bool hyp_layer_source_create(const HyperionModel *model, int layer, HypLayerSource *source);
void hyp_layer_source_free(HypLayerSource *source);

// Reads or generates all of it to `block`; what runs have checksums of is checked. Several threads
// may read. False, last error set, on what hyp_weights_fill and hyp_weight_run_fill fail on.
bool hyp_layer_source_read(const HyperionModel *model, const HypLayerSource *source, void *block);

#endif
