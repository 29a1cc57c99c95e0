// SPDX-License-Identifier: Apache-2.0
#include "scheduler/script_trim.h"

#include "common/array.h"
#include "common/fail.h"
#include "common/sort.h"

#include <stdlib.h>
#include <string.h>

// A layer that runs again, and what it would take to have its result wait from its last use on.
typedef struct HypRepeat {
    int item;
    int last_use; // where another is written over it: the item before
    size_t bytes;
    double rate; // time for bytes and items
} HypRepeat;

bool hyp_trim_create(HypTrim *trim, const HypScheduleGraph *graph)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t tensors = (size_t)graph->model->tensor_count + 1;
    *trim = (HypTrim){.last_use = calloc(tensors, sizeof *trim->last_use),
                      .made_at = calloc(tensors, sizeof *trim->made_at),
                      .ran = calloc((size_t)graph->model->layer_count + 1, sizeof *trim->ran)};
    if (trim->last_use && trim->made_at && trim->ran)
        return true;
    hyp_trim_free(trim);
    return hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", graph->model->name);
}

void hyp_trim_free(HypTrim *trim)
{
    hyp_script_free(&trim->made);
    free(trim->last_use);
    free(trim->made_at);
    free(trim->ran);
    free(trim->left_out);
    free(trim->replaced);
    free(trim->repeats);
    *trim = (HypTrim){0};
}

static void swap_scripts(HypScript *a, HypScript *b)
{
    const HypScript kept = *a;
    *a = *b;
    *b = kept;
}

static void begin(HypTrim *trim, const HypScheduleGraph *graph)
{
    hyp_script_clear(&trim->made);
    memset(trim->ran, 0, (size_t)graph->model->layer_count * sizeof *trim->ran);
    for (int i = 0; i < graph->model->tensor_count; i++)
        trim->last_use[i] = trim->made_at[i] = -1;
}

static HypResultPolicy policy_of(const HypScheduleGraph *graph, int tensor)
{
    return graph->policies[graph->maker[tensor]];
}

// Whether an item at `item` finds the tensor gone because it is to be recomputed: kept through
// other items it is not, unless it was made again for the visits already.
static bool is_dropped(const HypTrim *trim, const HypScheduleGraph *graph, int tensor, int item)
{
    const int made_at = trim->made_at[tensor];
    return policy_of(graph, tensor) == HYP_RESULT_RECOMPUTED && trim->last_use[tensor] < item - 1 &&
           made_at != item && (made_at < trim->first_visit || item < trim->first_visit);
}

// As deep as the graph at most.
static void make_again(HypTrim *trim, const HypScheduleGraph *graph, int tensor, int item)
{
    const int layer = graph->maker[tensor];
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        if (is_dropped(trim, graph, graph->inputs[i].tensor, item))
            make_again(trim, graph, graph->inputs[i].tensor, item);
    trim->made_at[tensor] = item;
    hyp_script_add(&trim->made, layer, false);
}

static void obey_item(HypTrim *trim, const HypScheduleGraph *graph, HypScriptItem item, int number)
{
    const int result = graph->result[item.layer];
    const HypResultPolicy policy = graph->policies[item.layer];
    const bool once = policy == HYP_RESULT_STORED || policy == HYP_RESULT_SPILLED;
    if (!item.visit && trim->ran[item.layer] && once)
        return;
    trim->ran[item.layer] |= !item.visit;
    for (int i = graph->first_input[item.layer]; i < graph->first_input[item.layer + 1]; i++)
        if (is_dropped(trim, graph, graph->inputs[i].tensor, number))
            make_again(trim, graph, graph->inputs[i].tensor, number);
    if (item.visit && is_dropped(trim, graph, result, number))
        make_again(trim, graph, result, number);
    for (int i = graph->first_input[item.layer]; i < graph->first_input[item.layer + 1]; i++)
        trim->last_use[graph->inputs[i].tensor] = number;
    trim->last_use[result] = number;
    hyp_script_add(&trim->made, item.layer, item.visit);
}

bool hyp_script_obey(HypTrim *trim, const HypScheduleGraph *graph, HypScript *script)
{
    begin(trim, graph);
    trim->first_visit = 0;
    while (trim->first_visit < script->count && !script->items[trim->first_visit].visit)
        trim->first_visit++;
    for (int i = 0; i < script->count; i++)
        obey_item(trim, graph, script->items[i], i);
    if (trim->made.failed)
        return false;
    swap_scripts(script, &trim->made);
    return true;
}

static int compare_repeats(const void *a, const void *b, const void *context)
{
    const HypRepeat *first = a;
    const HypRepeat *second = b;
    (void)context;
    if (first->rate != second->rate)
        return first->rate > second->rate ? -1 : 1;
    return first->item < second->item ? -1 : 1;
}

static bool add_repeat(HypTrim *trim, const HypScheduleGraph *graph, int layer, int item,
                       int *count)
{
    HypRepeat *repeats = hyp_array_reserve(trim->repeats, &trim->repeat_capacity,
                                           (size_t)*count + 1, sizeof *repeats);
    if (!repeats)
        return false;
    trim->repeats = repeats;
    const int result = graph->result[layer];
    const int last_use =
        trim->last_use[result] - (trim->replaced[trim->last_use[result]] == result);
    const size_t bytes = graph->place_bytes[graph->result[layer]];
    repeats[(*count)++] = (HypRepeat){item, last_use, bytes,
                                      graph->layer_ns[layer] / ((double)bytes * (item - last_use))};
    return true;
}

// Those whose results are not to be dropped in any case; -1, last error set, when out of memory.
static int list_repeats(HypTrim *trim, const HypScheduleGraph *graph, const HypScript *script,
                        const HypTimeline *timeline)
{
    int count = 0;
    begin(trim, graph);
    for (int i = 0; i < script->count; i++)
        trim->replaced[i] = -1;
    for (int i = 0; i < timeline->count; i++)
        if (timeline->residencies[i].over >= 0)
            trim->replaced[timeline->residencies[i].first] =
                timeline->residencies[timeline->residencies[i].over].tensor;
    for (int i = 0; i < script->count; i++) {
        const int layer = script->items[i].layer;
        const int result = graph->result[layer];
        if (!script->items[i].visit && trim->ran[layer] &&
            graph->policies[layer] != HYP_RESULT_RECOMPUTED &&
            !add_repeat(trim, graph, layer, i, &count))
            return -1;
        trim->ran[layer] = true;
        for (int j = graph->first_input[layer]; j < graph->first_input[layer + 1]; j++)
            trim->last_use[graph->inputs[j].tensor] = i;
        trim->last_use[result] = i;
    }
    hyp_sort(trim->repeats, (size_t)count, sizeof *trim->repeats, compare_repeats, NULL);
    return count;
}

static bool fits(const HypRepeat *repeat, const HypTimeline *timeline, size_t limit_bytes)
{
    for (int i = repeat->last_use + 1; i < repeat->item; i++)
        if (timeline->live_bytes[i] > limit_bytes - repeat->bytes)
            return false;
    return true;
}

// Marks the items that need not be; their number.
static int keep_results(HypTrim *trim, const HypTimeline *timeline, int count, size_t limit_bytes)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        const HypRepeat *repeat = &trim->repeats[i];
        if (repeat->bytes > limit_bytes || !fits(repeat, timeline, limit_bytes))
            continue;
        for (int item = repeat->last_use + 1; item < repeat->item; item++)
            timeline->live_bytes[item] += repeat->bytes;
        trim->left_out[repeat->item] = true;
        kept++;
    }
    return kept;
}

// Marks layers that run again though nobody reads the result before it is made once more. Going
// back, last_use is the item that reads or makes a tensor next; ran, whether that reads it.
static void leave_out_unread(HypTrim *trim, const HypScheduleGraph *graph, const HypScript *script,
                             bool *is_read, const bool *is_first)
{
    memset(is_read, 0, (size_t)graph->model->tensor_count * sizeof *is_read);
    for (int i = script->count; i-- > 0;) {
        const HypScriptItem item = script->items[i];
        const int result = graph->result[item.layer];
        if (trim->left_out[i])
            continue;
        if (!item.visit && !is_read[result] && !is_first[i]) {
            trim->left_out[i] = true;
            continue;
        }
        is_read[result] = item.visit;
        for (int j = graph->first_input[item.layer]; j < graph->first_input[item.layer + 1]; j++)
            is_read[graph->inputs[j].tensor] = true;
    }
}

static bool drop_items(HypTrim *trim, const HypScheduleGraph *graph, HypScript *script)
{
    bool *is_read = calloc((size_t)graph->model->tensor_count + 1, sizeof *is_read);
    bool *is_first = calloc((size_t)script->count + 1, sizeof *is_first);
    const bool possible = is_read && is_first;
    if (possible) {
        begin(trim, graph);
        for (int i = 0; i < script->count; i++) {
            is_first[i] = !script->items[i].visit && !trim->ran[script->items[i].layer];
            trim->ran[script->items[i].layer] = true;
        }
        leave_out_unread(trim, graph, script, is_read, is_first);
        for (int i = 0; i < script->count; i++)
            if (!trim->left_out[i])
                hyp_script_add(&trim->made, script->items[i].layer, script->items[i].visit);
        swap_scripts(script, &trim->made);
    } else {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                       graph->model->name);
    }
    free(is_read);
    free(is_first);
    return possible && !script->failed;
}

bool hyp_script_keep_more(HypTrim *trim, const HypScheduleGraph *graph, HypScript *script,
                          HypTimeline *timeline, size_t limit_bytes)
{
    for (int kept = 1; kept > 0;) {
        const size_t items = (size_t)script->count + 1;
        bool *left_out =
            hyp_array_reserve(trim->left_out, &trim->left_out_capacity, items, sizeof *left_out);
        if (!left_out)
            return false;
        trim->left_out = left_out;
        int *replaced =
            hyp_array_reserve(trim->replaced, &trim->replaced_capacity, items, sizeof *replaced);
        if (!replaced)
            return false;
        trim->replaced = replaced;
        memset(left_out, 0, (size_t)script->count * sizeof *left_out);
        const int count = list_repeats(trim, graph, script, timeline);
        if (count < 0)
            return false;
        kept = keep_results(trim, timeline, count, limit_bytes);
        if (!drop_items(trim, graph, script) || !hyp_timeline_read(timeline, graph, script))
            return false;
    }
    return true;
}
