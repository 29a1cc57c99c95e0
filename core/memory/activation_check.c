// SPDX-License-Identifier: Apache-2.0
// activation_check.c - replays the steps of a run on paper: every range of bytes belongs to the
// tensor that was written there last, and a step may only read what still belongs to its inputs.
#include "memory/activation_plan.h"

#include "common/fail.h"
#include "model/layer_op.h"

#include <stdlib.h>

typedef struct Paper {
    const HyperionModel *model;
    const HypRunPlan *plan;
    bool *whole; // by tensor: all of its bytes are there
} Paper;

static int find_root(const HyperionModel *model, int tensor)
{
    while (model->tensors[tensor].view_of >= 0)
        tensor = model->tensors[tensor].view_of;
    return tensor;
}

static bool share_bytes(const Paper *paper, int a, int b)
{
    const size_t a_first = paper->plan->offsets[a];
    const size_t b_first = paper->plan->offsets[b];
    if (a_first == SIZE_MAX || b_first == SIZE_MAX)
        return false;
    return a_first < b_first + paper->model->tensors[b].shape.size_bytes &&
           b_first < a_first + paper->model->tensors[a].shape.size_bytes;
}

// Whether `part`, an input of the concatenation, already lies where the result has it.
static bool is_slice(const Paper *paper, const HypLayer *layer, int result, int part)
{
    size_t offset = paper->plan->offsets[result];
    for (int i = 0; layer->op == HYPERION_LAYER_CONCAT && i < layer->input_count; i++) {
        const int root = find_root(paper->model, layer->inputs[i]);
        if (root == part && paper->plan->offsets[root] == offset)
            return true;
        offset += paper->model->tensors[root].shape.size_bytes;
    }
    return false;
}

// Whether the result may be written over this input while the layer reads it.
static bool may_share(const Paper *paper, const HypLayer *layer, int result, int input)
{
    const HypShape *shape = &paper->model->tensors[layer->inputs[input]].shape;
    const int root = find_root(paper->model, layer->inputs[input]);
    if (is_slice(paper, layer, result, root))
        return true;
    return input < hyp_layer_op(layer->op)->overwrites &&
           hyp_shape_equal(shape, &paper->model->tensors[result].shape) &&
           paper->plan->offsets[root] == paper->plan->offsets[result];
}

static bool check_reads(const Paper *paper, const HypLayer *layer)
{
    const int result = layer->outputs[0];
    for (int i = 0; i < layer->input_count; i++) {
        const int root = find_root(paper->model, layer->inputs[i]);
        if (paper->plan->offsets[root] == SIZE_MAX)
            continue;
        if (!paper->whole[root])
            return hyp_layer_fail(layer, "the plan has input '%s' overwritten or not written yet",
                                  paper->model->tensors[root].name);
        if (share_bytes(paper, root, result) && !may_share(paper, layer, result, i))
            return hyp_layer_fail(layer, "the plan writes the result over input '%s'",
                                  paper->model->tensors[root].name);
    }
    return true;
}

static void write_result(const Paper *paper, const HypLayer *layer)
{
    const int result = layer->outputs[0];
    if (paper->plan->offsets[result] == SIZE_MAX)
        return;
    for (int i = 0; i < paper->model->tensor_count; i++)
        if (i != result && paper->whole[i] && share_bytes(paper, i, result))
            // What a concatenation finds in its place it leaves there.
            paper->whole[i] = is_slice(paper, layer, result, i);
    paper->whole[result] = true;
}

bool hyp_activation_plan_check(const HyperionModel *model, const HypRunPlan *plan)
{
    const Paper paper = {model, plan, calloc((size_t)model->tensor_count + 1, sizeof(bool))};
    bool good = paper.whole != NULL || hyp_fail(HYPERION_ERROR_MEMORY, "check plan: out of memory");
    for (int step = 0; good && step < plan->step_count; step++) {
        const HypLayer *layer = &model->layers[plan->steps[step]];
        good = check_reads(&paper, layer);
        if (good)
            write_result(&paper, layer);
    }
    free(paper.whole);
    return good;
}
