// SPDX-License-Identifier: Apache-2.0
// activation_check.c - replays the steps of a run on paper: every range of bytes belongs to the
// tensor that was written there last, and a step may only read what still belongs to its inputs. Of
// a tensor that is made or held in bands, rows are there or not.
#include "memory/activation_plan.h"

#include "common/fail.h"
#include "model/band.h"
#include "model/run_plan.h"

#include <stdlib.h>

typedef struct Paper {
    const HyperionModel *model;
    const HypRunPlan *plan;
    int step;
    HypRows *there; // by tensor: rows whose bytes are there; of one without rows, one
} Paper;

static int find_root(const HyperionModel *model, int tensor)
{
    while (model->tensors[tensor].view_of >= 0)
        tensor = model->tensors[tensor].view_of;
    return tensor;
}

static HypRows all_rows(const HyperionModel *model, int tensor)
{
    const int64_t rows = hyp_row_count(&model->tensors[tensor].shape);
    return (HypRows){0, rows > 0 ? rows : 1};
}

// Whether `size_bytes` at `offset` have any of the tensor's bytes.
static bool meets(const Paper *paper, int tensor, size_t offset, size_t size_bytes)
{
    const size_t first = paper->plan->offsets[tensor];
    return first != SIZE_MAX &&
           offset < first + hyp_run_plan_tensor_bytes(paper->model, paper->plan, tensor) &&
           first < offset + size_bytes;
}

// Whether a concatenation's inputs are pieces of its result, one behind the other; rows never are.
static bool has_pieces(const Paper *paper, const HypLayer *layer)
{
    const HypShape *shape = &paper->model->tensors[layer->outputs[0]].shape;
    return layer->op == HYPERION_LAYER_CONCAT && !hyp_step_is_band(paper->plan, paper->step) &&
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
        return meets(paper, tensor, first,
                     hyp_run_plan_tensor_bytes(paper->model, paper->plan, result));
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

// Whether the rows of an input that the step reads are there.
static bool is_there(const Paper *paper, const HypLayer *layer, int index, int root)
{
    const HypRows there = paper->there[root];
    HypBandInput input = {.rows = {0}};
    if (hyp_step_is_band(paper->plan, paper->step) &&
        !hyp_layer_band(paper->model, layer, index, paper->plan->bands[paper->step], &input))
        return false;
    const HypRows read = input.rows.count > 0 && root == layer->inputs[index]
                             ? input.rows
                             : all_rows(paper->model, root);
    return there.count > 0 && there.first <= read.first &&
           read.first + read.count <= there.first + there.count;
}

static bool check_reads(const Paper *paper, const HypLayer *layer)
{
    for (int i = 0; i < layer->input_count; i++) {
        const int root = find_root(paper->model, layer->inputs[i]);
        if (paper->plan->offsets[root] == SIZE_MAX)
            continue;
        if (!is_there(paper, layer, i, root))
            return hyp_layer_fail(layer, "the plan has input '%s' overwritten or not written yet",
                                  paper->model->tensors[root].name);
        if (writes_over(paper, layer, root) &&
            (hyp_step_is_band(paper->plan, paper->step) || !may_overwrite(paper, layer, i)))
            return hyp_layer_fail(layer, "the plan writes the result over input '%s'",
                                  paper->model->tensors[root].name);
    }
    return true;
}

// A band goes on with the one before it, unless the tensor's memory has room for a band alone.
static void write_result(const Paper *paper, const HypLayer *layer)
{
    const int result = layer->outputs[0];
    HypRows *there = &paper->there[result];
    if (paper->plan->offsets[result] == SIZE_MAX)
        return;
    for (int i = 0; i < paper->model->tensor_count; i++)
        if (i != result && paper->there[i].count > 0 && writes_over(paper, layer, i))
            paper->there[i] = (HypRows){0};
    if (!hyp_step_is_band(paper->plan, paper->step)) {
        *there = all_rows(paper->model, result);
        return;
    }
    const HypRows made = paper->plan->bands[paper->step];
    if (paper->plan->held_rows[result] == 0 && there->count > 0 &&
        made.first == there->first + there->count)
        there->count += made.count;
    else
        *there = made;
}

bool hyp_activation_plan_check(const HyperionModel *model, const HypRunPlan *plan)
{
    Paper paper = {.model = model,
                   .plan = plan,
                   .there = calloc((size_t)model->tensor_count + 1, sizeof *paper.there)};
    if (!paper.there)
        return hyp_fail(HYPERION_ERROR_MEMORY, "check plan: out of memory");
    bool good = true;
    for (; good && paper.step < plan->step_count; paper.step++) {
        const HypLayer *layer = &model->layers[plan->steps[paper.step]];
        good = check_reads(&paper, layer);
        if (good)
            write_result(&paper, layer);
    }
    free(paper.there);
    return good;
}
