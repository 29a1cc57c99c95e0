// SPDX-License-Identifier: Apache-2.0
// executor.h - what the model needs to know of the executor, and it of the model.
#ifndef HYP_EXECUTOR_H
#define HYP_EXECUTOR_H

#include "model/graph.h"

void hyp_preparation_free(HypPreparation *preparation); // NULL is allowed

// Takes the model for one call; false, last error set, on NULL or when it is taken.
bool hyp_model_hold(HyperionModel *model, const char *call);

#endif
