// SPDX-License-Identifier: Apache-2.0
#include "model/builder.h"

#include "hyperion/tensor.h"

#include "common/array.h"
#include "common/fail.h"
#include "common/text.h"
#include "model/layer_op.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// The place for one more tensor and its name; nothing of the model that can be seen changes.
static bool reserve_tensor(HyperionModel *model, const char *name)
{
    if (!name || !name[0])
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "model %s: a tensor without a name", model->name);
    if (hyp_name_map_get(&model->tensor_names, name) >= 0)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "model %s: there is a tensor '%s' already",
                        model->name, name);
    HypGraphTensor *tensors = hyp_array_reserve(model->tensors, &model->tensor_capacity,
                                                (size_t)model->tensor_count + 1, sizeof *tensors);
    if (!tensors)
        return false;
    model->tensors = tensors;
    return hyp_name_map_reserve(&model->tensor_names);
}

// Number of the new tensor, which takes its name; -1 on failure. The model is held.
static int append_tensor(HyperionModel *model, const char *name, HypGraphTensor tensor)
{
    if (!reserve_tensor(model, name))
        return -1;
    tensor.name = hyp_text_copy(name);
    if (!tensor.name)
        return -1;
    const int id = model->tensor_count++;
    model->tensors[id] = tensor;
    hyp_name_map_set(&model->tensor_names, tensor.name, id);
    return id;
}

// The place for one more number in a list of tensors.
static bool reserve_number(int **numbers, int *capacity, int count)
{
    int *grown = hyp_array_reserve(*numbers, capacity, (size_t)count + 1, sizeof *grown);
    if (grown)
        *numbers = grown;
    return grown != NULL;
}

int hyperionAddInput(HyperionModel *model, const char *name, HyperionType type, int rank,
                     const int64_t *dims)
{
    HypShape shape;
    if (!hyp_shape_create(&shape, name ? name : "input", type, rank, dims) ||
        !hyp_model_begin_change(model, "add input"))
        return -1;
    int id = -1;
    if (reserve_number(&model->inputs, &model->input_capacity, model->input_count))
        id = append_tensor(
            model, name, (HypGraphTensor){.shape = shape, .role = HYP_TENSOR_INPUT, .view_of = -1});
    if (id >= 0)
        model->inputs[model->input_count++] = id;
    hyp_model_end_change(model);
    return id;
}

static int add_weight(HyperionModel *model, const char *name, HypGraphTensor weight)
{
    if (!hyp_model_begin_change(model, "add weight"))
        return -1;
    weight.role = HYP_TENSOR_WEIGHT;
    weight.view_of = -1;
    const int id = append_tensor(model, name, weight);
    hyp_model_end_change(model);
    return id;
}

int hyp_model_adopt_file(HyperionModel *model, HypFile *file)
{
    HypFile **grown = (HypFile **)hyp_array_reserve((void *)model->files, &model->file_capacity,
                                                    (size_t)model->file_count + 1, sizeof(void *));
    if (!grown)
        return -1;
    model->files = grown;
    model->files[model->file_count] = file;
    return model->file_count++;
}

int hyp_model_adopt_weight(HyperionModel *model, const char *name, const HypShape *shape,
                           void *data)
{
    return add_weight(model, name, (HypGraphTensor){.shape = *shape, .data = data});
}

int hyp_model_add_file_weight(HyperionModel *model, const char *name, const HypShape *shape,
                              HypWeightPlace place)
{
    return add_weight(model, name,
                      (HypGraphTensor){.shape = *shape,
                                       .source = HYP_WEIGHT_IN_FILE,
                                       .file = place.file,
                                       .file_offset = place.offset,
                                       .stored = place.stored});
}

int hyp_model_add_seeded_weight(HyperionModel *model, const char *name, const HypShape *shape,
                                const HypSeededValues *values)
{
    assert(shape->type == HYPERION_TYPE_F32);
    return add_weight(
        model, name,
        (HypGraphTensor){.shape = *shape, .source = HYP_WEIGHT_SEEDED, .seeded = *values});
}

int hyperionAddWeight(HyperionModel *model, const char *name, HyperionType type, int rank,
                      const int64_t *dims, const void *data)
{
    HypShape shape;
    if (!hyp_shape_create(&shape, name ? name : "weight", type, rank, dims))
        return -1;
    if (!data && shape.size_bytes) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "add weight %s: data is NULL", name ? name : "");
        return -1;
    }
    void *copy = hyp_platform_allocate(shape.size_bytes, 64);
    if (!copy)
        return -1;
    if (shape.size_bytes)
        memcpy(copy, data, shape.size_bytes);
    const int id = hyp_model_adopt_weight(model, name, &shape, copy);
    if (id < 0)
        hyp_platform_release(copy);
    return id;
}

// Whether `op` takes these inputs: their number, that they exist, and that they are f32 if need be.
static bool check_inputs(const HyperionModel *model, const char *name, const HypLayerOp *op,
                         const int *inputs, int input_count)
{
    if (input_count < op->least_inputs || input_count > op->most_inputs || !inputs)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "layer '%s' (%s): %d to %d inputs, given %d", name,
                        op->name, op->least_inputs, op->most_inputs, inputs ? input_count : 0);
    for (int i = 0; i < input_count; i++) {
        if (inputs[i] < 0 || inputs[i] >= model->tensor_count)
            return hyp_fail(HYPERION_ERROR_ARGUMENT, "layer '%s' (%s): input %d is tensor %d of %d",
                            name, op->name, i, inputs[i], model->tensor_count);
        const HypGraphTensor *input = &model->tensors[inputs[i]];
        if (!op->any_type && input->shape.type != HYPERION_TYPE_F32)
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "layer '%s' (%s): input '%s' is %s, expected f32", name, op->name,
                            input->name, hyperionTypeName(input->shape.type));
    }
    return true;
}

// The layer's result, seen as memory: of its own, or another shape of its first input.
static HypGraphTensor describe_result(const HyperionModel *model, const HypLayerOp *op,
                                      const HypLayer *layer, const HypShape *shape)
{
    if (!op->is_view && !(op->keeps_memory && op->keeps_memory(model, layer, shape)))
        return (HypGraphTensor){.shape = *shape, .role = HYP_TENSOR_ACTIVATION, .view_of = -1};
    const int root = hyp_model_root(model, layer->inputs[0]);
    return (HypGraphTensor){.shape = *shape, .role = model->tensors[root].role, .view_of = root};
}

static void free_layer(HypLayer *layer)
{
    free(layer->name);
    free(layer->inputs);
}

// A layer outside the model, with copies of the name and the inputs and room for one output.
static bool draft_layer(HypLayer *layer, const char *name, HyperionLayerOp op,
                        const HyperionLayerAttributes *attributes, const int *inputs,
                        int input_count)
{
    *layer = (HypLayer){.op = op, .input_count = input_count, .output_count = 1};
    if (attributes)
        layer->attributes = *attributes;
    const size_t input_bytes = (size_t)input_count * sizeof *inputs;
    layer->inputs = malloc(input_bytes + sizeof *layer->outputs);
    layer->name = hyp_text_copy(name);
    if (!layer->inputs || !layer->name) {
        free_layer(layer);
        return hyp_fail(HYPERION_ERROR_MEMORY, "layer '%s': out of memory", name);
    }
    memcpy(layer->inputs, inputs, input_bytes);
    layer->outputs = layer->inputs + input_count;
    return true;
}

// Infers the result of `layer`, which becomes the model's; the result's number, or -1.
static int append_layer(HyperionModel *model, HypLayer *layer, const HypLayerOp *op,
                        const char *result_name)
{
    HypShape shape;
    if (!op->infer(model, layer, &shape))
        return -1;
    HypLayer *layers = hyp_array_reserve(model->layers, &model->layer_capacity,
                                         (size_t)model->layer_count + 1, sizeof *layers);
    if (!layers)
        return -1;
    model->layers = layers;
    const int id = append_tensor(model, result_name, describe_result(model, op, layer, &shape));
    if (id < 0)
        return -1;
    layer->outputs[0] = id;
    model->layers[model->layer_count++] = *layer;
    return id;
}

int hyp_model_add_layer(HyperionModel *model, const char *name, const char *result_name,
                        HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                        const int *inputs, int input_count)
{
    const HypLayerOp *functions = hyp_layer_op(op);
    if (!functions || !name) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "add layer: %s", name ? "no such op" : "no name");
        return -1;
    }
    if (!hyp_model_begin_change(model, "add layer"))
        return -1;
    int id = -1;
    HypLayer layer;
    if (check_inputs(model, name, functions, inputs, input_count) &&
        draft_layer(&layer, name, op, attributes, inputs, input_count)) {
        id = append_layer(model, &layer, functions, result_name);
        if (id < 0)
            free_layer(&layer);
    }
    hyp_model_end_change(model);
    return id;
}

int hyperionAddLayer(HyperionModel *model, const char *name, HyperionLayerOp op,
                     const HyperionLayerAttributes *attributes, const int *inputs, int input_count)
{
    return hyp_model_add_layer(model, name, name, op, attributes, inputs, input_count);
}

bool hyperionAddOutput(HyperionModel *model, int tensor)
{
    if (!hyp_model_begin_change(model, "add output"))
        return false;
    bool added = false;
    bool known = false;
    for (int i = 0; i < model->output_count; i++)
        known |= model->outputs[i] == tensor;
    if (tensor < 0 || tensor >= model->tensor_count)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "add output: tensor %d of %d", tensor,
                       model->tensor_count);
    else if (known)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "add output: '%s' is an output already",
                       model->tensors[tensor].name);
    else
        added = reserve_number(&model->outputs, &model->output_capacity, model->output_count);
    if (added)
        model->outputs[model->output_count++] = tensor;
    hyp_model_end_change(model);
    return added;
}
