// SPDX-License-Identifier: Apache-2.0
// dial.h - which variant each layer runs in, and which run in bands of rows: the least time in as
// much memory as the dial and the budget leave.
#ifndef HYP_DIAL_H
#define HYP_DIAL_H

#include "memory/activation_plan.h"
#include "memory/layer_times.h"

typedef struct HypDialSettings {
    HypActivationSettings activations;
    float tradeoff;      // 0 to 1
    size_t budget_bytes; // 0: none
} HypDialSettings;

// Bytes of all that a run needs, and what it takes.
typedef struct HypDialFacts {
    HypActivationFacts activations;
    size_t weight_bytes; // 0 where a loader provides them
    size_t packed_bytes; // copies of weights, packed; 0 where a loader packs them
    size_t workspace_bytes;
    size_t least_bytes;       // total of the choice that needs least
    size_t most_bytes;        // and of the one that the dial gives at 1
    size_t lower_bound_bytes; // of any choice, whatever places activations get
    double predicted_ns;
    int packed_layer_count;
    int banded_layer_count;
    bool measured; // the times that it was chosen by; else guessed
} HypDialFacts;

// Changes a plan that is as the settings of the model say, for which `banding` was found. False,
// last error set, where the budget does not do, or when out of memory.
bool hyp_dial_plan(const HyperionModel *model, const HypDialSettings *settings,
                   const HypLayerTimes *times, const HypBanding *banding, HypRunPlan *plan,
                   HypDialFacts *facts);

// Weights, packed ones, activations and workspace.
size_t hyp_dial_total_bytes(const HypDialFacts *facts);

#endif
