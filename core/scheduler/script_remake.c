// SPDX-License-Identifier: Apache-2.0
// script_remake.c - in the manner of dynamic tensor rematerialization (Kirisame et al., ICLR 2021),
// but with the uses to come known: the victim is what is used last, for the least time to make it.
#include "scheduler/script_remake.h"

#include "common/fail.h"
#include "scheduler/script_uses.h"

#include <stdlib.h>

typedef struct Remaking {
    const HypScheduleGraph *graph;
    HypScript *to;
    HypScriptUses uses;
    bool *in_memory; // by tensor
    int *pins;       // by tensor: items that need it just now
    size_t limit_bytes, live_bytes;
    int item, most_items;
} Remaking;

// What is gained for each ns of making the tensor again: bytes, for as long as nobody needs them.
static double find_worth(const Remaking *remaking, int tensor)
{
    const int wait = hyp_script_next_use(&remaking->uses, tensor) - remaking->item;
    const double ns = remaking->graph->layer_ns[remaking->graph->maker[tensor]];
    return (double)remaking->graph->place_bytes[tensor] * wait / (ns + 1);
}

static int find_victim(const Remaking *remaking)
{
    const HypScheduleGraph *graph = remaking->graph;
    int best = -1;
    for (int i = 0; i < graph->model->tensor_count; i++) {
        if (!remaking->in_memory[i] || remaking->pins[i] > 0 ||
            graph->policies[graph->maker[i]] != HYP_RESULT_FREE)
            continue;
        if (best < 0 || find_worth(remaking, i) > find_worth(remaking, best))
            best = i;
    }
    return best;
}

static void leave(Remaking *remaking, int tensor)
{
    remaking->in_memory[tensor] = false;
    remaking->live_bytes -= remaking->graph->place_bytes[tensor];
}

static void take(Remaking *remaking, int tensor)
{
    remaking->in_memory[tensor] = true;
    remaking->live_bytes += remaking->graph->place_bytes[tensor];
    for (int victim = 0; remaking->live_bytes > remaking->limit_bytes && victim >= 0;) {
        victim = find_victim(remaking);
        if (victim >= 0)
            leave(remaking, victim);
    }
}

static void pin_inputs(Remaking *remaking, int layer, int change)
{
    const HypScheduleGraph *graph = remaking->graph;
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        remaking->pins[graph->inputs[i].tensor] += change;
}

static void run_layer(Remaking *remaking, int layer);

// As deep as the graph at most.
static void bring(Remaking *remaking, int tensor)
{
    if (!remaking->in_memory[tensor])
        run_layer(remaking, remaking->graph->maker[tensor]);
}

// What nobody needs any more goes.
static void release(Remaking *remaking, int tensor)
{
    if (remaking->in_memory[tensor] && remaking->pins[tensor] == 0 &&
        hyp_script_next_use(&remaking->uses, tensor) == remaking->uses.item_count)
        leave(remaking, tensor);
}

static void run_layer(Remaking *remaking, int layer)
{
    const HypScheduleGraph *graph = remaking->graph;
    const int result = graph->result[layer];
    if (remaking->to->count > remaking->most_items)
        return;
    pin_inputs(remaking, layer, 1);
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        bring(remaking, graph->inputs[i].tensor);
    remaking->pins[result]++;
    if (graph->place_bytes[result] > 0 && !remaking->in_memory[result])
        take(remaking, result);
    remaking->pins[result]--;
    hyp_script_add(remaking->to, layer, false);
    pin_inputs(remaking, layer, -1);
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        release(remaking, graph->inputs[i].tensor);
}

static void visit_layer(Remaking *remaking, int layer)
{
    const HypScheduleGraph *graph = remaking->graph;
    const int result = graph->result[layer];
    pin_inputs(remaking, layer, 1);
    remaking->pins[result]++;
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        bring(remaking, graph->inputs[i].tensor);
    bring(remaking, result);
    hyp_script_add(remaking->to, layer, true);
    remaking->pins[result]--;
    pin_inputs(remaking, layer, -1);
}

static void take_item(Remaking *remaking, HypScriptItem item)
{
    const HypScheduleGraph *graph = remaking->graph;
    const int first = graph->first_input[item.layer];
    const int end = graph->first_input[item.layer + 1];
    if (item.visit)
        visit_layer(remaking, item.layer);
    else
        run_layer(remaking, item.layer);
    for (int i = first; i <= end; i++)
        hyp_script_pass_use(&remaking->uses,
                            i < end ? graph->inputs[i].tensor : graph->result[item.layer]);
    for (int i = first; i <= end; i++)
        release(remaking, i < end ? graph->inputs[i].tensor : graph->result[item.layer]);
}

bool hyp_script_remake(HypScript *to, const HypScript *from, const HypScheduleGraph *graph,
                       size_t limit_bytes, bool *complete)
{
    const size_t tensors = (size_t)graph->model->tensor_count + 1;
    Remaking remaking = {.graph = graph,
                         .to = to,
                         .in_memory = calloc(tensors, sizeof *remaking.in_memory),
                         .pins = calloc(tensors, sizeof *remaking.pins),
                         .limit_bytes = limit_bytes,
                         .most_items = 4 * from->count};
    bool created = hyp_script_uses_create(&remaking.uses, graph, from);
    if (created && (!remaking.in_memory || !remaking.pins))
        created =
            hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", graph->model->name);
    hyp_script_clear(to);
    for (; created && remaking.item < from->count && to->count <= remaking.most_items;
         remaking.item++)
        take_item(&remaking, from->items[remaking.item]);
    *complete = created && to->count <= remaking.most_items;
    hyp_script_uses_free(&remaking.uses);
    free(remaking.in_memory);
    free(remaking.pins);
    return created && !to->failed;
}
