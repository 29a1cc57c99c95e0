// SPDX-License-Identifier: Apache-2.0
// memory_layout.h - weights of products packed once, in the order in which layers read them.
#ifndef HYP_MEMORY_LAYOUT_H
#define HYP_MEMORY_LAYOUT_H

#include "model/graph.h"

// Packs anew what the settings and layers in force need packed otherwise. Nothing to do for a model
// without a layout. False, last error set, when out of memory or a weight cannot be read.
bool hyp_memory_layout_refresh(HyperionModel *model);

// Keeps the packed weights in `copies` copies, as weight_copies.h keeps the others.
bool hyp_memory_layout_set_copies(HyperionModel *model, size_t copies);

// The weight of a layer packed for `blocking`, in the copy whose turn it is; NULL: the layer packs
// its weight itself.
const float *hyp_memory_layout_data(const HyperionModel *model, int layer,
                                    const HyperionGemmBlocking *blocking);

void hyp_memory_layout_free(HypMemoryLayout *layout); // NULL is allowed

#endif
