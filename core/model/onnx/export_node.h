// SPDX-License-Identifier: Apache-2.0
// export_node.h - what the functions in export_*.c are written with: names, constants and nodes of
// a file in the making. Nothing fails at once: what went wrong stays, and is looked at in the end.
#ifndef HYP_EXPORT_NODE_H
#define HYP_EXPORT_NODE_H

#include "common/arena.h"
#include "model/graph.h"
#include "model/onnx/wire_out.h"

enum { HYP_ONNX_EXPORT_OPSET = 17, HYP_ONNX_EXPORT_IR = 8 };

typedef struct OnnxExport {
    HyperionModel *model;
    const HypLayer *layer;   // under way
    HypWireOut nodes;        // fields of the graph
    HypWireOut initializers; // likewise, of the constants made here
    HypWireOut node;         // under way
    HypWireOut attribute;    // under way
    HypArena names;
    bool failed; // last error set
} OnnxExport;

// The function of each layer operation: writes x->layer as one or more nodes.
#define ONNX_EXPORT(LAYER, function) void function(OnnxExport *x);
#include "model/onnx/export_layers.def"
#undef ONNX_EXPORT

// --- Names of values in the file.

const char *hyp_onnx_export_input(const OnnxExport *x, int index); // of the layer
const char *hyp_onnx_export_result(const OnnxExport *x);

// A new name: that of the layer, a slash, and `suffix`. The suffixes of a layer differ.
const char *hyp_onnx_export_inner(OnnxExport *x, const char *suffix);

// A new constant, named like an inner value.
const char *hyp_onnx_export_constant(OnnxExport *x, const char *suffix, HyperionType type, int rank,
                                     const int64_t *dims, const void *data);
const char *hyp_onnx_export_ints(OnnxExport *x, const char *suffix, int count,
                                 const int64_t *values);
const char *hyp_onnx_export_float(OnnxExport *x, const char *suffix, float value); // a scalar

// --- Nodes: begin, inputs, output, attributes in any order, end.

void hyp_onnx_export_begin(OnnxExport *x, const char *op_type);
void hyp_onnx_export_reads(OnnxExport *x, const char *name); // "" is left out
void hyp_onnx_export_writes(OnnxExport *x, const char *name);
void hyp_onnx_export_set_int(OnnxExport *x, const char *name, int64_t value);
void hyp_onnx_export_set_ints(OnnxExport *x, const char *name, int count, const int64_t *values);
void hyp_onnx_export_set_float(OnnxExport *x, const char *name, float value);
void hyp_onnx_export_set_text(OnnxExport *x, const char *name, const char *text);
void hyp_onnx_export_end(OnnxExport *x);

// Whole nodes of one or two inputs without attributes; they return `out`.
const char *hyp_onnx_export_unary(OnnxExport *x, const char *op_type, const char *in,
                                  const char *out);
const char *hyp_onnx_export_binary(OnnxExport *x, const char *op_type, const char *a, const char *b,
                                   const char *out);
const char *hyp_onnx_export_reshape(OnnxExport *x, const char *in, int rank, const int64_t *dims,
                                    const char *shape_suffix, const char *out);
const char *hyp_onnx_export_transpose(OnnxExport *x, const char *in, int rank, const int64_t *axes,
                                      const char *out);

// --- The end of a product or convolution with an activation.

// Where the layer's own result goes: to the layer's, or where an activation follows, before it.
const char *hyp_onnx_export_linear(OnnxExport *x);

// The activation of x->layer's attributes, from `in` to `out`. Nothing for none.
void hyp_onnx_export_activate(OnnxExport *x, const char *in, const char *out);

// Records that the layer has no equal in ONNX.
void hyp_onnx_export_refuse(OnnxExport *x, const char *what);

// Fields of a TensorProto but for its values.
void hyp_onnx_export_tensor_head(HypWireOut *out, const char *name, const HypShape *shape);

// ONNX's number of a type.
int64_t hyp_onnx_export_type(HyperionType type);

#endif
