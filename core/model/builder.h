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

// A weight at an offset in the model's file, read when first needed.
int hyp_model_add_file_weight(HyperionModel *model, const char *name, const HypShape *shape,
                              uint64_t file_offset);

// A weight of f32 that is generated when first needed.
int hyp_model_add_seeded_weight(HyperionModel *model, const char *name, const HypShape *shape,
                                const HypSeededValues *values);

// As hyperionAddLayer, the result named `result_name`.
int hyp_model_add_layer(HyperionModel *model, const char *name, const char *result_name,
                        HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                        const int *inputs, int input_count);

#endif
