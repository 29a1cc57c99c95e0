// SPDX-License-Identifier: Apache-2.0
// executor.h - what the model needs to know of the executor, and it of the model.
#ifndef HYP_EXECUTOR_H
#define HYP_EXECUTOR_H

#include "model/graph.h"

void hyp_preparation_free(HypPreparation *preparation); // NULL is allowed

// Starts the threads that the settings ask for, unless they run. False, last error set, where the
// system starts none. The model is held.
bool hyp_model_start_threads(HyperionModel *model);

// What a model holds now, without copies of weights for measurements.
typedef struct HypHeldBytes {
    size_t weight_bytes, packed_bytes, activation_bytes, workspace_bytes;
} HypHeldBytes;
HypHeldBytes hyp_model_held_bytes(const HyperionModel *model);

// Takes the model for one call; false, last error set, on NULL or when it is taken.
bool hyp_model_hold(HyperionModel *model, const char *call);

#endif
