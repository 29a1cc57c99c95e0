// SPDX-License-Identifier: Apache-2.0
// schedule_graph.h - a model as schedules see it: layers with work, the activations that they read
// and make, what both cost.
#ifndef HYP_SCHEDULE_GRAPH_H
#define HYP_SCHEDULE_GRAPH_H

#include "hyperion/layer_scheduler.h"

#include "model/graph.h"

// What is known or guessed of times.
typedef struct HypPassTimes {
    const double *layer_ns; // by layer, where it is > 0; NULL: none was measured
    double write_ns_per_byte, read_ns_per_byte; // of the spill file
} HypPassTimes;

// A tensor that a layer reads.
typedef struct HypScheduleInput {
    int tensor;
    bool overwritable; // the result may be written over it
} HypScheduleInput;

// What may become of a layer's result while it waits.
typedef enum HypResultPolicy {
    HYP_RESULT_FREE,       // anything that saves memory
    HYP_RESULT_STORED,     // it stays
    HYP_RESULT_RECOMPUTED, // it is dropped
    HYP_RESULT_SPILLED     // it goes to disk
} HypResultPolicy;

typedef struct HypScheduleGraph {
    const HyperionModel *model;
    HyperionPassDirection direction;
    size_t *place_bytes; // by tensor: a multiple of 64; 0: it has no place in the plan's memory
    int *maker;          // by tensor: layer; -1: none with work
    int *result;         // by layer: tensor; -1: a view, which is no work
    int *first_input;    // by layer, into `inputs`; one more behind the last layer
    HypScheduleInput *inputs;      // activations, no views, each once a layer
    double *layer_ns;              // by layer
    HypResultPolicy *policies;     // by layer
    bool may_spill, may_recompute; // results that are free
    HypPassTimes times;
    size_t lower_bound_bytes; // what the layer that needs most needs while it runs
    double forward_ns;        // each layer once
} HypScheduleGraph;

typedef struct HypSchedulePolicy {
    const HyperionCheckpointStrategy *strategies; // by layer
    HyperionLayerSchedulerConfig config;
} HypSchedulePolicy;

// False, last error set and nothing to free, when out of memory.
bool hyp_schedule_graph_create(HypScheduleGraph *graph, const HyperionModel *model,
                               HyperionPassDirection direction, const HypSchedulePolicy *policy,
                               const HypPassTimes *times);
void hyp_schedule_graph_free(HypScheduleGraph *graph);

// Fills order[] with the layers that have work, in the order that is asked for; their number. -1,
// last error set, when out of memory. *proved: no order has a lower peak where all is kept.
int hyp_schedule_order(const HypScheduleGraph *graph, HyperionScheduleOrder asked, int *order,
                       bool *proved);

#endif
