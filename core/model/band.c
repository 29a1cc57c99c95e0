// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

#include "hyperion/tensor.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/run_plan.h"

#include <assert.h>
#include <stdlib.h>

enum { PLACE_BYTES = 64 }; // of what lies in the workspace

// A tensor of a band: some rows of one of the model.
typedef struct BandTensor {
    const HypShape *whole;
    HypRows rows; // that the band reads or makes
    HypRows held; // that lie in its memory
    size_t outer; // pieces that the rows are in: those of a channel lie together
    size_t row_bytes;
    bool copied;   // through the workspace
    size_t offset; // there
} BandTensor;

struct HypBandRoom {
    HyperionModel model; // of the band's tensors and the settings alone
    HypLayer layer;
    HypGraphTensor *tensors; // inputs, then the result
    BandTensor *parts;       // of each
    int *numbers;
    void **data;
};

int64_t hyp_row_count(const HypShape *shape)
{
    return shape->rank < 2 ? 0 : shape->dims[shape->rank - 2];
}

bool hyp_band_alike(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                    HypBandInput *input)
{
    const int64_t rows = hyp_row_count(hyp_layer_input(model, layer, index));
    *input = (HypBandInput){.rows = made};
    if (rows == hyp_row_count(hyp_layer_output(model, layer)))
        return true;
    input->rows = (HypRows){0};
    return rows <= 1;
}

bool hyp_band_windows(const HyperionModel *model, const HypLayer *layer, int64_t kernel,
                      HypRows made, HypBandInput *input)
{
    enum { IMAGE_RANK = 4 };
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const HypShape *image = hyp_layer_input(model, layer, 0);
    if (image->rank != IMAGE_RANK)
        return false;
    const int64_t height = hyp_row_count(image);
    const int64_t reach = (kernel - 1) * attributes->dilation[0] + 1;
    const int64_t first = made.first * attributes->stride[0] - attributes->padding[0];
    const int64_t end = first + (made.count - 1) * attributes->stride[0] + reach;
    const int64_t first_row = first > 0 ? first : 0;
    const int64_t end_row = end < height ? end : height;
    *input = (HypBandInput){.rows = {first_row, end_row - first_row}, .before = first_row - first};
    return end_row > first_row; // not in the padding alone
}

bool hyp_layer_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                    HypBandInput *input)
{
    const HypLayerOp *op = hyp_layer_op(layer->op);
    return op->band && layer->output_count == 1 && op->band(model, layer, index, made, input);
}

bool hyp_step_is_band(const HypRunPlan *plan, int step)
{
    return plan->bands && plan->bands[step].count > 0;
}

HypRows hyp_step_held_rows(const HyperionModel *model, const HypRunPlan *plan, int step, int tensor)
{
    if (plan->held_rows && plan->held_rows[tensor])
        while (step-- > 0)
            if (model->layers[plan->steps[step]].outputs[0] == tensor)
                return plan->bands[step];
    return (HypRows){0, hyp_row_count(&model->tensors[tensor].shape)};
}

HypBandRoom *hyp_band_room_create(const HyperionModel *model)
{
    HypBandRoom *room = calloc(1, sizeof *room);
    int most_inputs = 0;
    for (int i = 0; i < model->layer_count; i++)
        if (model->layers[i].input_count > most_inputs)
            most_inputs = model->layers[i].input_count;
    if (room) {
        const size_t count = (size_t)most_inputs + 1;
        room->model.name = model->name;
        room->model.settings = model->settings;
        room->model.layers = &room->layer;
        room->model.layer_count = 1;
        room->tensors = room->model.tensors = calloc(count, sizeof *room->tensors);
        room->parts = calloc(count, sizeof *room->parts);
        room->numbers = calloc(count, sizeof *room->numbers);
        room->data = (void **)calloc(count, sizeof *room->data);
    }
    if (room && room->tensors && room->parts && room->numbers && room->data)
        return room;
    hyp_band_room_free(room);
    return hyp_fail_null(HYPERION_ERROR_MEMORY, "run model %s: out of memory", model->name);
}

void hyp_band_room_free(HypBandRoom *room)
{
    if (!room)
        return;
    free(room->tensors);
    free(room->parts);
    free(room->numbers);
    free((void *)room->data);
    free(room);
}

static bool is_whole(HypRows rows, const HypShape *shape)
{
    return rows.count == hyp_row_count(shape);
}

// Describes tensor `index` of the band, which is `tensor` of the model, and finds its place in the
// workspace, of which `used_bytes` are taken; SIZE_MAX: there is none.
static void describe_tensor(HypBandRoom *room, int index, const HypGraphTensor *tensor,
                            HypRows rows, HypRows held, size_t *used_bytes)
{
    const HypShape *whole = &tensor->shape;
    const int axis = whole->rank - 2;
    BandTensor *part = &room->parts[index];
    room->numbers[index] = index;
    room->tensors[index] = *tensor;
    room->tensors[index].view_of = -1;
    *part = (BandTensor){.whole = whole, .rows = rows, .held = held};
    if (is_whole(rows, whole) && is_whole(held, whole))
        return;
    part->outer = hyp_shape_product(whole, 0, axis);
    part->row_bytes =
        hyp_shape_product(whole, axis + 1, whole->rank) * hyperionTypeBytes(whole->type);
    HypShape *shape = &room->tensors[index].shape;
    shape->dims[axis] = rows.count;
    shape->element_count = hyp_shape_product(shape, 0, shape->rank);
    shape->size_bytes = shape->element_count * hyperionTypeBytes(shape->type);
    part->copied = rows.count != held.count && part->outer > 1;
    part->offset = *used_bytes;
    if (part->copied && (!hyp_size_add(*used_bytes, shape->size_bytes, used_bytes) ||
                         !hyp_size_round_up(*used_bytes, PLACE_BYTES, used_bytes)))
        *used_bytes = SIZE_MAX;
}

// The layer of the band; bytes of the workspace that rows are copied through.
static size_t describe_band(HypBandRoom *room, const HypRunPlan *plan, int step,
                            const HypLayerRun *run)
{
    const HyperionModel *model = run->model;
    const HypLayer *layer = run->layer;
    const HypRows made = plan->bands[step];
    const int inputs = layer->input_count;
    const int result = layer->outputs[0];
    size_t used_bytes = 0;
    room->layer = *layer;
    room->layer.inputs = room->numbers;
    room->layer.outputs = &room->numbers[inputs];
    room->model.tensor_count = inputs + 1;
    for (int i = 0; i < inputs; i++) {
        const HypGraphTensor *tensor = &model->tensors[layer->inputs[i]];
        const HypRows all = {0, hyp_row_count(&tensor->shape)};
        HypBandInput input = {0};
        const bool reads = hyp_layer_band(model, layer, i, made, &input);
        assert(reads);
        (void)reads;
        const bool banded = input.rows.count > 0;
        describe_tensor(room, i, tensor, banded ? input.rows : all,
                        banded ? hyp_step_held_rows(model, plan, step, layer->inputs[i]) : all,
                        &used_bytes);
        if (i == 0)
            room->layer.attributes.padding[0] = input.before;
    }
    const HypShape *shape = &model->tensors[result].shape;
    const bool kept = plan->held_rows[result] > 0;
    describe_tensor(room, inputs, &model->tensors[result], made,
                    kept ? made : (HypRows){0, hyp_row_count(shape)}, &used_bytes);
    return used_bytes;
}

static HypLayerRun describe_run(HypBandRoom *room, const HypLayerRun *run, size_t copied_bytes)
{
    HypLayerRun band = *run;
    band.model = &room->model;
    band.layer = &room->layer;
    band.data = room->data;
    band.replaces = false;
    band.workspace = (void *)((uintptr_t)run->workspace + copied_bytes);
    return band;
}

size_t hyp_step_workspace_bytes(HypBandRoom *room, const HypRunPlan *plan, int step,
                                const HypLayerRun *run)
{
    if (!hyp_step_is_band(plan, step))
        return hyp_layer_workspace_bytes(run);
    const size_t copied_bytes = describe_band(room, plan, step, run);
    for (int i = 0; i < room->model.tensor_count; i++)
        room->data[i] = NULL; // not looked at
    const HypLayerRun band = describe_run(room, run, copied_bytes);
    size_t bytes = 0;
    return hyp_size_add(copied_bytes, hyp_layer_workspace_bytes(&band), &bytes) ? bytes : SIZE_MAX;
}

// The memory of tensor `index` of the band.
static void *find_memory(const HypLayerRun *run, int index)
{
    const HypLayer *layer = run->layer;
    return run->data[index < layer->input_count ? layer->inputs[index] : layer->outputs[0]];
}

// Where row `row` of the part's memory lies in the first piece.
static void *find_row(const BandTensor *part, const HypLayerRun *run, int index, int64_t row)
{
    const uintptr_t memory = (uintptr_t)find_memory(run, index);
    return (void *)(memory + (size_t)(row - part->held.first) * part->row_bytes);
}

HypLayerRun hyp_step_band_run(HypBandRoom *room, const HypRunPlan *plan, int step,
                              const HypLayerRun *run)
{
    const size_t copied_bytes = describe_band(room, plan, step, run);
    for (int i = 0; i < room->model.tensor_count; i++) {
        const BandTensor *part = &room->parts[i];
        room->data[i] = part->copied ? (void *)((uintptr_t)run->workspace + part->offset)
                                     : find_row(part, run, i, part->rows.first);
    }
    return describe_run(room, run, copied_bytes);
}

bool hyp_step_band_copy(const HypBandRoom *room, const HypLayerRun *run, int index,
                        HypBandCopy *copy)
{
    const BandTensor *part = &room->parts[index];
    if (!part->copied)
        return false;
    const size_t element_bytes = hyperionTypeBytes(part->whole->type);
    const size_t row = part->row_bytes / element_bytes;
    const size_t rows = (size_t)part->rows.count * row;
    const size_t held = (size_t)part->held.count * row;
    const bool gathers = index < run->layer->input_count;
    void *memory = find_row(part, run, index, part->rows.first);
    *copy = (HypBandCopy){
        .from = gathers ? memory : room->data[index],
        .to = gathers ? room->data[index] : memory,
        .pieces = {.element_bytes = element_bytes,
                   .rank = 2,
                   .extents = {part->outer, rows},
                   .in_strides = {(ptrdiff_t)(gathers ? held : rows), 1},
                   .out_strides = {(ptrdiff_t)(gathers ? rows : held), 1}},
    };
    return true;
}

static void copy_rows(const HypBandRoom *room, const HypLayerRun *run, int index)
{
    HypBandCopy copy;
    if (hyp_step_band_copy(room, run, index, &copy))
        hyp_strided_copy(&copy.pieces, copy.from, copy.to, run->parallel);
}

void hyp_step_execute_band(HypBandRoom *room, const HypRunPlan *plan, int step,
                           const HypLayerRun *run)
{
    const HypLayerRun band = hyp_step_band_run(room, plan, step, run);
    const int inputs = run->layer->input_count;
    for (int i = 0; i < inputs; i++)
        copy_rows(room, run, i);
    hyp_layer_op(run->layer->op)->execute(&band);
    copy_rows(room, run, inputs);
}
