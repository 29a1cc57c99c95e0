// SPDX-License-Identifier: Apache-2.0
// band_plan.h - plans in which groups of consecutive layers run in bands of rows: all layers of a
// group for the first rows of its last result, then for the next ones. What lies between them is
// held a band at a time; rows that two bands need are computed twice.
#ifndef HYP_BAND_PLAN_H
#define HYP_BAND_PLAN_H

#include "model/graph.h"

enum { HYP_MOST_BAND_LAYERS = 12 };

typedef struct HypBandGroup {
    int first, count; // steps of the plan without bands; 2 to HYP_MOST_BAND_LAYERS
    int64_t rows;     // of the last result in a band; the last band may have fewer
} HypBandGroup;

// By tensor, how many inputs of the steps of a plan are it; INT_MAX where something else needs all
// of it, or may: an output, a view. NULL, last error set, when out of memory; free() it.
int *hyp_band_plan_count_reads(const HyperionModel *model, const HypRunPlan *plan);

// Whether the steps of the group can be run so: all results but the last are read by the group
// alone, row by row. `reads` are of the plan, which has no bands.
bool hyp_band_group_is_possible(const HyperionModel *model, const HypRunPlan *plan,
                                const int *reads, const HypBandGroup *group);

// How many bands a possible group has.
int hyp_band_group_bands(const HyperionModel *model, const HypRunPlan *plan,
                         const HypBandGroup *group);

// Runs groups of a plan without bands so. They are possible, apart from one another, and in the
// order of steps. Offsets stay. False, last error set and the plan unchanged, when out of memory.
bool hyp_band_plan_apply(const HyperionModel *model, const HypBandGroup *groups, int group_count,
                         HypRunPlan *plan);

// How a layer runs in a plan.
typedef struct HypBandShare {
    int bands;   // 0: whole
    double rows; // that they have together, of those of the result: 1 where it runs whole
} HypBandShare;
HypBandShare hyp_band_plan_share(const HyperionModel *model, const HypRunPlan *plan, int layer);

#endif
