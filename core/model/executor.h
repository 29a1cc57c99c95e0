// SPDX-License-Identifier: Apache-2.0
// executor.h - what the model needs to know of the executor, and it of the model.
#ifndef HYP_EXECUTOR_H
#define HYP_EXECUTOR_H

#include "model/graph.h"

void hyp_preparation_free(HypPreparation *preparation); // NULL is allowed

// Takes the model for one call; false, last error set, on NULL or when it is taken.
bool hyp_model_hold(HyperionModel *model, const char *call);

// Bytes of the memory that holds all activations, each at a multiple of 64, but those that layers
// write straight to the caller's outputs. Where each begins goes to offsets[tensor] (SIZE_MAX: not
// in this memory) unless that is NULL. SIZE_MAX when it does not fit in the address space.
size_t hyp_model_place_activations(const HyperionModel *model, size_t *offsets);

#endif
