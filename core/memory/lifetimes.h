// SPDX-License-Identifier: Apache-2.0
// lifetimes.h - from when to when each activation of a run is needed, and which of them can share
// memory because one is written over another or into a part of it.
#ifndef HYP_LIFETIMES_H
#define HYP_LIFETIMES_H

#include "hyperion/planners.h"

#include "model/graph.h"

// Tensors that share one buffer are in the same group.
typedef struct HypLifetimes {
    HyperionBuffer *groups; // sizes are multiples of HYP_PLACE_BYTES
    size_t group_count;
    int *group_of;      // by tensor; -1: not in the plan's memory
    size_t *offset_of;  // by tensor: in its group
    int in_place_count; // results that are written over an input
    int slice_count;    // inputs of concatenations that are written where they go
    size_t apart_bytes; // of all of them without any sharing
} HypLifetimes;

enum { HYP_PLACE_BYTES = 64 }; // places of tensors are multiples

// For the steps of the plan. in_place: operations may write over an input that no later step needs;
// never over one that the caller owns. False, last error set, when out of memory or where sizes do
// not fit in the address space.
bool hyp_lifetimes_create(HypLifetimes *lifetimes, const HyperionModel *model,
                          const HypRunPlan *plan, bool in_place);
void hyp_lifetimes_free(HypLifetimes *lifetimes);

#endif
