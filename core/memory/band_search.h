// SPDX-License-Identifier: Apache-2.0
// band_search.h - which layers to run in bands of rows so that activations and workspace need less.
#ifndef HYP_BAND_SEARCH_H
#define HYP_BAND_SEARCH_H

#include "memory/activation_plan.h"
#include "memory/band_plan.h"

enum { HYP_MOST_BAND_GROUPS = 16 };

// Groups, apart from one another. The first so many are a choice too: each lowers what is needed
// beside those before it.
typedef struct HypBanding {
    uint64_t key; // of the model and settings they were found for; 0: not looked for yet
    HypBandGroup groups[HYP_MOST_BAND_GROUPS];
    int group_count;
} HypBanding;

// Unless they are known, looks for groups: at the step that needs most, and puts layers about it
// into one, again and again, as long as that saves more bytes than it is guessed to cost time, half
// the share of the one for the share of the other. There are none where memory is not
// shared, and where a scheduler or a loader is attached: what those have planned is about layers
// that run once. `plan` is as the executor makes it. False, last error set and `banding` unchanged,
// when out of memory.
bool hyp_banding_find(const HyperionModel *model, const HypActivationSettings *settings,
                      const HypRunPlan *plan, HypBanding *banding);

// Whether both are the same groups in the same order.
bool hyp_banding_equal(const HypBanding *a, const HypBanding *b);

// Runs the first `group_count` groups so in a plan like that which they were found for. False, last
// error set and the plan unchanged, when out of memory.
bool hyp_banding_apply(const HyperionModel *model, const HypBanding *banding, int group_count,
                       HypRunPlan *plan);

#endif
