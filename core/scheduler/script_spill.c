// SPDX-License-Identifier: Apache-2.0
#include "scheduler/script_spill.h"

#include "common/fail.h"
#include "scheduler/script_uses.h"

#include <stdlib.h>

typedef struct Spilling {
    const HypScheduleGraph *graph;
    const HypScript *from;
    HypScriptUses uses;
    bool *in_memory, *away; // by tensor
    size_t live_bytes;
} Spilling;

static void free_spilling(Spilling *spilling)
{
    hyp_script_uses_free(&spilling->uses);
    free(spilling->in_memory);
    free(spilling->away);
}

static bool create(Spilling *spilling, const HypScheduleGraph *graph, const HypScript *from)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t tensors = (size_t)graph->model->tensor_count + 1;
    *spilling = (Spilling){.graph = graph,
                           .from = from,
                           .in_memory = calloc(tensors, sizeof *spilling->in_memory),
                           .away = calloc(tensors, sizeof *spilling->away)};
    if (!hyp_script_uses_create(&spilling->uses, graph, from))
        return false;
    return (spilling->in_memory && spilling->away) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", graph->model->name);
}

// Of those in memory that may go and that the item does not use, the one used last; -1: none.
static int find_victim(const Spilling *spilling, int item)
{
    const HypScheduleGraph *graph = spilling->graph;
    int best = -1;
    for (int i = 0; i < graph->model->tensor_count; i++) {
        const int next = spilling->in_memory[i] ? hyp_script_next_use(&spilling->uses, i) : item;
        if (next == item || graph->policies[graph->maker[i]] != HYP_RESULT_FREE)
            continue;
        if (best < 0 || next > hyp_script_next_use(&spilling->uses, best))
            best = i;
    }
    return best;
}

static void bring(Spilling *spilling, int tensor, HypScript *to)
{
    if (spilling->away[tensor])
        hyp_script_add_away(to, tensor);
    spilling->away[tensor] = false;
    if (!spilling->in_memory[tensor])
        spilling->live_bytes += spilling->graph->place_bytes[tensor];
    spilling->in_memory[tensor] = true;
}

static void leave(Spilling *spilling, int tensor)
{
    spilling->in_memory[tensor] = false;
    spilling->live_bytes -= spilling->graph->place_bytes[tensor];
}

static void take_item(Spilling *spilling, int item, size_t limit_bytes, HypScript *to)
{
    const HypScheduleGraph *graph = spilling->graph;
    const int layer = spilling->from->items[item].layer;
    const int first = graph->first_input[layer];
    const int end = graph->first_input[layer + 1];
    for (int i = first; i < end; i++)
        bring(spilling, graph->inputs[i].tensor, to);
    if (graph->place_bytes[graph->result[layer]] > 0)
        bring(spilling, graph->result[layer], to);
    for (int victim = 0; spilling->live_bytes > limit_bytes && victim >= 0;) {
        victim = find_victim(spilling, item);
        if (victim >= 0) {
            spilling->away[victim] = true;
            leave(spilling, victim);
        }
    }
    hyp_script_add(to, layer, spilling->from->items[item].visit);
    for (int i = first; i <= end; i++) {
        const int tensor = i < end ? graph->inputs[i].tensor : graph->result[layer];
        hyp_script_pass_use(&spilling->uses, tensor);
        if (spilling->in_memory[tensor] &&
            hyp_script_next_use(&spilling->uses, tensor) == spilling->from->count)
            leave(spilling, tensor);
    }
}

bool hyp_script_spill(HypScript *to, const HypScript *from, const HypScheduleGraph *graph,
                      size_t limit_bytes)
{
    Spilling spilling;
    hyp_script_clear(to);
    const bool created = create(&spilling, graph, from);
    for (int i = 0; created && i < from->count; i++)
        take_item(&spilling, i, limit_bytes, to);
    free_spilling(&spilling);
    return created && !to->failed;
}
