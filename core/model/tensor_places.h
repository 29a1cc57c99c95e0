// SPDX-License-Identifier: Apache-2.0
// tensor_places.h - where the activations of a run lie, and from which step to which.
#ifndef HYP_TENSOR_PLACES_H
#define HYP_TENSOR_PLACES_H

#include "hyperion/profile.h"

#include "model/graph.h"

// Fills places[tensor] for every tensor of the model.
void hyp_tensor_places_find(const HyperionModel *model, const HypRunPlan *plan,
                            HyperionProfilePlace *places);

#endif
