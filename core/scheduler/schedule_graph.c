// SPDX-License-Identifier: Apache-2.0
#include "scheduler/schedule_graph.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/layer_op.h"
#include "model/run_plan.h"

#include <stdlib.h>

enum { PLACE_BYTES = 64 }; // places are multiples

// Guesses of times: 40 GFLOP/s and 8 GB/s.
static const double guessed_flops_per_ns = 40;
static const double guessed_bytes_per_ns = 8;

static double guess_time(const HyperionModel *model, int layer)
{
    const HypLayer *guessed = &model->layers[layer];
    double bytes = (double)model->tensors[guessed->outputs[0]].shape.size_bytes;
    for (int i = 0; i < guessed->input_count; i++)
        bytes += (double)model->tensors[guessed->inputs[i]].shape.size_bytes;
    return hyperionModelLayer(model, layer).flops / guessed_flops_per_ns +
           bytes / guessed_bytes_per_ns;
}

// Whether the plan's memory has a place for the tensor. Backward, outputs are in it too.
static bool has_place(const HypScheduleGraph *graph, int tensor)
{
    const HyperionModel *model = graph->model;
    if (graph->direction == HYPERION_PASS_FORWARD)
        return hyp_run_plan_places(model, tensor);
    return model->tensors[tensor].role == HYP_TENSOR_ACTIVATION &&
           model->tensors[tensor].view_of < 0;
}

static bool measure_tensors(HypScheduleGraph *graph)
{
    size_t sum_bytes = 0;
    for (int i = 0; i < graph->model->tensor_count; i++) {
        graph->maker[i] = -1;
        if (!has_place(graph, i))
            continue;
        const size_t size_bytes = graph->model->tensors[i].shape.size_bytes;
        if (!hyp_size_round_up(size_bytes ? size_bytes : 1, PLACE_BYTES, &graph->place_bytes[i]) ||
            !hyp_size_add(sum_bytes, graph->place_bytes[i], &sum_bytes))
            return hyp_fail(HYPERION_ERROR_MEMORY,
                            "schedule model %s: its activations do not fit in the address space",
                            graph->model->name);
    }
    return true;
}

// Whether the result may be written over input `index`, as far as the layer is concerned.
static bool can_overwrite(const HyperionModel *model, const HypLayer *layer, int index)
{
    const HypShape *wanted = hyp_layer_output(model, layer);
    const int root = hyp_model_root(model, layer->inputs[index]);
    if (index >= hyp_layer_op(layer->op)->overwrites)
        return false;
    for (int i = 0; i < layer->input_count; i++)
        if (hyp_model_root(model, layer->inputs[i]) == root &&
            !hyp_shape_equal(hyp_layer_input(model, layer, i), wanted))
            return false;
    return true;
}

static void add_input(HypScheduleGraph *graph, int layer, int tensor, bool overwritable)
{
    int *end = &graph->first_input[layer + 1];
    if (graph->place_bytes[tensor] == 0)
        return;
    for (int i = graph->first_input[layer]; i < *end; i++)
        if (graph->inputs[i].tensor == tensor)
            return;
    graph->inputs[(*end)++] = (HypScheduleInput){tensor, overwritable};
}

static HypResultPolicy find_policy(const HypSchedulePolicy *policy, int layer)
{
    switch (policy->strategies[layer]) {
    case HYPERION_CHECKPOINT_STORE: return HYP_RESULT_STORED;
    case HYPERION_CHECKPOINT_RECOMPUTE: return HYP_RESULT_RECOMPUTED;
    case HYPERION_CHECKPOINT_SPILL: return HYP_RESULT_SPILLED;
    default: return policy->config.enable_checkpointing ? HYP_RESULT_FREE : HYP_RESULT_STORED;
    }
}

static void describe_layer(HypScheduleGraph *graph, int index, const HypSchedulePolicy *policy)
{
    const HyperionModel *model = graph->model;
    const HypLayer *layer = &model->layers[index];
    graph->first_input[index + 1] = graph->first_input[index];
    graph->result[index] = -1;
    if (hyp_layer_is_view(model, layer))
        return;
    graph->result[index] = layer->outputs[0];
    graph->maker[layer->outputs[0]] = index;
    graph->policies[index] = find_policy(policy, index);
    const double *measured = graph->times.layer_ns;
    graph->layer_ns[index] =
        measured && measured[index] > 0 ? measured[index] : guess_time(model, index);
    graph->forward_ns += graph->layer_ns[index];
    size_t needed_bytes = graph->place_bytes[layer->outputs[0]];
    bool overwritable = false;
    for (int i = 0; i < layer->input_count; i++)
        add_input(graph, index, hyp_model_root(model, layer->inputs[i]),
                  can_overwrite(model, layer, i));
    for (int i = graph->first_input[index]; i < graph->first_input[index + 1]; i++) {
        needed_bytes += graph->place_bytes[graph->inputs[i].tensor];
        overwritable |= graph->inputs[i].overwritable;
    }
    // Forward the result may take the place of an input; backward both are there for the visit.
    if (overwritable && graph->direction == HYPERION_PASS_FORWARD)
        needed_bytes -= graph->place_bytes[layer->outputs[0]];
    if (needed_bytes > graph->lower_bound_bytes)
        graph->lower_bound_bytes = needed_bytes;
}

static bool allocate(HypScheduleGraph *graph)
{
    const HyperionModel *model = graph->model;
    // One more than needed: calloc(0) may be NULL.
    const size_t tensors = (size_t)model->tensor_count + 1;
    const size_t layers = (size_t)model->layer_count + 1;
    size_t inputs = 1;
    for (int i = 0; i < model->layer_count; i++)
        inputs += (size_t)model->layers[i].input_count;
    graph->place_bytes = calloc(tensors, sizeof *graph->place_bytes);
    graph->maker = calloc(tensors, sizeof *graph->maker);
    graph->result = calloc(layers, sizeof *graph->result);
    graph->first_input = calloc(layers + 1, sizeof *graph->first_input);
    graph->inputs = calloc(inputs, sizeof *graph->inputs);
    graph->layer_ns = calloc(layers, sizeof *graph->layer_ns);
    graph->policies = calloc(layers, sizeof *graph->policies);
    return (graph->place_bytes && graph->maker && graph->result && graph->first_input &&
            graph->inputs && graph->layer_ns && graph->policies) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", model->name);
}

bool hyp_schedule_graph_create(HypScheduleGraph *graph, const HyperionModel *model,
                               HyperionPassDirection direction, const HypSchedulePolicy *policy,
                               const HypPassTimes *times)
{
    *graph = (HypScheduleGraph){.model = model, .direction = direction, .times = *times};
    const HyperionLayerSchedulerConfig *config = &policy->config;
    graph->may_recompute = config->enable_checkpointing && config->recompute_activations;
    graph->may_spill = config->enable_checkpointing &&
                       (direction == HYPERION_PASS_FORWARD || !config->recompute_activations);
    if (!allocate(graph) || !measure_tensors(graph)) {
        hyp_schedule_graph_free(graph);
        return false;
    }
    for (int i = 0; i < model->layer_count; i++)
        describe_layer(graph, i, policy);
    return true;
}

void hyp_schedule_graph_free(HypScheduleGraph *graph)
{
    free(graph->place_bytes);
    free(graph->maker);
    free(graph->result);
    free(graph->first_input);
    free(graph->inputs);
    free(graph->layer_ns);
    free(graph->policies);
    *graph = (HypScheduleGraph){0};
}
