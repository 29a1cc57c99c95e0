// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/map_support.h"

#include "hyperion/tensor.h"

#include "common/fail.h"
#include "model/builder.h"
#include "model/weight_bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const OnnxAttribute *hyp_onnx_attribute(const OnnxNode *node, const char *name)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

int64_t hyp_onnx_int(const OnnxNode *node, const char *name, int64_t fallback)
{
    const OnnxAttribute *attribute = hyp_onnx_attribute(node, name);
    return attribute ? attribute->i : fallback;
}

float hyp_onnx_float(const OnnxNode *node, const char *name, float fallback)
{
    const OnnxAttribute *attribute = hyp_onnx_attribute(node, name);
    return attribute ? attribute->f : fallback;
}

const char *hyp_onnx_word(const OnnxNode *node, const char *name, const char *fallback)
{
    const OnnxAttribute *attribute = hyp_onnx_attribute(node, name);
    return attribute && attribute->s[0] ? attribute->s : fallback;
}

bool hyp_onnx_ints(const OnnxNode *node, const char *name, size_t count, int64_t *values)
{
    const OnnxAttribute *attribute = hyp_onnx_attribute(node, name);
    if (!attribute)
        return true;
    if (attribute->int_count != count)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "%s has %zu values, expected %zu", name,
                        attribute->int_count, count);
    memcpy(values, attribute->ints, count * sizeof *values);
    return true;
}

bool hyp_onnx_choice(const OnnxNode *node, const char *name, const char *const *names, int count,
                     int *choice)
{
    const OnnxAttribute *attribute = hyp_onnx_attribute(node, name);
    if (!attribute)
        return true;
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], attribute->s) == 0) {
            *choice = i;
            return true;
        }
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "%s '%s' is not implemented in this version", name,
                    attribute->s);
}

int hyp_onnx_axis(const OnnxNode *node, const char *name, int64_t fallback, int rank, int most)
{
    const int64_t given = hyp_onnx_int(node, name, fallback);
    const int64_t axis = given < 0 ? given + rank : given;
    if (axis >= 0 && axis <= most)
        return (int)axis;
    (void)hyp_fail(HYPERION_ERROR_FORMAT, "%s %" PRId64 " of %d", name, given, rank);
    return -1;
}

int64_t hyp_onnx_opset(const OnnxImport *import)
{
    return import->file->opset;
}

bool hyp_onnx_has_input(const OnnxNode *node, size_t index)
{
    return index < node->input_count && node->inputs[index][0];
}

int hyp_onnx_input(OnnxImport *import, const OnnxNode *node, size_t index)
{
    if (!hyp_onnx_has_input(node, index)) {
        (void)hyp_fail(HYPERION_ERROR_FORMAT, "input %zu is missing", index);
        return -1;
    }
    return hyp_onnx_find_tensor(import, node->inputs[index]);
}

bool hyp_onnx_inputs(OnnxImport *import, const OnnxNode *node, int count, int *inputs)
{
    for (int i = 0; i < count; i++)
        if ((inputs[i] = hyp_onnx_input(import, node, (size_t)i)) < 0)
            return false;
    return true;
}

const HypShape *hyp_onnx_shape(const OnnxImport *import, int tensor)
{
    return &import->model->tensors[tensor].shape;
}

bool hyp_onnx_is_constant(const OnnxImport *import, const OnnxNode *node, size_t index)
{
    if (!hyp_onnx_has_input(node, index))
        return false;
    const int known = hyp_name_map_get(&import->tensors, node->inputs[index]);
    return known >= 0 ? import->model->tensors[known].role == HYP_TENSOR_WEIGHT
                      : hyp_onnx_has_constant(import, node->inputs[index]);
}

// The weight of a constant input that is a vector of at most `most` values of one of two types, its
// bytes read; -1 on failure.
static int find_vector(OnnxImport *import, const OnnxNode *node, size_t index, HyperionType type,
                       HyperionType other, size_t most)
{
    const int id = hyp_onnx_input(import, node, index);
    if (id < 0)
        return -1;
    const HypGraphTensor *tensor = &import->model->tensors[id];
    const HypShape *shape = &tensor->shape;
    char text[HYP_SHAPE_TEXT_BYTES];
    if (tensor->role != HYP_TENSOR_WEIGHT)
        (void)hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                       "input '%s', which is not constant, is not implemented in this version",
                       node->inputs[index]);
    else if ((shape->type != type && shape->type != other) || shape->rank > 1 ||
             shape->element_count > most)
        (void)hyp_fail(HYPERION_ERROR_FORMAT, "constant '%s' is %s, expected at most %zu %s",
                       node->inputs[index], hyp_shape_text(shape, text), most,
                       hyperionTypeName(type));
    else if (hyp_weights_read(import->model, id))
        return id;
    return -1;
}

bool hyp_onnx_constant_ints(OnnxImport *import, const OnnxNode *node, size_t index, int64_t *values,
                            size_t most, size_t *count)
{
    const int id = find_vector(import, node, index, HYPERION_TYPE_I64, HYPERION_TYPE_I32, most);
    if (id < 0)
        return false;
    const HypGraphTensor *tensor = &import->model->tensors[id];
    const void *data = import->model->tensors[hyp_model_root(import->model, id)].data;
    *count = tensor->shape.element_count;
    for (size_t i = 0; i < *count; i++)
        values[i] = tensor->shape.type == HYPERION_TYPE_I64 ? ((const int64_t *)data)[i]
                                                            : ((const int32_t *)data)[i];
    return true;
}

bool hyp_onnx_constant_floats(OnnxImport *import, const OnnxNode *node, size_t index, float *values,
                              size_t most, size_t *count)
{
    const int id = find_vector(import, node, index, HYPERION_TYPE_F32, HYPERION_TYPE_F32, most);
    if (id < 0)
        return false;
    const void *data = import->model->tensors[hyp_model_root(import->model, id)].data;
    *count = import->model->tensors[id].shape.element_count;
    if (*count)
        memcpy(values, data, *count * sizeof *values);
    return true;
}

bool hyp_onnx_int_list(OnnxImport *import, const OnnxNode *node, const char *name, size_t index,
                       int64_t *values, size_t most, size_t *count, bool *given)
{
    const OnnxAttribute *attribute = hyp_onnx_attribute(node, name);
    *given = attribute || hyp_onnx_has_input(node, index);
    if (!attribute)
        return !*given || hyp_onnx_constant_ints(import, node, index, values, most, count);
    *count = attribute->int_count;
    if (*count > most || *count > ONNX_MOST_INTS)
        return hyp_fail(HYPERION_ERROR_FORMAT, "%s has %zu values, expected at most %zu", name,
                        *count, most);
    memcpy(values, attribute->ints, *count * sizeof *values);
    return true;
}

const void *hyp_onnx_constant_value(OnnxImport *import, const OnnxNode *node, size_t index,
                                    HyperionType type)
{
    const int id = find_vector(import, node, index, type, type, 1);
    if (id < 0)
        return NULL;
    if (hyp_onnx_shape(import, id)->element_count != 1)
        return hyp_fail_null(HYPERION_ERROR_FORMAT, "constant '%s' is empty", node->inputs[index]);
    return import->model->tensors[hyp_model_root(import->model, id)].data;
}

bool hyp_onnx_has_output(const OnnxNode *node, size_t index)
{
    return index < node->output_count && node->outputs[index][0];
}

const char *hyp_onnx_inner_name(OnnxImport *import, const OnnxNode *node, const char *suffix)
{
    const size_t name_bytes = strlen(node->outputs[0]) + strlen(suffix) + 1;
    char *name = hyp_arena_allocate(import->arena, name_bytes, 1);
    if (name)
        (void)snprintf(name, name_bytes, "%s%s", node->outputs[0], suffix);
    return name;
}

// A layer, or what it makes where that is known now. -1 on failure.
static int add_layer(OnnxImport *import, const char *name, const char *result_name,
                     HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                     const int *inputs, int input_count)
{
    const char *unique = hyp_onnx_unique_name(import, result_name);
    const int id = unique ? hyp_model_add_layer(import->model, name, unique, op, attributes, inputs,
                                                input_count)
                          : -1;
    return id >= 0 && hyp_fold_last_layer(&import->folder) ? id : -1;
}

int hyp_onnx_inner_layer(OnnxImport *import, const OnnxNode *node, const char *suffix,
                         HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                         const int *inputs, int input_count)
{
    const char *name = hyp_onnx_inner_name(import, node, suffix);
    return name ? add_layer(import, name, name, op, attributes, inputs, input_count) : -1;
}

int hyp_onnx_inner_view(OnnxImport *import, const OnnxNode *node, const char *suffix, int tensor,
                        int rank, const int64_t *dims)
{
    const HypShape *shape = hyp_onnx_shape(import, tensor);
    const size_t dims_bytes = (size_t)rank * sizeof *dims;
    if (shape->rank == rank && (rank == 0 || memcmp(shape->dims, dims, dims_bytes) == 0))
        return tensor;
    HyperionLayerAttributes attributes = {.rank = rank, .zero_dims = true};
    if (rank > 0)
        memcpy(attributes.dims, dims, dims_bytes);
    return hyp_onnx_inner_layer(import, node, suffix, HYPERION_LAYER_RESHAPE, &attributes, &tensor,
                                1);
}

int hyp_onnx_inner_constant(OnnxImport *import, const OnnxNode *node, const char *suffix,
                            HyperionType type, int rank, const int64_t *dims, const void *data)
{
    const char *name = hyp_onnx_inner_name(import, node, suffix);
    const char *unique = name ? hyp_onnx_unique_name(import, name) : NULL;
    return unique ? hyperionAddWeight(import->model, unique, type, rank, dims, data) : -1;
}

bool hyp_onnx_constant(OnnxImport *import, const OnnxNode *node, size_t index, HyperionType type,
                       int rank, const int64_t *dims, const void *data)
{
    const char *name = hyp_onnx_unique_name(import, node->outputs[index]);
    const int id = name ? hyperionAddWeight(import->model, name, type, rank, dims, data) : -1;
    return id >= 0 && hyp_onnx_bind(import, node->outputs[index], id);
}

bool hyp_onnx_bind_output(OnnxImport *import, const OnnxNode *node, size_t index, int id)
{
    return !hyp_onnx_has_output(node, index) || hyp_onnx_bind(import, node->outputs[index], id);
}

bool hyp_onnx_layer(OnnxImport *import, const OnnxNode *node, HyperionLayerOp op,
                    const HyperionLayerAttributes *attributes, const int *inputs, int input_count)
{
    return hyp_onnx_layer_at(import, node, 0, op, attributes, inputs, input_count);
}

bool hyp_onnx_layer_at(OnnxImport *import, const OnnxNode *node, size_t index, HyperionLayerOp op,
                       const HyperionLayerAttributes *attributes, const int *inputs,
                       int input_count)
{
    const char *name = index == 0 ? hyp_onnx_node_name(node) : node->outputs[index];
    const int id =
        add_layer(import, name, node->outputs[index], op, attributes, inputs, input_count);
    return id >= 0 && hyp_onnx_bind(import, node->outputs[index], id);
}

bool hyp_onnx_unsupported(const char *what)
{
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "%s is not implemented in this version", what);
}
