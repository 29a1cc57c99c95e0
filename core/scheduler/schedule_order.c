// SPDX-License-Identifier: Apache-2.0
// schedule_order.c - the order of a model's layers, as an instance of the order planner.
#include "hyperion/planners.h"

#include "common/fail.h"
#include "scheduler/schedule_graph.h"

#include <stdlib.h>

// Of the search: more than any network seen needs, and some hundredths of a second.
enum { MOST_STATES = 20000 };

typedef struct Instance {
    HyperionOrderGraph graph;
    HyperionOrderNode *nodes; // layers that have work, as the model has them
    HyperionOrderEdge *edges;
    int *layers;  // by node
    int *node_of; // by layer
    int *orders;  // nodes: as given, then as planned
} Instance;

static void free_instance(Instance *instance)
{
    free(instance->nodes);
    free(instance->edges);
    free(instance->layers);
    free(instance->node_of);
    free(instance->orders);
}

static bool allocate(Instance *instance, const HyperionModel *model)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t layers = (size_t)model->layer_count + 1;
    size_t edges = 1;
    for (int i = 0; i < model->layer_count; i++)
        edges += (size_t)model->layers[i].input_count;
    *instance = (Instance){.nodes = calloc(layers, sizeof *instance->nodes),
                           .edges = calloc(edges, sizeof *instance->edges),
                           .layers = calloc(layers, sizeof *instance->layers),
                           .node_of = calloc(layers, sizeof *instance->node_of),
                           .orders = calloc(layers, 2 * sizeof *instance->orders)};
    return (instance->nodes && instance->edges && instance->layers && instance->node_of &&
            instance->orders) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", model->name);
}

// A layer reads what it needs also where that has no place: such results have no bytes here.
static void add_layer(Instance *instance, const HypScheduleGraph *graph, int index)
{
    const HyperionModel *model = graph->model;
    const HypLayer *layer = &model->layers[index];
    const int node = instance->graph.node_count++;
    bool in_place = false;
    for (int i = graph->first_input[index]; i < graph->first_input[index + 1]; i++)
        in_place |= graph->inputs[i].overwritable;
    instance->layers[node] = index;
    instance->node_of[index] = node;
    instance->orders[node] = node;
    instance->nodes[node] = (HyperionOrderNode){graph->place_bytes[graph->result[index]], in_place};
    for (int i = 0; i < layer->input_count; i++) {
        const int maker = graph->maker[hyp_model_root(model, layer->inputs[i])];
        if (maker >= 0)
            instance->edges[instance->graph.edge_count++] =
                (HyperionOrderEdge){instance->node_of[maker], node};
    }
}

// The planned order where it needs less than the given one.
static bool plan(Instance *instance, bool in_place, HyperionScheduleOrder asked, const int **order,
                 bool *proved)
{
    const HyperionOrderRequest request = {.in_place = in_place, .most_states = MOST_STATES};
    const int *given = instance->orders;
    int *planned = instance->orders + instance->graph.node_count;
    instance->graph.nodes = instance->nodes;
    instance->graph.edges = instance->edges;
    const HyperionOrderPlan best = hyperionPlanOrder(&instance->graph, &request, planned);
    const size_t given_bytes = hyperionOrderPeak(&instance->graph, given, in_place);
    if (!best.valid || given_bytes == SIZE_MAX)
        return false;
    const bool is_better = asked == HYPERION_ORDER_LEAST_MEMORY && best.peak_bytes < given_bytes;
    *order = is_better ? planned : given;
    *proved = best.status == HYPERION_PLAN_OPTIMAL && (is_better || best.peak_bytes == given_bytes);
    return true;
}

int hyp_schedule_order(const HypScheduleGraph *graph, HyperionScheduleOrder asked, int *order,
                       bool *proved)
{
    Instance instance;
    const int *nodes = NULL;
    int count = -1;
    if (allocate(&instance, graph->model)) {
        for (int i = 0; i < graph->model->layer_count; i++)
            if (graph->result[i] >= 0)
                add_layer(&instance, graph, i);
        if (plan(&instance, graph->direction == HYPERION_PASS_FORWARD, asked, &nodes, proved)) {
            count = instance.graph.node_count;
            for (int i = 0; i < count; i++)
                order[i] = instance.layers[nodes[i]];
        }
    }
    free_instance(&instance);
    return count;
}
