// SPDX-License-Identifier: Apache-2.0
#include "scheduler/order_graph.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "common/sort.h"

#include <limits.h>
#include <stdlib.h>

static bool check_given(const HyperionOrderGraph *given)
{
    if (!given || (given->node_count > 0 && !given->nodes) ||
        (given->edge_count > 0 && !given->edges))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan order: %s is NULL",
                        !given ? "the graph" : "nodes or edges");
    if (given->node_count < 0 || given->node_count == INT_MAX || given->edge_count < 0)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan order: %d nodes, %d edges",
                        given->node_count, given->edge_count);
    size_t sum_bytes = 0;
    for (int i = 0; i < given->node_count; i++)
        if (!hyp_size_add(sum_bytes, given->nodes[i].size_bytes, &sum_bytes))
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "plan order: the sizes up to node %d do not fit in the address space",
                            i);
    for (int i = 0; i < given->edge_count; i++) {
        const HyperionOrderEdge edge = given->edges[i];
        if (edge.from < 0 || edge.from >= given->node_count || edge.to < 0 ||
            edge.to >= given->node_count)
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "plan order: edge %d from %d to %d, expected nodes 0 to %d", i,
                            edge.from, edge.to, given->node_count - 1);
    }
    return true;
}

static int compare_edges(const void *a, const void *b, const void *context)
{
    (void)context;
    const HyperionOrderEdge *first = a;
    const HyperionOrderEdge *second = b;
    if (first->from != second->from)
        return first->from < second->from ? -1 : 1;
    return (first->to > second->to) - (first->to < second->to);
}

// Those that `from` of the edges has at `to`.
static bool list_neighbours(HypNeighbours *neighbours, HyperionOrderEdge *edges, int edge_count,
                            int node_count)
{
    neighbours->first = calloc((size_t)node_count + 1, sizeof *neighbours->first);
    neighbours->at = calloc((size_t)edge_count + 1, sizeof *neighbours->at);
    if (!neighbours->first || !neighbours->at)
        return false;
    hyp_sort(edges, (size_t)edge_count, sizeof *edges, compare_edges, NULL);
    int used = 0;
    int edge = 0;
    for (int node = 0; node < node_count; node++) {
        neighbours->first[node] = used;
        for (; edge < edge_count && edges[edge].from == node; edge++)
            if (used == neighbours->first[node] || neighbours->at[used - 1] != edges[edge].to)
                neighbours->at[used++] = edges[edge].to;
    }
    neighbours->first[node_count] = used;
    return true;
}

static bool list_both(HypOrderGraph *graph, const HyperionOrderGraph *given)
{
    HyperionOrderEdge *edges = calloc((size_t)given->edge_count + 1, sizeof *edges);
    if (!edges)
        return false;
    for (int i = 0; i < given->edge_count; i++)
        edges[i] = given->edges[i];
    bool listed = list_neighbours(&graph->consumers, edges, given->edge_count, graph->count);
    for (int i = 0; i < given->edge_count; i++)
        edges[i] = (HyperionOrderEdge){.from = given->edges[i].to, .to = given->edges[i].from};
    listed = listed && list_neighbours(&graph->inputs, edges, given->edge_count, graph->count);
    free(edges);
    return listed;
}

// Depth first from each node back to what it needs. `next` is by node the input to look at, -1
// where the node is done.
static bool sort_nodes(HypOrderGraph *graph, int *next, int *path)
{
    const int *first = graph->inputs.first;
    int sorted = 0;
    for (int i = 0; i < graph->count; i++)
        next[i] = first[i];
    for (int i = 0; i < graph->count; i++) {
        int depth = 0;
        path[0] = i;
        while (depth >= 0 && next[i] >= 0) {
            const int node = path[depth];
            if (next[node] == first[node + 1]) {
                graph->sorted[sorted++] = node;
                next[node] = -1;
                depth--;
                continue;
            }
            const int input = graph->inputs.at[next[node]++];
            if (next[input] < 0)
                continue;
            // An input that was begun and is not done lies on the path.
            if (input == node || next[input] > first[input])
                return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan order: node %d is on a cycle",
                                input);
            path[++depth] = input;
        }
    }
    return true;
}

bool hyp_order_graph_create(HypOrderGraph *graph, const HyperionOrderGraph *given)
{
    *graph = (HypOrderGraph){0};
    if (!check_given(given))
        return false;
    graph->nodes = given->nodes;
    graph->count = given->node_count;
    const size_t count = (size_t)graph->count + 1;
    int *next = calloc(count, sizeof *next);
    int *path = calloc(count, sizeof *path);
    graph->sorted = calloc(count, sizeof *graph->sorted);
    bool created = false;
    if (next && path && graph->sorted && list_both(graph, given))
        created = sort_nodes(graph, next, path);
    else
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan order: out of memory for %d nodes",
                       graph->count);
    free(path);
    free(next);
    return created;
}

void hyp_order_graph_free(HypOrderGraph *graph)
{
    free(graph->inputs.first);
    free(graph->inputs.at);
    free(graph->consumers.first);
    free(graph->consumers.at);
    free(graph->sorted);
    *graph = (HypOrderGraph){0};
}

// What a node needs while it runs: itself and what it reads. In place it takes over an input that
// is large enough, if there is one; so it never needs less than its size.
static size_t count_needed(const HypOrderGraph *graph, int node, bool in_place)
{
    size_t needed = graph->nodes[node].size_bytes;
    bool taken_over = false;
    for (int i = graph->inputs.first[node]; i < graph->inputs.first[node + 1]; i++) {
        const size_t input_bytes = graph->nodes[graph->inputs.at[i]].size_bytes;
        needed += input_bytes;
        taken_over |=
            in_place && graph->nodes[node].in_place && input_bytes >= graph->nodes[node].size_bytes;
    }
    return taken_over ? needed - graph->nodes[node].size_bytes : needed;
}

size_t hyp_order_graph_bound(const HypOrderGraph *graph, bool in_place)
{
    size_t bound = 0;
    size_t sinks_bytes = 0;
    size_t least_end = SIZE_MAX; // what the sink that runs last needs beside all of them
    for (int node = 0; node < graph->count; node++) {
        const size_t needed = count_needed(graph, node, in_place);
        bound = needed > bound ? needed : bound;
        if (graph->consumers.first[node] < graph->consumers.first[node + 1])
            continue;
        const size_t more = needed - graph->nodes[node].size_bytes;
        sinks_bytes += graph->nodes[node].size_bytes;
        least_end = more < least_end ? more : least_end;
    }
    const size_t end = graph->count > 0 ? sinks_bytes + least_end : 0;
    return end > bound ? end : bound;
}
