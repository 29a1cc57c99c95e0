// SPDX-License-Identifier: Apache-2.0
#include "scheduler/script_uses.h"

#include "common/fail.h"

#include <stdlib.h>

// Each tensor that the item reads, then its result: counted in `next` and, unless `items` is NULL,
// listed there.
static void note_item(const HypScheduleGraph *graph, int layer, int item, int *next, int *items)
{
    for (int i = graph->first_input[layer]; i <= graph->first_input[layer + 1]; i++) {
        const int tensor =
            i < graph->first_input[layer + 1] ? graph->inputs[i].tensor : graph->result[layer];
        if (items)
            items[next[tensor]] = item;
        next[tensor]++;
    }
}

static bool list_uses(HypScriptUses *uses, const HypScheduleGraph *graph, const HypScript *script)
{
    const int tensors = graph->model->tensor_count;
    int count = 0;
    for (int i = 0; i < script->count; i++)
        note_item(graph, script->items[i].layer, i, uses->next, NULL);
    for (int i = 0; i < tensors; i++) {
        uses->first[i] = count;
        count += uses->next[i];
        uses->next[i] = uses->first[i];
    }
    uses->first[tensors] = count;
    uses->items = calloc((size_t)count + 1, sizeof *uses->items);
    if (!uses->items)
        return false;
    for (int i = 0; i < script->count; i++)
        note_item(graph, script->items[i].layer, i, uses->next, uses->items);
    for (int i = 0; i < tensors; i++)
        uses->next[i] = uses->first[i];
    return true;
}

bool hyp_script_uses_create(HypScriptUses *uses, const HypScheduleGraph *graph,
                            const HypScript *script)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t tensors = (size_t)graph->model->tensor_count + 1;
    *uses = (HypScriptUses){.item_count = script->count,
                            .first = calloc(tensors, sizeof *uses->first),
                            .next = calloc(tensors, sizeof *uses->next)};
    return (uses->first && uses->next && list_uses(uses, graph, script)) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", graph->model->name);
}

void hyp_script_uses_free(HypScriptUses *uses)
{
    free(uses->first);
    free(uses->items);
    free(uses->next);
    *uses = (HypScriptUses){0};
}

int hyp_script_next_use(const HypScriptUses *uses, int tensor)
{
    const int next = uses->next[tensor];
    return next < uses->first[tensor + 1] ? uses->items[next] : uses->item_count;
}

void hyp_script_pass_use(HypScriptUses *uses, int tensor)
{
    uses->next[tensor]++;
}
