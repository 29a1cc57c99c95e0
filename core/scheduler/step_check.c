// SPDX-License-Identifier: Apache-2.0
// step_check.c - runs the steps of an execution plan on paper. It must not share code with what
// makes the plans, so that a mistake there is seen here.
#include "common/fail.h"
#include "model/layer_op.h"
#include "scheduler/execution_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Where an activation is.
typedef struct Whereabouts {
    bool in_memory, on_disk;
    size_t first_byte, end_byte;
} Whereabouts;

typedef struct Paper {
    const HyperionExecutionPlan *plan;
    const HyperionModel *model;
    Whereabouts *of; // by tensor
    bool *ran;       // by layer
    bool *visited;   // by layer
    int step;
    size_t live_bytes, peak_bytes, height_bytes;
    uint64_t run_layers, recomputed_layers, spilled_bytes, restored_bytes;
} Paper;

__attribute__((format(printf, 2, 3))) static bool fail_step(const Paper *paper, const char *format,
                                                            ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return hyp_fail(HYPERION_ERROR_ARGUMENT, "check plan of model %s: step %d: %s",
                    paper->model->name, paper->step, reason);
}

static int root_of(const HyperionModel *model, int tensor)
{
    while (model->tensors[tensor].view_of >= 0)
        tensor = model->tensors[tensor].view_of;
    return tensor;
}

static bool is_output(const HyperionModel *model, int tensor)
{
    for (int i = 0; i < model->output_count; i++)
        if (root_of(model, model->outputs[i]) == tensor)
            return true;
    return false;
}

// Whether the plan has to have memory for the tensor.
static bool is_planned(const Paper *paper, int tensor)
{
    const HyperionModel *model = paper->model;
    return model->tensors[tensor].role == HYP_TENSOR_ACTIVATION &&
           (paper->plan->info.direction == HYPERION_PASS_BACKWARD || !is_output(model, tensor));
}

static const char *name_of(const Paper *paper, int tensor)
{
    return paper->model->tensors[tensor].name;
}

static bool is_there(const Paper *paper, int tensor)
{
    if (is_planned(paper, tensor))
        return paper->of[tensor].in_memory;
    for (int i = 0; i < paper->model->layer_count; i++)
        if (paper->model->layers[i].outputs[0] == tensor)
            return paper->ran[i];
    return true; // the caller's, or a weight
}

static bool find_inputs(const Paper *paper, int layer)
{
    const HypLayer *asked = &paper->model->layers[layer];
    for (int i = 0; i < asked->input_count; i++) {
        const int root = root_of(paper->model, asked->inputs[i]);
        if (!is_there(paper, root))
            return fail_step(paper, "layer '%s' reads '%s', which is not in memory", asked->name,
                             name_of(paper, root));
    }
    return true;
}

// Whether the layer can write its result over that input, as the rules of operations have it.
static bool may_replace(const Paper *paper, int layer, int tensor)
{
    const HyperionModel *model = paper->model;
    const HypLayer *asked = &model->layers[layer];
    const HypShape *wanted = &model->tensors[asked->outputs[0]].shape;
    bool allowed = false;
    for (int i = 0; i < asked->input_count; i++) {
        if (root_of(model, asked->inputs[i]) != tensor)
            continue;
        if (!hyp_shape_equal(&model->tensors[asked->inputs[i]].shape, wanted))
            return false;
        allowed |= i < hyp_layer_op(asked->op)->overwrites;
    }
    return allowed;
}

static bool take_memory(Paper *paper, const HyperionExecutionStep *step)
{
    Whereabouts *taken = &paper->of[step->tensor];
    const size_t size_bytes = paper->model->tensors[step->tensor].shape.size_bytes;
    if (taken->in_memory)
        return fail_step(paper, "'%s' is in memory already", name_of(paper, step->tensor));
    if (step->offset_bytes % 64 != 0 || step->tensor_bytes % 64 != 0 ||
        step->tensor_bytes < size_bytes ||
        step->offset_bytes > paper->plan->info.activation_bytes ||
        step->tensor_bytes > paper->plan->info.activation_bytes - step->offset_bytes)
        return fail_step(paper, "%zu bytes of '%s' at %zu, of %zu", step->tensor_bytes,
                         name_of(paper, step->tensor), step->offset_bytes,
                         paper->plan->info.activation_bytes);
    *taken = (Whereabouts){.in_memory = true,
                           .on_disk = taken->on_disk,
                           .first_byte = step->offset_bytes,
                           .end_byte = step->offset_bytes + step->tensor_bytes};
    for (int i = 0; i < paper->model->tensor_count; i++)
        if (i != step->tensor && paper->of[i].in_memory &&
            paper->of[i].first_byte < taken->end_byte && taken->first_byte < paper->of[i].end_byte)
            return fail_step(paper, "'%s' lies over '%s'", name_of(paper, step->tensor),
                             name_of(paper, i));
    paper->live_bytes += step->tensor_bytes;
    if (taken->end_byte > paper->height_bytes)
        paper->height_bytes = taken->end_byte;
    return true;
}

static void give_back(Paper *paper, int tensor)
{
    Whereabouts *given = &paper->of[tensor];
    paper->live_bytes -= given->end_byte - given->first_byte;
    given->in_memory = false;
}

static bool replace(Paper *paper, const HyperionExecutionStep *step)
{
    const int tensor = step->replaced_tensor;
    if (tensor < 0)
        return true;
    if (!paper->of[tensor].in_memory || paper->of[tensor].first_byte != step->offset_bytes ||
        !may_replace(paper, step->layer, tensor))
        return fail_step(paper, "layer '%s' cannot be written over '%s'",
                         paper->model->layers[step->layer].name, name_of(paper, tensor));
    give_back(paper, tensor);
    return true;
}

static bool run_layer(Paper *paper, const HyperionExecutionStep *step)
{
    const bool again = step->op == HYPERION_STEP_RECOMPUTE;
    if (paper->ran[step->layer] != again)
        return fail_step(paper, "layer '%s' %s", paper->model->layers[step->layer].name,
                         again ? "did not run before" : "runs again");
    if (paper->model->layers[step->layer].outputs[0] != step->tensor ||
        is_planned(paper, step->tensor) != (step->offset_bytes != SIZE_MAX))
        return fail_step(paper, "layer '%s' makes '%s' there",
                         paper->model->layers[step->layer].name, name_of(paper, step->tensor));
    if (!find_inputs(paper, step->layer) || !replace(paper, step))
        return false;
    paper->ran[step->layer] = true;
    paper->run_layers += !again;
    paper->recomputed_layers += again;
    return step->offset_bytes == SIZE_MAX || take_memory(paper, step);
}

static bool move_tensor(Paper *paper, const HyperionExecutionStep *step)
{
    Whereabouts *moved = &paper->of[step->tensor];
    const size_t size_bytes = paper->model->tensors[step->tensor].shape.size_bytes;
    if (step->op == HYPERION_STEP_RESTORE) {
        paper->restored_bytes += size_bytes;
        return moved->on_disk
                   ? take_memory(paper, step)
                   : fail_step(paper, "'%s' is not on disk", name_of(paper, step->tensor));
    }
    if (!moved->in_memory || moved->first_byte != step->offset_bytes)
        return fail_step(paper, "'%s' is not there", name_of(paper, step->tensor));
    give_back(paper, step->tensor);
    if (step->op == HYPERION_STEP_SPILL) {
        moved->on_disk = true;
        paper->spilled_bytes += size_bytes;
    }
    return true;
}

static bool visit_layer(Paper *paper, const HyperionExecutionStep *step)
{
    const HyperionModel *model = paper->model;
    const char *name = model->layers[step->layer].name;
    if (paper->visited[step->layer] || !paper->ran[step->layer])
        return fail_step(paper, "layer '%s' is visited %s", name,
                         paper->visited[step->layer] ? "twice" : "before it ran");
    for (int i = 0; i < model->layer_count; i++)
        for (int j = 0; !paper->visited[i] && j < model->layers[i].input_count; j++)
            if (root_of(model, model->layers[i].inputs[j]) == step->tensor &&
                model->tensors[model->layers[i].outputs[0]].view_of < 0)
                return fail_step(paper, "layer '%s' is visited before '%s', which reads it", name,
                                 model->layers[i].name);
    paper->visited[step->layer] = true;
    if (!is_there(paper, step->tensor))
        return fail_step(paper, "layer '%s' is visited without its result", name);
    return find_inputs(paper, step->layer);
}

static bool run_step(Paper *paper, const HyperionExecutionStep *step)
{
    bool done = false;
    switch (step->op) {
    case HYPERION_STEP_RUN:
    case HYPERION_STEP_RECOMPUTE: done = run_layer(paper, step); break;
    case HYPERION_STEP_DROP:
    case HYPERION_STEP_SPILL:
    case HYPERION_STEP_RESTORE: done = move_tensor(paper, step); break;
    case HYPERION_STEP_VISIT: done = visit_layer(paper, step); break;
    default: return fail_step(paper, "operation %d", (int)step->op);
    }
    if (done && step->live_bytes != paper->live_bytes)
        return fail_step(paper, "%zu bytes are live, the plan says %zu", paper->live_bytes,
                         step->live_bytes);
    if (paper->live_bytes > paper->peak_bytes)
        paper->peak_bytes = paper->live_bytes;
    return done;
}

static bool check_end(const Paper *paper)
{
    const HyperionExecutionPlanInfo *info = &paper->plan->info;
    for (int i = 0; i < paper->model->layer_count; i++) {
        const HypLayer *layer = &paper->model->layers[i];
        if (paper->model->tensors[layer->outputs[0]].view_of >= 0)
            continue;
        if (!paper->ran[i] || paper->visited[i] != (info->direction == HYPERION_PASS_BACKWARD))
            return fail_step(paper, "layer '%s' was not run or visited", layer->name);
    }
    if (paper->live_bytes != 0)
        return fail_step(paper, "%zu bytes are live at the end", paper->live_bytes);
    return (paper->peak_bytes == info->live_peak_bytes &&
            paper->height_bytes == info->activation_bytes &&
            paper->run_layers == info->run_layers &&
            paper->recomputed_layers == info->recomputed_layers &&
            paper->spilled_bytes == info->spilled_bytes &&
            paper->restored_bytes == info->restored_bytes) ||
           fail_step(paper, "it is not what the plan says: %zu bytes live, %zu of memory",
                     paper->peak_bytes, paper->height_bytes);
}

bool hyp_execution_plan_check(const HyperionExecutionPlan *plan, const HyperionModel *model)
{
    const size_t layers = (size_t)model->layer_count + 1;
    Paper paper = {.plan = plan,
                   .model = model,
                   .of = calloc((size_t)model->tensor_count + 1, sizeof *paper.of),
                   .ran = calloc(layers, sizeof *paper.ran),
                   .visited = calloc(layers, sizeof *paper.visited)};
    bool good = paper.of && paper.ran && paper.visited;
    if (!good)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "check plan: out of memory");
    for (; good && paper.step < plan->info.step_count; paper.step++)
        good = run_step(&paper, &plan->steps[paper.step]);
    good = good && check_end(&paper);
    free(paper.of);
    free(paper.ran);
    free(paper.visited);
    return good;
}
