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

// Whether `size_bytes` at `offset` have any of the tensor's bytes.
static bool meets(const Paper *paper, int tensor, size_t offset, size_t size_bytes)
{
    const size_t first = paper->plan->offsets[tensor];
    return first != SIZE_MAX && offset < first + paper->model->tensors[tensor].shape.size_bytes &&
           first < offset + size_bytes;
}

// Whether a concatenation's inputs are pieces of its result, one behind the other.
static bool has_pieces(const Paper *paper, const HypLayer *layer)
{
    const HypShape *shape = &paper->model->tensors[layer->outputs[0]].shape;
    return layer->op == HYPERION_LAYER_CONCAT &&
           hyp_shape_product(shape, 0, (int)layer->attributes.axis) == 1;
}

// Whether the layer writes any of the tensor's bytes. What a concatenation finds in its place it
// leaves there, and with it the pieces that it was itself made of.
static bool writes_over(const Paper *paper, const HypLayer *layer, int tensor)
{
    const int result = layer->outputs[0];
    const size_t first = paper->plan->offsets[result];
    if (first == SIZE_MAX)
        return false;
    if (!has_pieces(paper, layer))
        return meets(paper, tensor, first, paper->model->tensors[result].shape.size_bytes);
    size_t place = first;
    for (int i = 0; i < layer->input_count; i++) {
        const int root = find_root(paper->model, layer->inputs[i]);
        const size_t size_bytes = paper->model->tensors[root].shape.size_bytes;
        if (paper->plan->offsets[root] != place && meets(paper, tensor, place, size_bytes))
            return true;
        place += size_bytes;
    }
    return false;
}

// Whether the result may be written over this input while the layer reads it.
static bool may_overwrite(const Paper *paper, const HypLayer *layer, int input)
{
    const int result = layer->outputs[0];
    const HypShape *shape = &paper->model->tensors[layer->inputs[input]].shape;
    const HypLayerOp *op = hyp_layer_op(layer->op);
    const HyperionGemmBlocking *blocking = &paper->plan->blockings[layer - paper->model->layers];
    const bool equal =
        input < op->overwrites && hyp_shape_equal(shape, &paper->model->tensors[result].shape);
    return paper->plan->offsets[find_root(paper->model, layer->inputs[input])] ==
               paper->plan->offsets[result] &&
           (equal || (input == 0 && op->replaces && op->replaces(paper->model, layer, blocking)));
}

static bool check_reads(const Paper *paper, const HypLayer *layer)
{
    for (int i = 0; i < layer->input_count; i++) {
        const int root = find_root(paper->model, layer->inputs[i]);
        if (paper->plan->offsets[root] == SIZE_MAX)
            continue;
        if (!paper->whole[root])
            return hyp_layer_fail(layer, "the plan has input '%s' overwritten or not written yet",
                                  paper->model->tensors[root].name);
        if (writes_over(paper, layer, root) && !may_overwrite(paper, layer, i))
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
        if (i != result && paper->whole[i] && writes_over(paper, layer, i))
            paper->whole[i] = false;
    paper->whole[result] = true;
}

bool hyp_activation_plan_check(const HyperionModel *model, const HypRunPlan *plan)
{
    const Paper paper = {model, plan, calloc((size_t)model->tensor_count + 1, sizeof(bool))};
    if (!paper.whole)
        return hyp_fail(HYPERION_ERROR_MEMORY, "check plan: out of memory");
    bool good = true;
    for (int step = 0; good && step < plan->step_count; step++) {
        const HypLayer *layer = &model->layers[plan->steps[step]];
        good = check_reads(&paper, layer);
        if (good)
            write_result(&paper, layer);
    }
    free(paper.whole);
    return good;
}
