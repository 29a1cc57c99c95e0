// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/export_node.h"

#include "common/fail.h"

#include <stdio.h>
#include <string.h>

// Numbers of fields and types: onnx/onnx.proto.
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_F = 2,
    ATTRIBUTE_I = 3,
    ATTRIBUTE_S = 4,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20
};
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };

int64_t hyp_onnx_export_type(HyperionType type)
{
    static const int64_t types[HYPERION_TYPE_COUNT] = {[HYPERION_TYPE_F32] = 1,
                                                       [HYPERION_TYPE_I32] = 6,
                                                       [HYPERION_TYPE_I64] = 7,
                                                       [HYPERION_TYPE_BOOL] = 9};
    return types[type];
}

void hyp_onnx_export_tensor_head(HypWireOut *out, const char *name, const HypShape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        hyp_wire_out_int(out, TENSOR_DIMS, shape->dims[i]);
    hyp_wire_out_int(out, TENSOR_TYPE, hyp_onnx_export_type(shape->type));
    hyp_wire_out_text(out, TENSOR_NAME, name);
}

const char *hyp_onnx_export_input(const OnnxExport *x, int index)
{
    return index < x->layer->input_count ? x->model->tensors[x->layer->inputs[index]].name : "";
}

const char *hyp_onnx_export_result(const OnnxExport *x)
{
    return x->model->tensors[x->layer->outputs[0]].name;
}

const char *hyp_onnx_export_inner(OnnxExport *x, const char *suffix)
{
    const char *result = hyp_onnx_export_result(x);
    const size_t room = strlen(result) + strlen(suffix) + 16;
    char *name = hyp_arena_allocate(&x->names, room, 1);
    if (!name) {
        x->failed = true;
        return "";
    }
    (void)snprintf(name, room, "%s/%s", result, suffix);
    for (int i = 2; hyp_name_map_get(&x->model->tensor_names, name) >= 0; i++)
        (void)snprintf(name, room, "%s/%s%d", result, suffix, i);
    return name;
}

const char *hyp_onnx_export_constant(OnnxExport *x, const char *suffix, HyperionType type, int rank,
                                     const int64_t *dims, const void *data)
{
    const char *name = hyp_onnx_export_inner(x, suffix);
    HypShape shape;
    if (!hyp_shape_create(&shape, name, type, rank, dims)) {
        x->failed = true;
        return name;
    }
    HypWireOut tensor = {0};
    hyp_onnx_export_tensor_head(&tensor, name, &shape);
    hyp_wire_out_bytes(&tensor, TENSOR_RAW, data, shape.size_bytes);
    hyp_wire_out_message(&x->initializers, GRAPH_INITIALIZER, &tensor);
    hyp_wire_out_free(&tensor);
    return name;
}

const char *hyp_onnx_export_ints(OnnxExport *x, const char *suffix, int count,
                                 const int64_t *values)
{
    return hyp_onnx_export_constant(x, suffix, HYPERION_TYPE_I64, 1, (const int64_t[]){count},
                                    values);
}

const char *hyp_onnx_export_float(OnnxExport *x, const char *suffix, float value)
{
    return hyp_onnx_export_constant(x, suffix, HYPERION_TYPE_F32, 0, NULL, &value);
}

void hyp_onnx_export_begin(OnnxExport *x, const char *op_type)
{
    hyp_wire_out_clear(&x->node);
    hyp_wire_out_text(&x->node, NODE_OP_TYPE, op_type);
}

void hyp_onnx_export_reads(OnnxExport *x, const char *name)
{
    hyp_wire_out_text(&x->node, NODE_INPUT, name);
}

// Nodes are named like what they write first: both must differ from all others.
void hyp_onnx_export_writes(OnnxExport *x, const char *name)
{
    hyp_wire_out_text(&x->node, NODE_OUTPUT, name);
    hyp_wire_out_text(&x->node, NODE_NAME, name);
}

static void begin_attribute(OnnxExport *x, const char *name, int64_t type)
{
    hyp_wire_out_clear(&x->attribute);
    hyp_wire_out_text(&x->attribute, ATTRIBUTE_NAME, name);
    hyp_wire_out_int(&x->attribute, ATTRIBUTE_TYPE, type);
}

static void end_attribute(OnnxExport *x)
{
    hyp_wire_out_message(&x->node, NODE_ATTRIBUTE, &x->attribute);
}

void hyp_onnx_export_set_int(OnnxExport *x, const char *name, int64_t value)
{
    begin_attribute(x, name, TYPE_INT);
    hyp_wire_out_int(&x->attribute, ATTRIBUTE_I, value);
    end_attribute(x);
}

void hyp_onnx_export_set_ints(OnnxExport *x, const char *name, int count, const int64_t *values)
{
    begin_attribute(x, name, TYPE_INTS);
    for (int i = 0; i < count; i++)
        hyp_wire_out_int(&x->attribute, ATTRIBUTE_INTS, values[i]);
    end_attribute(x);
}

void hyp_onnx_export_set_float(OnnxExport *x, const char *name, float value)
{
    begin_attribute(x, name, TYPE_FLOAT);
    hyp_wire_out_float(&x->attribute, ATTRIBUTE_F, value);
    end_attribute(x);
}

void hyp_onnx_export_set_text(OnnxExport *x, const char *name, const char *text)
{
    begin_attribute(x, name, TYPE_STRING);
    hyp_wire_out_text(&x->attribute, ATTRIBUTE_S, text);
    end_attribute(x);
}

void hyp_onnx_export_end(OnnxExport *x)
{
    hyp_wire_out_message(&x->nodes, GRAPH_NODE, &x->node);
}

const char *hyp_onnx_export_unary(OnnxExport *x, const char *op_type, const char *in,
                                  const char *out)
{
    hyp_onnx_export_begin(x, op_type);
    hyp_onnx_export_reads(x, in);
    hyp_onnx_export_writes(x, out);
    hyp_onnx_export_end(x);
    return out;
}

const char *hyp_onnx_export_binary(OnnxExport *x, const char *op_type, const char *a, const char *b,
                                   const char *out)
{
    hyp_onnx_export_begin(x, op_type);
    hyp_onnx_export_reads(x, a);
    hyp_onnx_export_reads(x, b);
    hyp_onnx_export_writes(x, out);
    hyp_onnx_export_end(x);
    return out;
}

const char *hyp_onnx_export_reshape(OnnxExport *x, const char *in, int rank, const int64_t *dims,
                                    const char *shape_suffix, const char *out)
{
    bool has_zero = false;
    for (int i = 0; i < rank; i++)
        has_zero = has_zero || dims[i] == 0;
    hyp_onnx_export_begin(x, "Reshape");
    hyp_onnx_export_reads(x, in);
    hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, shape_suffix, rank, dims));
    hyp_onnx_export_writes(x, out);
    if (has_zero)
        hyp_onnx_export_set_int(x, "allowzero", 1);
    hyp_onnx_export_end(x);
    return out;
}

const char *hyp_onnx_export_transpose(OnnxExport *x, const char *in, int rank, const int64_t *axes,
                                      const char *out)
{
    hyp_onnx_export_begin(x, "Transpose");
    hyp_onnx_export_reads(x, in);
    hyp_onnx_export_writes(x, out);
    hyp_onnx_export_set_ints(x, "perm", rank, axes);
    hyp_onnx_export_end(x);
    return out;
}

const char *hyp_onnx_export_linear(OnnxExport *x)
{
    return x->layer->attributes.activation == HYPERION_ACTIVATION_NONE
               ? hyp_onnx_export_result(x)
               : hyp_onnx_export_inner(x, "linear");
}

void hyp_onnx_export_refuse(OnnxExport *x, const char *what)
{
    x->failed = true;
    (void)hyp_fail(HYPERION_ERROR_UNSUPPORTED, "export to ONNX: layer '%s': %s", x->layer->name,
                   what);
}
