// SPDX-License-Identifier: Apache-2.0
// layer_variants.h - the ways to run a layer that give the same result, to the bit, in different
// time and memory: its weight packed once or at every run, and smaller blocks, which need less
// workspace. The depth of blocks stays: it decides the order of sums.
#ifndef HYP_LAYER_VARIANTS_H
#define HYP_LAYER_VARIANTS_H

#include "model/graph.h"

// Variant 2 x s + p: rows and columns of blocks are a 2^s-th of what the settings say, and p is
// whether the weight is packed once.
enum { HYP_BLOCK_SHRINKS = 5, HYP_VARIANT_COUNT = 2 * HYP_BLOCK_SHRINKS };

typedef struct HypVariant {
    int number;
    bool packed;
    HyperionGemmBlocking blocking;
    size_t packed_bytes; // of its copy, a multiple of 64
    size_t workspace_bytes;
} HypVariant;

typedef struct HypLayerVariants {
    HypVariant of[HYP_VARIANT_COUNT]; // 0 is as the settings say, not packed
    int count;                        // 0: a view, which is no work
} HypLayerVariants;

// Of all layers: those that differ. `plan` is as the settings say. NULL, last error set, when out
// of memory; free() it.
HypLayerVariants *hyp_layer_variants_create(const HyperionModel *model, const HypRunPlan *plan);

// Blocks whose rows and columns are a 2^shrink-th; shrink < HYP_BLOCK_SHRINKS.
HyperionGemmBlocking hyp_layer_variants_shrink(HyperionGemmBlocking blocking, int shrink);

// The one of that number, else of those with the blocks next to it in size, packed as it if it can
// be.
const HypVariant *hyp_layer_variants_nearest(const HypLayerVariants *variants, int number);

// Runs layer `layer` of the plan so.
void hyp_layer_variant_apply(const HypVariant *variant, int layer, HypRunPlan *plan);

#endif
