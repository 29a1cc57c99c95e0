// SPDX-License-Identifier: Apache-2.0
// activation_plan.h - where the activations of a run lie in one block of memory.
#ifndef HYP_ACTIVATION_PLAN_H
#define HYP_ACTIVATION_PLAN_H

#include "model/graph.h"

typedef struct HypActivationSettings {
    bool share;    // memory of results that are not needed at the same time
    bool in_place; // results over inputs; with `share` only
    float effort;  // of hyperionPlanOffsets
} HypActivationSettings;

typedef struct HypActivationFacts {
    size_t planned_bytes;     // of the block
    size_t lower_bound_bytes; // no plan of these steps with this sharing can need less
    size_t apart_bytes;       // with memory of its own for each
    int tensor_count;         // that lie in the block
    int place_count;          // apart from one another; the others are written over these
    int in_place_count;
    int slice_count; // inputs of concatenations that are written where they go
} HypActivationFacts;

// Changes offsets and activation_bytes of the plan, unless what it has needs less, or moves during
// a run. False, last error set and nothing changed.
bool hyp_activation_plan_make(const HyperionModel *model, const HypActivationSettings *settings,
                              HypRunPlan *plan, HypActivationFacts *facts);

// Whether a run of these steps finds every result as it was written, going through the steps byte
// range by byte range: shares nothing with the planners. False, last error names the tensors.
bool hyp_activation_plan_check(const HyperionModel *model, const HypRunPlan *plan);

#endif
