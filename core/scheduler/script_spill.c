// SPDX-License-Identifier: Apache-2.0
#include "scheduler/script_spill.h"

#include "common/fail.h"

#include <stdlib.h>

typedef struct Spilling {
    const HypScheduleGraph *graph;
    const HypScript *from;
    int *first_use;         // by tensor, into `uses`; one more behind the last
    int *uses;              // items that read, make or visit it
    int *next_use;          // by tensor, into `uses`: the next to come
    bool *in_memory, *away; // by tensor
    size_t live_bytes;
} Spilling;

static void free_spilling(Spilling *spilling)
{
    free(spilling->first_use);
    free(spilling->uses);
    free(spilling->next_use);
    free(spilling->in_memory);
    free(spilling->away);
}

// Calls for each tensor with a place that the item uses, its result last.
static void note_uses(const Spilling *spilling, int item, int *counts, int *uses)
{
    const HypScheduleGraph *graph = spilling->graph;
    const int layer = spilling->from->items[item].layer;
    for (int i = graph->first_input[layer]; i <= graph->first_input[layer + 1]; i++) {
        const int tensor =
            i < graph->first_input[layer + 1] ? graph->inputs[i].tensor : graph->result[layer];
        if (uses)
            uses[counts[tensor]] = item;
        counts[tensor]++;
    }
}

static bool list_uses(Spilling *spilling)
{
    const int tensors = spilling->graph->model->tensor_count;
    int *counts = spilling->next_use;
    size_t use_count = 0;
    for (int i = 0; i < spilling->from->count; i++)
        note_uses(spilling, i, counts, NULL);
    for (int i = 0; i < tensors; i++) {
        spilling->first_use[i] = (int)use_count;
        use_count += (size_t)counts[i];
        counts[i] = spilling->first_use[i];
    }
    spilling->first_use[tensors] = (int)use_count;
    spilling->uses = calloc(use_count + 1, sizeof *spilling->uses);
    if (!spilling->uses)
        return false;
    for (int i = 0; i < spilling->from->count; i++)
        note_uses(spilling, i, counts, spilling->uses);
    for (int i = 0; i < tensors; i++)
        spilling->next_use[i] = spilling->first_use[i];
    return true;
}

static bool create(Spilling *spilling, const HypScheduleGraph *graph, const HypScript *from)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t tensors = (size_t)graph->model->tensor_count + 1;
    *spilling = (Spilling){.graph = graph,
                           .from = from,
                           .first_use = calloc(tensors, sizeof *spilling->first_use),
                           .next_use = calloc(tensors, sizeof *spilling->next_use),
                           .in_memory = calloc(tensors, sizeof *spilling->in_memory),
                           .away = calloc(tensors, sizeof *spilling->away)};
    return (spilling->first_use && spilling->next_use && spilling->in_memory && spilling->away &&
            list_uses(spilling)) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", graph->model->name);
}

// The item at which a tensor is used next; INT_MAX's place: never, the number of items.
static int find_next(const Spilling *spilling, int tensor)
{
    const int next = spilling->next_use[tensor];
    return next < spilling->first_use[tensor + 1] ? spilling->uses[next] : spilling->from->count;
}

// Of those in memory that may go and that the item does not use, the one used last; -1: none.
static int find_victim(const Spilling *spilling, int item)
{
    const HypScheduleGraph *graph = spilling->graph;
    int best = -1;
    for (int i = 0; i < graph->model->tensor_count; i++) {
        if (!spilling->in_memory[i] || find_next(spilling, i) == item ||
            graph->policies[graph->maker[i]] != HYP_RESULT_FREE)
            continue;
        if (best < 0 || find_next(spilling, i) > find_next(spilling, best))
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
        spilling->next_use[tensor]++;
        if (spilling->in_memory[tensor] && find_next(spilling, tensor) == spilling->from->count)
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
