// SPDX-License-Identifier: Apache-2.0
#include "scheduler/waits.h"

#include "common/array.h"
#include "common/fail.h"

#include <stdlib.h>

static bool add_wait(HypWaits *waits, int tensor, int from, int to)
{
    HypWait *of =
        hyp_array_reserve(waits->of, &waits->capacity, (size_t)waits->count + 1, sizeof *of);
    if (!of)
        return false;
    waits->of = of;
    of[waits->count++] = (HypWait){tensor, from, to, HYP_WAIT_KEPT};
    return true;
}

static HypResultPolicy policy_of(const HypWaits *waits, int tensor)
{
    return waits->graph->policies[waits->graph->maker[tensor]];
}

static bool reads(const HypScheduleGraph *graph, int layer, int tensor)
{
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        if (graph->inputs[i].tensor == tensor)
            return true;
    return false;
}

static bool list_waits(HypWaits *waits, const int *place_of)
{
    const HypScheduleGraph *graph = waits->graph;
    for (int tensor = 0; tensor < graph->model->tensor_count; tensor++) {
        waits->first[tensor] = waits->count;
        if (graph->place_bytes[tensor] == 0 || graph->maker[tensor] < 0)
            continue;
        int from = place_of[graph->maker[tensor]];
        for (int to = from + 1; to < waits->order_count; to++) {
            if (!reads(graph, waits->order[to], tensor))
                continue;
            if (!add_wait(waits, tensor, from, to))
                return false;
            from = to;
        }
    }
    waits->first[graph->model->tensor_count] = waits->count;
    return true;
}

bool hyp_waits_create(HypWaits *waits, const HypScheduleGraph *graph, const int *order, int count)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t tensors = (size_t)graph->model->tensor_count + 1;
    *waits = (HypWaits){.graph = graph,
                        .order = order,
                        .order_count = count,
                        .first = calloc(tensors, sizeof *waits->first),
                        .item_of = calloc((size_t)count + 1, sizeof *waits->item_of),
                        .made_at = calloc(tensors, sizeof *waits->made_at)};
    int *place_of = calloc((size_t)graph->model->layer_count + 1, sizeof *place_of);
    bool created = waits->first && waits->item_of && waits->made_at && place_of;
    if (!created)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                       graph->model->name);
    for (int i = 0; created && i < count; i++)
        place_of[order[i]] = i;
    created = created && list_waits(waits, place_of);
    free(place_of);
    return created;
}

void hyp_waits_free(HypWaits *waits)
{
    free(waits->of);
    free(waits->first);
    free(waits->item_of);
    free(waits->made_at);
    *waits = (HypWaits){0};
}

bool hyp_waits_allow(const HypWaits *waits, int wait, int choice)
{
    const HypWait *asked = &waits->of[wait];
    const HypResultPolicy policy = policy_of(waits, asked->tensor);
    const bool is_short = asked->to - asked->from < 2;
    if (policy == HYP_RESULT_RECOMPUTED && !is_short)
        return choice >= HYP_WAIT_REMADE;
    if (choice == HYP_WAIT_KEPT)
        return true;
    if (is_short || policy != HYP_RESULT_FREE)
        return false;
    return choice == HYP_WAIT_SPILLED ? waits->graph->may_spill : waits->graph->may_recompute;
}

// What becomes of a tensor at a place in the order, as it waits there or is read after waiting; -1:
// it does not wait.
static int find_choice(const HypWaits *waits, int tensor, int place)
{
    for (int i = waits->first[tensor]; i < waits->first[tensor + 1]; i++) {
        const HypWait *wait = &waits->of[i];
        if (wait->from < place && place <= wait->to)
            return wait->choice;
    }
    return -1;
}

static void run_layer(const HypWaits *waits, int layer, int place, HypScript *script)
{
    const HypScheduleGraph *graph = waits->graph;
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        if (find_choice(waits, graph->inputs[i].tensor, place) == HYP_WAIT_SPILLED)
            hyp_script_add_away(script, graph->inputs[i].tensor);
    hyp_script_add(script, layer, false);
}

// Whether a tensor is to be made again for another that is, so many layers deep.
static bool must_be_made(const HypWaits *waits, int tensor, int place, int depth)
{
    const HypResultPolicy policy = policy_of(waits, tensor);
    const int choice = find_choice(waits, tensor, place);
    return depth > 1 && waits->made_at[tensor] != place && choice != HYP_WAIT_KEPT &&
           choice != HYP_WAIT_SPILLED &&
           (policy == HYP_RESULT_FREE || policy == HYP_RESULT_RECOMPUTED);
}

// At most HYP_WAIT_MOST_DEPTH deep.
static void make_again(HypWaits *waits, int tensor, int place, int depth, HypScript *script)
{
    const HypScheduleGraph *graph = waits->graph;
    const int layer = graph->maker[tensor];
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        if (must_be_made(waits, graph->inputs[i].tensor, place, depth))
            make_again(waits, graph->inputs[i].tensor, place, depth - 1, script);
    waits->made_at[tensor] = place;
    run_layer(waits, layer, place, script);
}

void hyp_waits_write(HypWaits *waits, HypScript *script)
{
    const HypScheduleGraph *graph = waits->graph;
    hyp_script_clear(script);
    for (int i = 0; i < graph->model->tensor_count; i++)
        waits->made_at[i] = -1;
    for (int place = 0; place < waits->order_count; place++) {
        const int layer = waits->order[place];
        for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++) {
            const int tensor = graph->inputs[i].tensor;
            const int choice = find_choice(waits, tensor, place);
            if (choice >= HYP_WAIT_REMADE && waits->made_at[tensor] != place)
                make_again(waits, tensor, place, choice - HYP_WAIT_REMADE + 1, script);
        }
        waits->item_of[place] = script->count;
        run_layer(waits, layer, place, script);
    }
}
