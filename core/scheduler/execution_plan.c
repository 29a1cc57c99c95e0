// SPDX-License-Identifier: Apache-2.0
#include "scheduler/execution_plan.h"

#include "common/array.h"
#include "common/fail.h"
#include "common/text.h"
#include "model/run_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// While steps are written.
typedef struct Writing {
    const HypScheduleGraph *graph;
    const HypScript *script;
    const HypTimeline *timeline;
    const size_t *offsets; // by residency
    HyperionExecutionPlan *plan;
    bool *ran;         // by layer
    int *ending;       // residencies, by the item that they end at
    int *first_ending; // by item, into `ending`; one more behind the last
    size_t live_bytes;
} Writing;

static HyperionExecutionStep *add_step(Writing *writing, HyperionStepOp op, int tensor)
{
    HyperionExecutionPlan *plan = writing->plan;
    HyperionExecutionStep *steps = hyp_array_reserve(
        plan->steps, &plan->capacity, (size_t)plan->info.step_count + 1, sizeof *steps);
    if (!steps)
        return NULL;
    plan->steps = steps;
    HyperionExecutionStep *step = &steps[plan->info.step_count++];
    *step = (HyperionExecutionStep){.op = op,
                                    .layer = writing->graph->maker[tensor],
                                    .tensor = tensor,
                                    .tensor_bytes = writing->graph->place_bytes[tensor],
                                    .offset_bytes = SIZE_MAX,
                                    .replaced_tensor = -1,
                                    .live_bytes = writing->live_bytes,
                                    .valid = true};
    return step;
}

// A step that takes memory for the residency, or gives it back.
static bool move_tensor(Writing *writing, HyperionStepOp op, int residency)
{
    const HypResidency *moved = &writing->timeline->residencies[residency];
    const size_t bytes = writing->graph->place_bytes[moved->tensor];
    const bool takes = op == HYPERION_STEP_RESTORE;
    writing->live_bytes = takes ? writing->live_bytes + bytes : writing->live_bytes - bytes;
    HyperionExecutionStep *step = add_step(writing, op, moved->tensor);
    if (step)
        step->offset_bytes = writing->offsets[residency];
    return step != NULL;
}

// `residency`: of the result; -1: it has no place.
static bool run_layer(Writing *writing, int layer, int residency)
{
    const HyperionStepOp op = writing->ran[layer] ? HYPERION_STEP_RECOMPUTE : HYPERION_STEP_RUN;
    const HypTimeline *timeline = writing->timeline;
    const int over = residency >= 0 ? timeline->residencies[residency].over : -1;
    const int result = writing->graph->result[layer];
    if (residency >= 0 && over < 0)
        writing->live_bytes += writing->graph->place_bytes[result];
    HyperionExecutionStep *step = add_step(writing, op, result);
    writing->ran[layer] = true;
    if (step && residency >= 0)
        step->offset_bytes = writing->offsets[residency];
    if (step && over >= 0)
        step->replaced_tensor = timeline->residencies[over].tensor;
    return step != NULL;
}

static bool is_replaced(const Writing *writing, int residency, int by)
{
    return by >= 0 && writing->timeline->residencies[by].over == residency;
}

// `next`: the residency that begins next; those of the item are passed.
static bool write_item(Writing *writing, int item, int *next)
{
    const HypTimeline *timeline = writing->timeline;
    const HypScriptItem what = writing->script->items[item];
    int made = -1;
    for (; *next < timeline->count && timeline->residencies[*next].first == item; (*next)++) {
        if (!timeline->residencies[*next].restored)
            made = *next;
        else if (!move_tensor(writing, HYPERION_STEP_RESTORE, *next))
            return false;
    }
    const bool added = what.visit ? add_step(writing, HYPERION_STEP_VISIT,
                                             writing->graph->result[what.layer]) != NULL
                                  : run_layer(writing, what.layer, made);
    if (!added)
        return false;
    for (int i = writing->first_ending[item]; i < writing->first_ending[item + 1]; i++) {
        const HypResidency *ended = &timeline->residencies[writing->ending[i]];
        const HyperionStepOp op = ended->written ? HYPERION_STEP_SPILL : HYPERION_STEP_DROP;
        if (!is_replaced(writing, writing->ending[i], made) &&
            !move_tensor(writing, op, writing->ending[i]))
            return false;
    }
    return true;
}

// Sorts residencies by the items that they end at.
static void list_endings(Writing *writing)
{
    const HypTimeline *timeline = writing->timeline;
    const int count = writing->script->count;
    int *first = writing->first_ending;
    for (int i = 0; i < timeline->count; i++)
        first[timeline->residencies[i].last + 1]++;
    for (int i = 0; i < count; i++)
        first[i + 1] += first[i];
    for (int i = 0; i < timeline->count; i++)
        writing->ending[first[timeline->residencies[i].last]++] = i;
    for (int i = count; i > 0; i--)
        first[i] = first[i - 1];
    first[0] = 0;
}

static void describe(Writing *writing, const HypSchedulePoint *point)
{
    const HypTimeline *timeline = writing->timeline;
    HyperionExecutionPlan *plan = writing->plan;
    plan->info.direction = writing->graph->direction;
    plan->info.activation_bytes = point->bytes;
    plan->info.live_peak_bytes = timeline->peak_bytes;
    plan->info.run_layers = timeline->run_layers;
    plan->info.recomputed_layers = timeline->recomputed_layers;
    plan->info.spilled_bytes = timeline->spilled_bytes;
    plan->info.restored_bytes = timeline->restored_bytes;
    plan->info.predicted_ns = timeline->time_ns;
    plan->info.forward_ns = writing->graph->forward_ns;
    plan->info.proved_optimal = point->optimal;
    plan->info.valid = true;
}

// What waits while the layer runs at the peak.
static void count_waiting(Writing *writing)
{
    const HypScheduleGraph *graph = writing->graph;
    int peak = 0;
    while (peak < writing->script->count &&
           writing->timeline->live_bytes[peak] < writing->timeline->peak_bytes)
        peak++;
    if (peak == writing->script->count)
        return;
    const int layer = writing->script->items[peak].layer;
    size_t used_bytes = graph->place_bytes[graph->result[layer]];
    for (int i = graph->first_input[layer]; i < graph->first_input[layer + 1]; i++)
        used_bytes += graph->place_bytes[graph->inputs[i].tensor];
    const size_t live_bytes = writing->timeline->live_bytes[peak];
    writing->plan->waiting_bytes = live_bytes > used_bytes ? live_bytes - used_bytes : 0;
}

static bool write_steps(Writing *writing, const HypSchedulePoint *point)
{
    const size_t items = (size_t)writing->script->count + 2;
    const HyperionModel *model = writing->graph->model;
    writing->ran = calloc((size_t)model->layer_count + 1, sizeof *writing->ran);
    writing->ending = calloc((size_t)writing->timeline->count + 1, sizeof *writing->ending);
    writing->first_ending = calloc(items, sizeof *writing->first_ending);
    bool written = writing->ran && writing->ending && writing->first_ending;
    if (written)
        list_endings(writing);
    else
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", model->name);
    int next = 0;
    for (int i = 0; written && i < writing->script->count; i++)
        written = write_item(writing, i, &next);
    if (written) {
        describe(writing, point);
        count_waiting(writing);
    }
    free(writing->ran);
    free(writing->ending);
    free(writing->first_ending);
    return written;
}

static bool place_and_write(Writing *writing, HypTimeline *timeline, const HypSchedulePoint *point)
{
    if (!hyp_timeline_read(timeline, writing->graph, &point->script))
        return false;
    size_t *offsets = calloc((size_t)timeline->count + 1, sizeof *offsets);
    size_t bytes = 0;
    bool written = false;
    if (!offsets)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                       writing->graph->model->name);
    else if (hyp_timeline_place(timeline, writing->graph, offsets, &bytes)) {
        assert(bytes == point->bytes); // places are the same each time
        writing->timeline = timeline;
        writing->offsets = offsets;
        written = write_steps(writing, point);
    }
    free(offsets);
    return written;
}

HyperionExecutionPlan *hyp_execution_plan_create(const HypScheduleGraph *graph,
                                                 const HypSchedulePoint *point)
{
    HyperionExecutionPlan *plan = calloc(1, sizeof *plan);
    HypTimeline timeline = {0};
    Writing writing = {.graph = graph, .script = &point->script, .plan = plan};
    bool created = false;
    if (!plan)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                       graph->model->name);
    else if (hyp_timeline_create(&timeline, graph))
        created = place_and_write(&writing, &timeline, point);
    hyp_timeline_free(&timeline);
    if (created)
        return plan;
    hyperionFreeExecutionPlan(plan);
    return NULL;
}

bool hyp_execution_plan_name(HyperionExecutionPlan *plan, const HyperionModel *model)
{
    const size_t count = (size_t)model->layer_count + (size_t)model->tensor_count;
    plan->layer_count = model->layer_count;
    plan->tensor_count = model->tensor_count;
    plan->model_name = hyp_text_copy(model->name);
    plan->names = (char **)calloc(count + 1, sizeof *plan->names);
    bool named = plan->model_name && plan->names;
    for (int i = 0; named && i < model->layer_count; i++)
        named = (plan->names[i] = hyp_text_copy(model->layers[i].name)) != NULL;
    for (int i = 0; named && i < model->tensor_count; i++)
        named =
            (plan->names[model->layer_count + i] = hyp_text_copy(model->tensors[i].name)) != NULL;
    return named ||
           hyp_fail(HYPERION_ERROR_MEMORY, "create execution plan: out of memory for names");
}

void hyperionFreeExecutionPlan(HyperionExecutionPlan *plan)
{
    if (!plan)
        return;
    for (int i = 0; plan->names && i < plan->layer_count + plan->tensor_count; i++)
        free(plan->names[i]);
    free((void *)plan->names);
    free(plan->model_name);
    free(plan->steps);
    free(plan);
}

static bool is_run(const HyperionExecutionStep *step)
{
    return step->op == HYPERION_STEP_RUN || step->op == HYPERION_STEP_RECOMPUTE;
}

// Fills steps, places and, where tensors move, placings, for which there is room.
static void fill_run(const HyperionExecutionPlan *plan, HypRunPlan *run_plan)
{
    run_plan->step_count = 0;
    for (int i = 0; i < plan->info.step_count; i++) {
        const HyperionExecutionStep *step = &plan->steps[i];
        if (step->offset_bytes != SIZE_MAX && (is_run(step) || step->op == HYPERION_STEP_RESTORE)) {
            if (run_plan->placings)
                run_plan->placings[run_plan->placing_count++] =
                    (HypPlacing){run_plan->step_count, step->tensor, step->offset_bytes};
            if (step->op == HYPERION_STEP_RUN && run_plan->offsets[step->tensor] != SIZE_MAX)
                run_plan->offsets[step->tensor] = step->offset_bytes;
        }
        if (is_run(step))
            run_plan->steps[run_plan->step_count++] = step->layer;
    }
    // What is restored behind the last layer is for visits alone.
    while (run_plan->placings && run_plan->placing_count > 0 &&
           run_plan->placings[run_plan->placing_count - 1].step == run_plan->step_count)
        run_plan->placing_count--;
    run_plan->activation_bytes = plan->info.activation_bytes;
}

bool hyp_execution_plan_apply(const HyperionExecutionPlan *plan, const HyperionModel *model,
                              HypRunPlan *run_plan)
{
    const HyperionExecutionPlanInfo *info = &plan->info;
    const bool moves = info->direction == HYPERION_PASS_BACKWARD || info->recomputed_layers > 0 ||
                       info->restored_bytes > 0;
    const size_t room = (size_t)info->step_count + 1;
    int *steps = realloc(run_plan->steps, room * sizeof *steps);
    if (steps)
        run_plan->steps = steps;
    if (moves)
        run_plan->placings = calloc(room, sizeof *run_plan->placings);
    if (!steps || (moves && !run_plan->placings))
        return hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory", model->name);
    fill_run(plan, run_plan);
    return true;
}

HyperionExecutionPlanInfo hyperionExecutionPlanInfo(const HyperionExecutionPlan *plan)
{
    if (plan)
        return plan->info;
    return (HyperionExecutionPlanInfo){
        .valid = hyp_fail(HYPERION_ERROR_ARGUMENT, "execution plan info: the plan is NULL")};
}

int hyperionExecutionPlanStepCount(const HyperionExecutionPlan *plan)
{
    if (plan)
        return plan->info.step_count;
    (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "execution plan step count: the plan is NULL");
    return 0;
}

HyperionExecutionStep hyperionExecutionPlanStep(const HyperionExecutionPlan *plan, int step)
{
    if (plan && step >= 0 && step < plan->info.step_count)
        return plan->steps[step];
    if (plan)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "execution plan step: step %d of %d", step,
                       plan->info.step_count);
    else
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "execution plan step: the plan is NULL");
    return (HyperionExecutionStep){.valid = false};
}
