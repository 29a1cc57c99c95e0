// SPDX-License-Identifier: Apache-2.0
// stages.h - a model cut into a chain of stages, for backward replays: where a single activation is
// alive, and whoever made the others is done with them.
#ifndef HYP_STAGES_H
#define HYP_STAGES_H

#include "hyperion/planners.h"

#include "scheduler/schedule_graph.h"

enum { HYP_MOST_STAGES = 256 }; // neighbours become one beyond

// Stages are counted from 1; what stage i runs is order[first[i]] .. order[first[i + 1] - 1].
typedef struct HypStages {
    HyperionChain chain; // without gradients; its input is the caller's and has no bytes
    int *first;
    size_t *bytes; // the chain's arrays
    double *times;
} HypStages;

// False, last error set and nothing to free, when out of memory. There is at least one layer.
bool hyp_stages_create(HypStages *stages, const HypScheduleGraph *graph, const int *order,
                       int count);
void hyp_stages_free(HypStages *stages);

#endif
