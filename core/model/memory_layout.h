// SPDX-License-Identifier: Apache-2.0
// memory_layout.h - weights of products packed once, in the order in which layers read them.
#ifndef HYP_MEMORY_LAYOUT_H
#define HYP_MEMORY_LAYOUT_H

#include "model/graph.h"

// Packs anew what the plan wants packed otherwise, and frees the layout where it wants nothing
// packed. False, last error set, when out of memory or a weight cannot be read.
bool hyp_memory_layout_refresh(HyperionModel *model, const HypRunPlan *plan);

// Frees what is packed; it is packed anew for the next run, unless a loader does that.
void hyp_memory_layout_release(HyperionModel *model);

// Frees what was packed for a plan alone, which hyperionOptimizeMemoryLayout did not ask for.
void hyp_memory_layout_release_unasked(HyperionModel *model);

// Bytes of one copy: held now; of what a plan wants packed, false and last error set when out of
// memory; and of one layer's weight alone, 0 where it has none to pack. `data` is room for the
// places of all tensors.
size_t hyp_memory_layout_held_bytes(const HyperionModel *model);
bool hyp_memory_layout_plan_bytes(const HyperionModel *model, const HypRunPlan *plan,
                                  size_t *bytes);
size_t hyp_memory_layout_layer_bytes(const HyperionModel *model, int index,
                                     const HyperionGemmBlocking *blocking, void *const *data);

// Packs one layer's weight, which `data` has the place of, to so many bytes at `packed`.
void hyp_memory_layout_pack_layer(const HyperionModel *model, int index,
                                  const HyperionGemmBlocking *blocking, void *const *data,
                                  float *packed);

// Whether weights are packed alike for both.
bool hyp_memory_layout_is_alike(const HyperionGemmBlocking *a, const HyperionGemmBlocking *b);

// Keeps the packed weights in `copies` copies, as weight_copies.h keeps the others.
bool hyp_memory_layout_set_copies(HyperionModel *model, size_t copies);

// The weight of a layer packed for `blocking`, in the copy whose turn it is; NULL: the layer packs
// its weight itself.
const float *hyp_memory_layout_data(const HyperionModel *model, int layer,
                                    const HyperionGemmBlocking *blocking);

void hyp_memory_layout_free(HypMemoryLayout *layout); // NULL is allowed

#endif
