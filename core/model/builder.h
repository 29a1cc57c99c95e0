// SPDX-License-Identifier: Apache-2.0
// builder.h - the builder's calls for generators and readers: beside hyperionAdd…, weights without
// a copy and results with names of their own.
#ifndef HYP_BUILDER_H
#define HYP_BUILDER_H

#include "model/graph.h"

// A weight whose bytes (from hyp_platform_allocate) become the model's; on failure (-1) they stay
// the caller's.
int hyp_model_adopt_weight(HyperionModel *model, const char *name, const HypShape *shape,
                           void *data);

// Makes a file one that the model reads weights from, and closes in the end. Its number, or -1 on
// failure: then it stays the caller's.
int hyp_model_adopt_file(HyperionModel *model, HypFile *file);

// Where the bytes of a weight are.
typedef struct HypWeightPlace {
    int file; // of the model
    uint64_t offset;
    HypStoredType stored;
} HypWeightPlace;

// A weight in a file of the model, read when first needed.
int hyp_model_add_file_weight(HyperionModel *model, const char *name, const HypShape *shape,
                              HypWeightPlace place);

// A weight of f32 that is generated when first needed.
int hyp_model_add_seeded_weight(HyperionModel *model, const char *name, const HypShape *shape,
                                const HypSeededValues *values);

// As hyperionAddLayer, the result named `result_name`.
int hyp_model_add_layer(HyperionModel *model, const char *name, const char *result_name,
                        HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                        const int *inputs, int input_count);

#endif
