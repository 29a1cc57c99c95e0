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
    int tensor;           // no view
    size_t loaded_offset; // in the block, once all parts have come,
    size_t offset;        // and when a step uses it; SIZE_MAX: packed
} HypPlacedWeight;

// How the weight of a product is to be packed; all 0: it is not.
typedef struct HypLayerPacking {
    size_t packed_bytes;
    HyperionGemmBlocking blocking;
} HypLayerPacking;

typedef struct HypLayerSource {
    HypLayerPart *parts;
    HypPlacedWeight *weights;
    int part_count, weight_count;
    HypLayerPacking packing; // the packed weight stands first in the block
    size_t stored_bytes;     // of all parts
    size_t size_bytes;       // of the block: whole pages; 0 for a layer without such weights
    size_t kept_bytes;       // of it, once the weight is packed and what it was made of is let go
} HypLayerSource;

// Weights that are in memory from the start are none of the loader's. False, last error set; free
// in every case.
bool hyp_layer_source_create(const HyperionModel *model, int layer, const HypLayerPacking *packing,
                             HypLayerSource *source);
void hyp_layer_source_free(HypLayerSource *source);

// How the layer's weight is packed for `blocking`: not at all where that takes too much, or the
// weight is none of the loader's or another input too. False, last error set, when out of memory.
bool hyp_layer_source_find_packing(const HyperionModel *model, int layer,
                                   const HyperionGemmBlocking *blocking,
                                   const HypLayerSource *source, HypLayerPacking *packing);

// Packs the weight, and brings the others behind it: afterwards kept_bytes of the block are enough.
// False, last error set, when out of memory. Nothing is done for a layer that is not packed.
bool hyp_layer_source_pack(const HyperionModel *model, int layer, const HypLayerSource *source,
                           void *block);

#endif
