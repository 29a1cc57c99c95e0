// SPDX-License-Identifier: Apache-2.0
// order_walk.h - nodes of a graph run one after another, forth and back, with the memory that is
// live.
#ifndef HYP_ORDER_WALK_H
#define HYP_ORDER_WALK_H

#include "scheduler/order_graph.h"

typedef struct HypOrderWalk {
    const HypOrderGraph *graph;
    bool in_place;
    int *run; // in this order
    int run_count;
    uint64_t *done; // those, one bit a node
    uint64_t hash;  // of them
    int *ready;     // nodes whose inputs have run, in any order
    int ready_count;
    size_t live_bytes;
    int *place;   // by node that is or was ready: where in `ready`
    int *missing; // by node: inputs that have not run
    int *waiting; // by node: consumers that have not run
    int *since;   // by node: run_count when it became ready
} HypOrderWalk;

// At the beginning: nothing has run. False, last error set, when out of memory; free in every case.
bool hyp_order_walk_create(HypOrderWalk *walk, const HypOrderGraph *graph, bool in_place);
void hyp_order_walk_free(HypOrderWalk *walk);

// Bytes live while the ready node `node` would run, and those after it.
size_t hyp_order_walk_during(const HypOrderWalk *walk, int node);
size_t hyp_order_walk_after(const HypOrderWalk *walk, int node);

void hyp_order_walk_run(HypOrderWalk *walk, int node);          // a ready one
void hyp_order_walk_back(HypOrderWalk *walk, int to_run_count); // undoes the last ones

// Runs nodes that do not raise what is live, within `bound`, until there is none: no order gains by
// putting them off. What is run depends on the set that has run alone.
void hyp_order_walk_run_safe(HypOrderWalk *walk, size_t bound);

// Runs all that is left, each time the ready node that needs least while it runs (during_first) or
// leaves least behind. Returns the peak of that part.
size_t hyp_order_walk_run_greedy(HypOrderWalk *walk, bool during_first);

#endif
