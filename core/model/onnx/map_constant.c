// SPDX-License-Identifier: Apache-2.0
// Values, and choices, that are known when the model is read.
#include "model/onnx/map_support.h"

#include "common/fail.h"

#include <string.h>

// value_float, value_floats, value_int, value_ints: a scalar or a vector.
static bool add_numbers(OnnxImport *import, const OnnxNode *node, const OnnxAttribute *value)
{
    OnnxNumbers numbers;
    int64_t dims[1] = {1};
    if (strcmp(value->name, "value_float") == 0)
        return hyp_onnx_constant(import, node, 0, HYPERION_TYPE_F32, 0, NULL, &value->f);
    if (strcmp(value->name, "value_int") == 0)
        return hyp_onnx_constant(import, node, 0, HYPERION_TYPE_I64, 0, NULL, &value->i);
    if (!hyp_onnx_read_numbers(import->wire, import->arena, value, &numbers))
        return false;
    if (strcmp(value->name, "value_floats") == 0) {
        dims[0] = (int64_t)numbers.float_count;
        return hyp_onnx_constant(import, node, 0, HYPERION_TYPE_F32, 1, dims, numbers.floats);
    }
    dims[0] = (int64_t)numbers.int_count;
    return strcmp(value->name, "value_ints") == 0
               ? hyp_onnx_constant(import, node, 0, HYPERION_TYPE_I64, 1, dims, numbers.ints)
               : hyp_onnx_unsupported("a constant other than a tensor or numbers");
}

bool hyp_onnx_map_constant(OnnxImport *import, const OnnxNode *node)
{
    if (node->attribute_count != 1)
        return hyp_fail(HYPERION_ERROR_FORMAT, "%zu attributes, expected the value",
                        node->attribute_count);
    const OnnxAttribute *value = &node->attributes[0];
    if (!value->tensor)
        return add_numbers(import, node, value);
    const int id = hyp_onnx_add_weight(import, node->outputs[0], value->tensor);
    return id >= 0 && hyp_onnx_bind(import, node->outputs[0], id);
}

bool hyp_onnx_map_if(OnnxImport *import, const OnnxNode *node)
{
    const bool *condition = hyp_onnx_constant_value(import, node, 0, HYPERION_TYPE_BOOL);
    if (!condition)
        return false;
    const char *name = *condition ? "then_branch" : "else_branch";
    const OnnxAttribute *branch = hyp_onnx_attribute(node, name);
    if (!branch || !branch->has_graph)
        return hyp_fail(HYPERION_ERROR_FORMAT, "%s is missing", name);
    return hyp_onnx_inline_graph(import, node, branch->graph);
}
