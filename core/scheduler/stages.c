// SPDX-License-Identifier: Apache-2.0
#include "scheduler/stages.h"

#include "common/fail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// While the layers run in order.
typedef struct Sweep {
    const HypScheduleGraph *graph;
    const int *order;
    int count;
    int *last_use;  // by tensor: place in the order; -1: no layer makes it
    int *first_use; // that makes it
} Sweep;

static bool sweep_create(Sweep *sweep, const HypScheduleGraph *graph, const int *order, int count)
{
    const size_t tensors = (size_t)graph->model->tensor_count + 1;
    *sweep = (Sweep){.graph = graph,
                     .order = order,
                     .count = count,
                     .last_use = calloc(tensors, 2 * sizeof *sweep->last_use)};
    if (!sweep->last_use)
        return hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                        graph->model->name);
    sweep->first_use = sweep->last_use + tensors;
    for (int i = 0; i < graph->model->tensor_count; i++)
        sweep->last_use[i] = -1;
    for (int place = 0; place < count; place++) {
        const int layer = order[place];
        sweep->first_use[graph->result[layer]] = place;
        sweep->last_use[graph->result[layer]] = place;
        for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
            sweep->last_use[graph->inputs[i].tensor] = place;
    }
    return true;
}

// What is alive behind a place: read by a later one.
static bool is_alive(const Sweep *sweep, int tensor, int place)
{
    return sweep->last_use[tensor] > place && sweep->first_use[tensor] <= place;
}

// The only activation alive behind the place; -1: none is; -2: there are several, or it may not be
// a checkpoint.
static int find_boundary(const Sweep *sweep, int place)
{
    const HypScheduleGraph *graph = sweep->graph;
    int boundary = -1;
    for (int i = 0; i < graph->model->tensor_count; i++) {
        if (!is_alive(sweep, i, place))
            continue;
        if (boundary >= 0 || graph->policies[graph->maker[i]] == HYP_RESULT_RECOMPUTED)
            return -2;
        boundary = i;
    }
    return boundary;
}

static size_t boundary_bytes(const Sweep *sweep, int place)
{
    const int boundary = find_boundary(sweep, place);
    return boundary < 0 ? 0 : sweep->graph->place_bytes[boundary];
}

// What the layers from place `first` on make, up to `end`.
static size_t made_bytes(const Sweep *sweep, int first, int end)
{
    size_t bytes = 0;
    for (int place = first; place < end; place++)
        bytes += sweep->graph->place_bytes[sweep->graph->result[sweep->order[place]]];
    return bytes;
}

// Makes the cheapest neighbours one until there are few enough.
static int merge_stages(const Sweep *sweep, int *first, int count)
{
    while (count > HYP_MOST_STAGES) {
        int best = 2;
        size_t least_bytes = SIZE_MAX;
        for (int i = 2; i <= count; i++) {
            const size_t bytes = made_bytes(sweep, first[i - 1], first[i + 1]);
            if (bytes < least_bytes) {
                least_bytes = bytes;
                best = i;
            }
        }
        memmove(first + best, first + best + 1, (size_t)(count + 1 - best) * sizeof *first);
        count--;
    }
    return count;
}

static int cut(const Sweep *sweep, int *first)
{
    int count = 1;
    first[1] = 0;
    for (int place = 0; place + 1 < sweep->count; place++)
        if (find_boundary(sweep, place) != -2)
            first[++count] = place + 1;
    first[count + 1] = sweep->count;
    return merge_stages(sweep, first, count);
}

// Most bytes at a time of what the stage makes, when it keeps nothing but its result.
static size_t find_peak(const Sweep *sweep, int first, int end)
{
    const HypScheduleGraph *graph = sweep->graph;
    size_t live = 0;
    size_t peak = 0;
    for (int place = first; place < end; place++) {
        const int layer = sweep->order[place];
        live += graph->place_bytes[graph->result[layer]];
        peak = live > peak ? live : peak;
        for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++) {
            const int tensor = graph->inputs[i].tensor;
            if (sweep->last_use[tensor] == place && sweep->first_use[tensor] >= first)
                live -= graph->place_bytes[tensor];
        }
        if (sweep->last_use[graph->result[layer]] == place)
            live -= graph->place_bytes[graph->result[layer]]; // that nobody reads
    }
    return peak;
}

static void describe_stage(const Sweep *sweep, HypStages *stages, int stage, size_t *const *arrays)
{
    const int first = stages->first[stage];
    const int end = stages->first[stage + 1];
    const size_t result_bytes = boundary_bytes(sweep, end - 1);
    const size_t saved_bytes = made_bytes(sweep, first, end);
    const size_t peak_bytes = find_peak(sweep, first, end);
    arrays[0][stage] = result_bytes;
    // The boundary may be of an earlier stage, where a side branch ends.
    arrays[1][stage] = saved_bytes > result_bytes ? saved_bytes : result_bytes;
    arrays[2][stage] = peak_bytes > result_bytes ? peak_bytes - result_bytes : 0;
    for (int place = first; place < end; place++)
        stages->times[stage] += sweep->graph->layer_ns[sweep->order[place]];
}

static bool describe(const Sweep *sweep, HypStages *stages)
{
    const size_t room = (size_t)stages->chain.length + 1;
    stages->bytes = calloc(room, 4 * sizeof *stages->bytes);
    stages->times = calloc(room, 2 * sizeof *stages->times);
    if (!stages->bytes || !stages->times)
        return hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                        sweep->graph->model->name);
    size_t *const arrays[] = {stages->bytes, stages->bytes + room, stages->bytes + 2 * room};
    const size_t *zeros = stages->bytes + 3 * room;
    for (int stage = 1; stage <= stages->chain.length; stage++)
        describe_stage(sweep, stages, stage, arrays);
    stages->chain = (HyperionChain){.length = stages->chain.length,
                                    .activation_bytes = arrays[0],
                                    .saved_bytes = arrays[1],
                                    .forward_extra_bytes = arrays[2],
                                    .backward_extra_bytes = zeros,
                                    .forward_time = stages->times,
                                    .backward_time = stages->times + room,
                                    .gradient_bytes = zeros,
                                    .saving_extra_bytes = zeros};
    return true;
}

bool hyp_stages_create(HypStages *stages, const HypScheduleGraph *graph, const int *order,
                       int count)
{
    assert(count > 0);
    Sweep sweep;
    *stages = (HypStages){.first = calloc((size_t)count + 2, sizeof *stages->first)};
    bool created = false;
    if (!sweep_create(&sweep, graph, order, count))
        created = false;
    else if (!stages->first)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                       graph->model->name);
    else {
        stages->chain.length = cut(&sweep, stages->first);
        created = describe(&sweep, stages);
    }
    free(sweep.last_use);
    if (!created)
        hyp_stages_free(stages);
    return created;
}

void hyp_stages_free(HypStages *stages)
{
    free(stages->first);
    free(stages->bytes);
    free(stages->times);
    *stages = (HypStages){0};
}
