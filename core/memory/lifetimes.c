// SPDX-License-Identifier: Apache-2.0
#include "memory/lifetimes.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "memory/sections.h"
#include "model/band.h"
#include "model/run_plan.h"

#include <stdlib.h>
#include <string.h>

// A tensor that the plan places, or a group of them: their first one's number names it.
typedef struct Life {
    int first_step; // that writes it
    int last_step;  // that reads or writes it
    int last_write;
    int writes; // 0: no step makes it
    size_t size_bytes;
    int next; // member of the same group; -1: the last
} Life;

typedef struct Lives {
    const HyperionModel *model;
    const HypRunPlan *plan;
    HypLifetimes *made;
    Life *of; // by tensor; those of groups at their names
} Lives;

static bool is_placed(const Lives *lives, int tensor)
{
    return lives->plan->offsets[tensor] != SIZE_MAX;
}

static void note_use(const Lives *lives, int tensor, int step, bool writes)
{
    const int root = hyp_model_root(lives->model, tensor);
    Life *life = &lives->of[root];
    if (!is_placed(lives, root))
        return;
    if (writes) {
        life->first_step = life->writes == 0 ? step : life->first_step;
        life->last_write = step;
        life->writes++;
    }
    life->last_step = step;
}

static bool measure(const Lives *lives)
{
    for (int i = 0; i < lives->model->tensor_count; i++) {
        Life *life = &lives->of[i];
        lives->made->group_of[i] = is_placed(lives, i) ? i : -1;
        *life = (Life){.next = -1};
        if (!is_placed(lives, i))
            continue;
        if (!hyp_size_round_up(hyp_run_plan_tensor_bytes(lives->model, lives->plan, i),
                               HYP_PLACE_BYTES, &life->size_bytes) ||
            !hyp_size_add(lives->made->apart_bytes, life->size_bytes, &lives->made->apart_bytes))
            return hyp_fail(HYPERION_ERROR_MEMORY,
                            "plan model %s: its activations do not fit in the address space",
                            lives->model->name);
    }
    for (int step = 0; step < lives->plan->step_count; step++) {
        const HypLayer *layer = &lives->model->layers[lives->plan->steps[step]];
        for (int i = 0; i < layer->input_count; i++)
            note_use(lives, layer->inputs[i], step, false);
        for (int i = 0; i < layer->output_count; i++)
            note_use(lives, layer->outputs[i], step, true);
    }
    return true;
}

// Lets a group be there whenever the other one is.
static void extend(Life *life, const Life *other)
{
    life->first_step = other->first_step < life->first_step ? other->first_step : life->first_step;
    life->last_step = other->last_step > life->last_step ? other->last_step : life->last_step;
}

// Joins group `from` into group `to`, of whose bytes its own begin at `offset`.
static void join(const Lives *lives, int to, int from, size_t offset)
{
    HypLifetimes *made = lives->made;
    Life *kept = &lives->of[to];
    const Life *gone = &lives->of[from];
    int last = to;
    while (lives->of[last].next >= 0)
        last = lives->of[last].next;
    for (int member = from; member >= 0; member = lives->of[member].next) {
        made->group_of[member] = to;
        made->offset_of[member] += offset;
    }
    lives->of[last].next = from;
    extend(kept, gone);
    kept->last_write = gone->last_write > kept->last_write ? gone->last_write : kept->last_write;
    kept->writes += gone->writes;
}

// The input that a layer's result can be written over; -1: none.
static int find_overwritten(const Lives *lives, const HypLayer *layer, int step, int result)
{
    const HyperionModel *model = lives->model;
    const HypShape *wanted = &model->tensors[result].shape;
    for (int i = 0; i < hyp_layer_op(layer->op)->overwrites; i++) {
        const int root = hyp_model_root(model, layer->inputs[i]);
        const int group = lives->made->group_of[root];
        const HypShape *shape = &model->tensors[layer->inputs[i]].shape;
        if (group < 0 || group == result || !hyp_shape_equal(shape, wanted))
            continue;
        bool alone = true; // no other input needs its bytes elsewhere than at the same element
        for (int j = 0; j < layer->input_count; j++)
            alone &= hyp_model_root(model, layer->inputs[j]) != root ||
                     hyp_shape_equal(&model->tensors[layer->inputs[j]].shape, wanted);
        if (alone && lives->of[group].last_step == step &&
            lives->of[group].size_bytes == lives->of[result].size_bytes)
            return group;
    }
    return -1;
}

// Chains of results, each written over the one before. Steps that come again keep their memory, and
// so do those of bands, which leave rows of the input to the next ones.
static void join_in_place(const Lives *lives)
{
    for (int step = 0; step < lives->plan->step_count; step++) {
        const HypLayer *layer = &lives->model->layers[lives->plan->steps[step]];
        const int result = layer->outputs[0];
        if (!is_placed(lives, result) || lives->of[result].writes != 1 ||
            hyp_step_is_band(lives->plan, step))
            continue;
        const int group = find_overwritten(lives, layer, step, result);
        if (group < 0 || lives->of[group].last_write >= step)
            continue;
        join(lives, group, result, 0);
        lives->made->in_place_count++;
    }
}

// The most bytes of groups that are needed at a step: no plan of them can be lower.
static size_t find_bound(const Lives *lives, size_t *live)
{
    const int steps = lives->plan->step_count;
    size_t most = 0;
    memset(live, 0, ((size_t)steps + 1) * sizeof *live);
    for (int i = 0; i < lives->model->tensor_count; i++) {
        const Life *life = &lives->of[i];
        if (lives->made->group_of[i] != i || life->writes == 0)
            continue;
        live[life->first_step] += life->size_bytes;
        live[life->last_step + 1] -= life->size_bytes; // wraps; the sum does not
    }
    size_t sum = 0;
    for (int i = 0; i < steps; i++) {
        sum += live[i];
        most = sum > most ? sum : most;
    }
    return most;
}

// Whether all of `part`, a group, can be written where a concatenation at `step` would copy it.
static bool can_be_slice(const Lives *lives, int part, int result, int step, size_t offset)
{
    const Life *life = &lives->of[part];
    const Life *whole = &lives->of[result];
    return part != lives->made->group_of[result] && offset % HYP_PLACE_BYTES == 0 &&
           // Its bytes are there when the concatenation comes, and nothing changes them while the
           // result is read; nor does anything change the result while they are.
           life->last_write < step && (whole->last_write == step || life->last_step <= step);
}

// What a plan must do with: the most bytes at a step, and how many steps need so many.
typedef struct Peak {
    size_t bytes;
    int steps;
} Peak;

// `live` is filled with the bytes of each step.
static Peak find_peak(const Lives *lives, size_t *live)
{
    Peak peak = {find_bound(lives, live), 0};
    size_t sum = 0;
    for (int step = 0; step < lives->plan->step_count; step++) {
        sum += live[step];
        live[step] = sum;
        peak.steps += sum == peak.bytes;
    }
    return peak;
}

// The group that the result of the layer at `step`, of another size, can begin with; -1: none.
static int find_replaced(const Lives *lives, int step)
{
    const HyperionModel *model = lives->model;
    const int index = lives->plan->steps[step];
    const HypLayer *layer = &model->layers[index];
    const HypLayerOp *op = hyp_layer_op(layer->op);
    const int result = layer->outputs[0];
    if (!op->replaces || hyp_step_is_band(lives->plan, step) || !is_placed(lives, result) ||
        lives->of[result].writes == 0 || lives->made->group_of[result] != result)
        return -1;
    const int root = hyp_model_root(model, layer->inputs[0]);
    const int group = lives->made->group_of[root];
    if (group < 0 || group == result || lives->made->offset_of[root] != 0 ||
        lives->of[group].last_step != step || lives->of[group].last_write >= step ||
        lives->of[result].first_step != step)
        return -1;
    for (int i = 1; i < layer->input_count; i++)
        if (hyp_model_root(model, layer->inputs[i]) == root)
            return -1;
    return op->replaces(model, layer, &lives->plan->blockings[index]) ? group : -1;
}

// Joins the groups `from` to the beginning of group `to`, unless that makes the peak higher or
// comes to it more often.
static bool join_unless_higher(const Lives *lives, int to, const int *from, int count, size_t *live)
{
    const Peak before = find_peak(lives, live);
    const Life kept = lives->of[to];
    Life joined = kept;
    Life gone[2];
    for (int i = 0; i < count; i++) {
        gone[i] = lives->of[from[i]];
        extend(&joined, &gone[i]);
        if (gone[i].size_bytes > joined.size_bytes)
            joined.size_bytes = gone[i].size_bytes;
        lives->of[from[i]].writes = 0;
    }
    lives->of[to] = joined;
    const Peak after = find_peak(lives, live);
    lives->of[to] = kept;
    for (int i = 0; i < count; i++)
        lives->of[from[i]] = gone[i];
    if (after.bytes > before.bytes || (after.bytes == before.bytes && after.steps > before.steps))
        return false;
    for (int i = 0; i < count; i++)
        join(lives, to, from[i], 0);
    lives->of[to].size_bytes = joined.size_bytes;
    lives->made->in_place_count += count;
    return true;
}

// Results over inputs of another size. A group is as large as its largest member for as long as any
// of them is needed: where two small ones about a large one do not pay each, all three may.
static void join_replaced(const Lives *lives, size_t *live)
{
    for (int step = 0; step < lives->plan->step_count; step++) {
        const int group = find_replaced(lives, step);
        if (group < 0)
            continue;
        const int result = lives->model->layers[lives->plan->steps[step]].outputs[0];
        if (join_unless_higher(lives, group, &result, 1, live))
            continue;
        const int last_step = lives->of[result].last_step;
        const int next = lives->model->layers[lives->plan->steps[last_step]].outputs[0];
        if (find_replaced(lives, last_step) == result)
            (void)join_unless_higher(lives, group, (const int[]){result, next}, 2, live);
    }
}

// Whether group `to` with group `from` inside needs no more memory at a time than both apart.
static bool is_worth_joining(const Lives *lives, int to, int from, size_t *live)
{
    const Life whole = lives->of[to];
    const Life part = lives->of[from];
    const size_t apart = find_bound(lives, live);
    extend(&lives->of[to], &part);
    lives->of[from].writes = 0;
    const size_t joined = find_bound(lives, live);
    lives->of[to] = whole;
    lives->of[from] = part;
    return joined <= apart;
}

// Bytes of the inputs of a concatenation over its outermost axis, one behind the other, into the
// group of the result, as far as that needs no more memory at a time.
static void join_slices(const Lives *lives, const HypLayer *layer, int step, size_t *live)
{
    const HyperionModel *model = lives->model;
    HypLifetimes *made = lives->made;
    const int result = layer->outputs[0];
    size_t offset = 0;
    for (int i = 0; i < layer->input_count; i++) {
        const int root = hyp_model_root(model, layer->inputs[i]);
        const size_t size_bytes = model->tensors[root].shape.size_bytes;
        const int part = made->group_of[root];
        const size_t place = made->offset_of[result] + offset;
        offset += size_bytes;
        // The input is the whole of its group, with nothing left over at its end.
        if (part < 0 || made->offset_of[root] != 0 || lives->of[part].size_bytes != size_bytes ||
            !can_be_slice(lives, part, result, step, place) ||
            !is_worth_joining(lives, made->group_of[result], part, live))
            continue;
        join(lives, made->group_of[result], part, place);
        made->slice_count++;
    }
}

static void join_concatenations(const Lives *lives, size_t *live)
{
    for (int step = 0; step < lives->plan->step_count; step++) {
        const HypLayer *layer = &lives->model->layers[lives->plan->steps[step]];
        const int result = layer->outputs[0];
        if (layer->op != HYPERION_LAYER_CONCAT || !is_placed(lives, result) ||
            lives->of[result].writes != 1 || hyp_step_is_band(lives->plan, step))
            continue;
        const HypShape *shape = &lives->model->tensors[result].shape;
        if (hyp_shape_product(shape, 0, (int)layer->attributes.axis) == 1)
            join_slices(lives, layer, step, live);
    }
}

// Numbers the groups and says when they are needed.
static void list_groups(const Lives *lives)
{
    HypLifetimes *made = lives->made;
    for (int i = 0; i < lives->model->tensor_count; i++) {
        if (made->group_of[i] != i)
            continue;
        const Life *life = &lives->of[i];
        made->groups[made->group_count] =
            (HyperionBuffer){.lower = life->first_step,
                             .upper = life->writes ? life->last_step + 1 : life->first_step,
                             .size_bytes = life->size_bytes};
        lives->of[i].writes = (int)made->group_count++;
    }
    for (int i = 0; i < lives->model->tensor_count; i++)
        if (made->group_of[i] >= 0)
            made->group_of[i] = lives->of[made->group_of[i]].writes;
}

bool hyp_lifetimes_create(HypLifetimes *lifetimes, const HyperionModel *model,
                          const HypRunPlan *plan, bool in_place)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t tensors = (size_t)model->tensor_count + 1;
    *lifetimes = (HypLifetimes){.groups = calloc(tensors, sizeof *lifetimes->groups),
                                .group_of = calloc(tensors, sizeof *lifetimes->group_of),
                                .offset_of = calloc(tensors, sizeof *lifetimes->offset_of)};
    size_t *live = calloc((size_t)plan->step_count + 1, sizeof *live);
    Lives lives = {model, plan, lifetimes, calloc(tensors, sizeof *lives.of)};
    bool created =
        lifetimes->groups && lifetimes->group_of && lifetimes->offset_of && live && lives.of;
    if (!created)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
    created = created && measure(&lives);
    if (created) {
        if (in_place) {
            join_in_place(&lives);
            join_replaced(&lives, live);
        }
        join_concatenations(&lives, live);
        list_groups(&lives);
    }
    free(lives.of);
    free(live);
    if (!created)
        hyp_lifetimes_free(lifetimes);
    return created;
}

void hyp_lifetimes_free(HypLifetimes *lifetimes)
{
    free(lifetimes->groups);
    free(lifetimes->group_of);
    free(lifetimes->offset_of);
    *lifetimes = (HypLifetimes){0};
}
