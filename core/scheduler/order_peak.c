// SPDX-License-Identifier: Apache-2.0
// The peak of an order, counted from the times of first and last use of each node's bytes: shares
// no code with the planner.
#include "hyperion/planners.h"

#include "common/fail.h"

#include <stdlib.h>

typedef struct Use {
    int made; // the step that runs the node; -1: none yet
    int last; // that reads it
    bool read;
    bool takes_over; // an input's memory
} Use;

static bool note_steps(const HyperionOrderGraph *graph, const int *order, Use *uses)
{
    for (int i = 0; i < graph->node_count; i++)
        uses[i].made = -1;
    for (int step = 0; step < graph->node_count; step++) {
        if (order[step] < 0 || order[step] >= graph->node_count || uses[order[step]].made >= 0)
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "order peak: step %d is node %d, expected each of %d nodes once", step,
                            order[step], graph->node_count);
        uses[order[step]].made = step;
    }
    for (int i = 0; i < graph->edge_count; i++) {
        const HyperionOrderEdge edge = graph->edges[i];
        if (edge.from < 0 || edge.from >= graph->node_count || edge.to < 0 ||
            edge.to >= graph->node_count)
            return hyp_fail(HYPERION_ERROR_ARGUMENT, "order peak: edge %d from %d to %d", i,
                            edge.from, edge.to);
        Use *from = &uses[edge.from];
        if (uses[edge.to].made <= from->made)
            return hyp_fail(HYPERION_ERROR_ARGUMENT, "order peak: node %d runs before its input %d",
                            edge.to, edge.from);
        from->last =
            from->read && from->last > uses[edge.to].made ? from->last : uses[edge.to].made;
        from->read = true;
    }
    return true;
}

static void note_taken_over(const HyperionOrderGraph *graph, Use *uses)
{
    for (int i = 0; i < graph->edge_count; i++) {
        const HyperionOrderEdge edge = graph->edges[i];
        if (graph->nodes[edge.to].in_place && uses[edge.from].last == uses[edge.to].made &&
            graph->nodes[edge.from].size_bytes >= graph->nodes[edge.to].size_bytes)
            uses[edge.to].takes_over = true;
    }
}

// freed[s]: bytes whose last reader runs at step s.
static size_t count_peak(const HyperionOrderGraph *graph, const int *order, const Use *uses,
                         size_t *freed)
{
    size_t live = 0;
    size_t peak = 0;
    for (int i = 0; i < graph->node_count; i++)
        if (uses[i].read)
            freed[uses[i].last] += graph->nodes[i].size_bytes;
    for (int step = 0; step < graph->node_count; step++) {
        const size_t size_bytes = graph->nodes[order[step]].size_bytes;
        const size_t during = live + (uses[order[step]].takes_over ? 0 : size_bytes);
        peak = during > peak ? during : peak;
        live = live + size_bytes - freed[step];
    }
    return peak;
}

size_t hyperionOrderPeak(const HyperionOrderGraph *graph, const int *order, bool in_place)
{
    if (!graph || graph->node_count < 0 || (graph->node_count > 0 && (!order || !graph->nodes)) ||
        (graph->edge_count > 0 && !graph->edges)) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "order peak: the graph or the order is NULL");
        return SIZE_MAX;
    }
    Use *uses = calloc((size_t)graph->node_count + 1, sizeof *uses);
    size_t *freed = calloc((size_t)graph->node_count + 1, sizeof *freed);
    size_t peak = SIZE_MAX;
    if (!uses || !freed)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "order peak: out of memory for %d nodes",
                       graph->node_count);
    else if (note_steps(graph, order, uses)) {
        if (in_place)
            note_taken_over(graph, uses);
        peak = count_peak(graph, order, uses, freed);
    }
    free(freed);
    free(uses);
    return peak;
}
