// SPDX-License-Identifier: Apache-2.0
#include "hyperion/planners.h"

#include "common/array.h"
#include "common/fail.h"
#include "scheduler/script.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool hyp_timeline_create(HypTimeline *timeline, const HypScheduleGraph *graph)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t tensors = (size_t)graph->model->tensor_count + 1;
    *timeline =
        (HypTimeline){.open = calloc(tensors, sizeof *timeline->open),
                      .ran = calloc((size_t)graph->model->layer_count + 1, sizeof *timeline->ran),
                      .on_disk = calloc(tensors, sizeof *timeline->on_disk)};
    if (timeline->open && timeline->ran && timeline->on_disk)
        return true;
    hyp_timeline_free(timeline);
    return hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", graph->model->name);
}

void hyp_timeline_free(HypTimeline *timeline)
{
    free(timeline->residencies);
    free(timeline->live_bytes);
    free(timeline->open);
    free(timeline->ran);
    free(timeline->on_disk);
    *timeline = (HypTimeline){0};
}

typedef struct Reading {
    HypTimeline *timeline;
    const HypScheduleGraph *graph;
    const HypScript *script;
    int item;
    int next_away;
} Reading;

static bool open_residency(Reading *reading, int tensor, bool restored)
{
    HypTimeline *timeline = reading->timeline;
    HypResidency *grown = hyp_array_reserve(timeline->residencies, &timeline->capacity,
                                            (size_t)timeline->count + 1, sizeof *grown);
    if (!grown)
        return false;
    timeline->residencies = grown;
    timeline->open[tensor] = timeline->count;
    grown[timeline->count++] = (HypResidency){.tensor = tensor,
                                              .first = reading->item,
                                              .last = reading->item,
                                              .over = -1,
                                              .restored = restored};
    return true;
}

// Whether the tensor comes back from disk for this item; not where the item before used it.
static bool is_away(const Reading *reading, int tensor, int last_use)
{
    const HypScheduleGraph *graph = reading->graph;
    const HypScript *script = reading->script;
    if (reading->item - last_use < 2)
        return false;
    if (graph->policies[graph->maker[tensor]] == HYP_RESULT_SPILLED)
        return true;
    for (int i = reading->next_away; i < script->away_count; i++) {
        if (script->away[i].item != reading->item)
            return false;
        if (script->away[i].tensor == tensor)
            return true;
    }
    return false;
}

static bool use_tensor(Reading *reading, int tensor)
{
    HypTimeline *timeline = reading->timeline;
    HypResidency *residency = &timeline->residencies[timeline->open[tensor]];
    assert(timeline->open[tensor] >= 0);
    if (!is_away(reading, tensor, residency->last)) {
        residency->last = reading->item;
        return true;
    }
    const HypPassTimes *times = &reading->graph->times;
    const size_t size_bytes = reading->graph->model->tensors[tensor].shape.size_bytes;
    residency->spilled = true;
    residency->written = !timeline->on_disk[tensor];
    if (residency->written) {
        timeline->on_disk[tensor] = true;
        timeline->spilled_bytes += size_bytes;
        timeline->time_ns += (double)size_bytes * times->write_ns_per_byte;
    }
    timeline->restored_bytes += size_bytes;
    timeline->time_ns += (double)size_bytes * times->read_ns_per_byte;
    return open_residency(reading, tensor, true);
}

static bool read_item(Reading *reading)
{
    HypTimeline *timeline = reading->timeline;
    const HypScheduleGraph *graph = reading->graph;
    const HypScriptItem item = reading->script->items[reading->item];
    const int result = graph->result[item.layer];
    for (int i = graph->first_input[item.layer]; i < graph->first_input[item.layer + 1]; i++)
        if (!use_tensor(reading, graph->inputs[i].tensor))
            return false;
    if (!item.visit) {
        timeline->time_ns += graph->layer_ns[item.layer];
        if (timeline->ran[item.layer])
            timeline->recomputed_layers++;
        else
            timeline->run_layers++;
        timeline->ran[item.layer] = true;
    }
    if (graph->place_bytes[result] == 0)
        return true;
    return item.visit ? use_tensor(reading, result) : open_residency(reading, result, false);
}

// Results that are written over an input which nobody reads afterwards.
static void find_overwritten(const Reading *reading)
{
    HypTimeline *timeline = reading->timeline;
    const HypScheduleGraph *graph = reading->graph;
    for (int i = 0; i < graph->model->tensor_count; i++)
        timeline->open[i] = -1;
    for (int i = 0; i < timeline->count; i++) {
        HypResidency *residency = &timeline->residencies[i];
        timeline->open[residency->tensor] = i;
        if (residency->restored)
            continue;
        const int layer = graph->maker[residency->tensor];
        for (int j = graph->first_input[layer]; j < graph->first_input[layer + 1]; j++) {
            const HypScheduleInput *input = &graph->inputs[j];
            const int at = timeline->open[input->tensor];
            const HypResidency *read = &timeline->residencies[at];
            if (input->overwritable && read->last == residency->first && !read->spilled) {
                residency->over = at;
                break;
            }
        }
    }
}

static bool count_live(const Reading *reading)
{
    HypTimeline *timeline = reading->timeline;
    const int count = reading->script->count;
    size_t *live = hyp_array_reserve(timeline->live_bytes, &timeline->live_capacity,
                                     (size_t)count + 2, sizeof *live);
    if (!live)
        return false;
    timeline->live_bytes = live;
    memset(live, 0, ((size_t)count + 2) * sizeof *live);
    for (int i = 0; i < timeline->count; i++) {
        const HypResidency *residency = &timeline->residencies[i];
        const size_t bytes = reading->graph->place_bytes[residency->tensor];
        // Of two that share a place at an item, one counts there. Differences wrap, sums do not.
        live[residency->first + (residency->over >= 0)] += bytes;
        live[residency->last + 1] -= bytes;
    }
    timeline->peak_bytes = 0;
    for (int i = 0; i < count; i++) {
        live[i] += i > 0 ? live[i - 1] : 0;
        if (live[i] > timeline->peak_bytes)
            timeline->peak_bytes = live[i];
    }
    return true;
}

bool hyp_timeline_read(HypTimeline *timeline, const HypScheduleGraph *graph,
                       const HypScript *script)
{
    Reading reading = {.timeline = timeline, .graph = graph, .script = script};
    timeline->count = 0;
    timeline->time_ns = 0;
    timeline->run_layers = timeline->recomputed_layers = 0;
    timeline->spilled_bytes = timeline->restored_bytes = 0;
    memset(timeline->ran, 0, (size_t)graph->model->layer_count * sizeof *timeline->ran);
    memset(timeline->on_disk, 0, (size_t)graph->model->tensor_count * sizeof *timeline->on_disk);
    for (int i = 0; i < graph->model->tensor_count; i++)
        timeline->open[i] = -1;
    for (; reading.item < script->count; reading.item++) {
        while (reading.next_away < script->away_count &&
               script->away[reading.next_away].item < reading.item)
            reading.next_away++;
        if (!read_item(&reading))
            return false;
    }
    find_overwritten(&reading);
    return count_live(&reading);
}

double hyp_timeline_excess(const HypTimeline *timeline, int item_count, size_t limit_bytes)
{
    double excess = 0;
    for (int i = 0; i < item_count; i++)
        if (timeline->live_bytes[i] > limit_bytes)
            excess += (double)(timeline->live_bytes[i] - limit_bytes);
    return excess;
}

// Where each group of residencies that share a place is in the list of buffers goes to `buffer_of`.
static size_t list_buffers(const HypTimeline *timeline, const HypScheduleGraph *graph,
                           HyperionBuffer *buffers, size_t *buffer_of)
{
    size_t count = 0;
    for (int i = 0; i < timeline->count; i++) {
        const HypResidency *residency = &timeline->residencies[i];
        if (residency->over >= 0) {
            buffer_of[i] = buffer_of[residency->over];
            buffers[buffer_of[i]].upper = residency->last + 1;
            continue;
        }
        buffer_of[i] = count;
        buffers[count++] = (HyperionBuffer){.lower = residency->first,
                                            .upper = residency->last + 1,
                                            .size_bytes = graph->place_bytes[residency->tensor]};
    }
    return count;
}

// How far the offset planner searches: heuristics alone for passes of very many steps.
static float choose_effort(size_t buffer_count)
{
    static const float some_effort = 0.1F;
    enum { MANY_BUFFERS = 600 };
    return buffer_count < MANY_BUFFERS ? some_effort : 0.0F;
}

bool hyp_timeline_place(const HypTimeline *timeline, const HypScheduleGraph *graph, size_t *offsets,
                        size_t *bytes)
{
    const size_t count = (size_t)timeline->count + 1;
    HyperionBuffer *buffers = calloc(count, sizeof *buffers);
    size_t *buffer_of = calloc(count, 2 * sizeof *buffer_of);
    HyperionOffsetPlan placed = {.valid = false};
    if (buffers && buffer_of) {
        size_t *buffer_offsets = buffer_of + count;
        const size_t buffer_count = list_buffers(timeline, graph, buffers, buffer_of);
        const HyperionOffsetRequest request = {.effort = choose_effort(buffer_count)};
        placed = hyperionPlanOffsets(buffers, buffer_count, &request, buffer_offsets);
        for (int i = 0; placed.valid && i < timeline->count; i++)
            offsets[i] = buffer_offsets[buffer_of[i]];
        *bytes = placed.height_bytes;
    } else {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                       graph->model->name);
    }
    free(buffers);
    free(buffer_of);
    return placed.valid;
}
