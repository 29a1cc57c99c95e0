// SPDX-License-Identifier: Apache-2.0
// order_graph.h - the graph of an order problem, checked, with the neighbours of each node.
#ifndef HYP_ORDER_GRAPH_H
#define HYP_ORDER_GRAPH_H

#include "hyperion/planners.h"

// Neighbours of node v, each once: at[first[v]] to at[first[v + 1] - 1].
typedef struct HypNeighbours {
    int *first;
    int *at;
} HypNeighbours;

typedef struct HypOrderGraph {
    const HyperionOrderNode *nodes;
    int count;
    HypNeighbours inputs;
    HypNeighbours consumers;
    int *sorted; // the nodes, inputs before consumers, else in the order given
} HypOrderGraph;

// `given` stays the caller's and outlives the graph. False, last error set, as hyperionPlanOrder
// says; free in every case.
bool hyp_order_graph_create(HypOrderGraph *graph, const HyperionOrderGraph *given);
void hyp_order_graph_free(HypOrderGraph *graph);

// No order needs less: what the node that needs most does, its own bytes and its inputs', and what
// is live at the end, with the inputs of what runs last.
size_t hyp_order_graph_bound(const HypOrderGraph *graph, bool in_place);

#endif
