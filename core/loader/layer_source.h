// SPDX-License-Identifier: Apache-2.0
// layer_source.h - where the weights of a layer come from, and where in a block of memory they go.
#ifndef HYP_LAYER_SOURCE_H
#define HYP_LAYER_SOURCE_H

#include "model/graph.h"

// What is read as one: a run of a streaming file, or one weight. The pages of the file that hold it
// come to whole pages of the block, so that the page cache can be passed by.
typedef struct HypLayerPart {
    int run;              // of HyperionModel.weight_runs; -1: none
    int tensor;           // where there is no run
    int file;             // of HyperionModel.files; -1: the values are generated
    uint64_t file_offset; // of its first byte
    size_t stored_bytes;  // in the file, or as generated
    size_t landing;       // where in the block the page of its first byte comes to
    size_t offset; // of the values, a multiple of 64, never behind the bytes they are made of
} HypLayerPart;

typedef struct HypPlacedWeight {
    int tensor; // no view
    size_t offset;
} HypPlacedWeight;

typedef struct HypLayerSource {
    HypLayerPart *parts;
    HypPlacedWeight *weights;
    int part_count, weight_count;
    size_t stored_bytes; // of all parts
    size_t size_bytes;   // of the block: whole pages; 0 for a layer without such weights
} HypLayerSource;

// Weights that are in memory from the start are none of the loader's. False, last error set; free
// in every case.
bool hyp_layer_source_create(const HyperionModel *model, int layer, HypLayerSource *source);
void hyp_layer_source_free(HypLayerSource *source);

#endif
