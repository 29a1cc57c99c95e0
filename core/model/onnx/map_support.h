// SPDX-License-Identifier: Apache-2.0
// map_support.h - what the functions in map_*.c are written with: attributes, inputs, constants and
// outputs of a node. All that can fail set the last error; the node's name is put before it later.
#ifndef HYP_MAP_SUPPORT_H
#define HYP_MAP_SUPPORT_H

#include "model/onnx/import_onnx.h"

// Every mapping function, see onnx_operators.def.
#define ONNX_OPERATOR(op_type, map) bool map(OnnxImport *import, const OnnxNode *node);
#include "model/onnx/onnx_operators.def"
#undef ONNX_OPERATOR

// --- Attributes.

// NULL, without an error, where it is absent.
const OnnxAttribute *hyp_onnx_attribute(const OnnxNode *node, const char *name);
int64_t hyp_onnx_int(const OnnxNode *node, const char *name, int64_t fallback);
float hyp_onnx_float(const OnnxNode *node, const char *name, float fallback);

// Text of at most 31 bytes; `fallback` where it is absent or longer.
const char *hyp_onnx_word(const OnnxNode *node, const char *name, const char *fallback);

// The `count` numbers of an attribute; left as they are where it is absent. False on another count.
bool hyp_onnx_ints(const OnnxNode *node, const char *name, size_t count, int64_t *values);

// Sets *choice to the place of the attribute's text among `count` names; left as it is where it is
// absent. False on another text.
bool hyp_onnx_choice(const OnnxNode *node, const char *name, const char *const *names, int count,
                     int *choice);

// Attribute `name` (an axis of a tensor of `rank`), counted from the end where negative. -1 when it
// is not 0 to `most`.
int hyp_onnx_axis(const OnnxNode *node, const char *name, int64_t fallback, int rank, int most);

// Opset of the standard operators that the file was written for.
int64_t hyp_onnx_opset(const OnnxImport *import);

// --- Inputs.

// Whether input `index` is given; an optional one may be left out.
bool hyp_onnx_has_input(const OnnxNode *node, size_t index);

// The tensor of input `index`; a constant becomes a weight. -1 on failure.
int hyp_onnx_input(OnnxImport *import, const OnnxNode *node, size_t index);

// Inputs 0 to `count` - 1, all of them required.
bool hyp_onnx_inputs(OnnxImport *import, const OnnxNode *node, int count, int *inputs);

// Valid until the next tensor is added: copy it when layers follow.
const HypShape *hyp_onnx_shape(const OnnxImport *import, int tensor);

// Whether the value of input `index` is known now: an initialiser, a Constant or folded.
bool hyp_onnx_is_constant(const OnnxImport *import, const OnnxNode *node, size_t index);

// The values of a constant input of i64 or i32, a vector or a scalar, at most `most`. False on
// failure, also where it is not constant.
bool hyp_onnx_constant_ints(OnnxImport *import, const OnnxNode *node, size_t index, int64_t *values,
                            size_t most, size_t *count);

// The same of f32.
bool hyp_onnx_constant_floats(OnnxImport *import, const OnnxNode *node, size_t index, float *values,
                              size_t most, size_t *count);

// What attribute `name` or, as later opsets have it, constant input `index` lists. *given is false,
// and the rest unchanged, where neither is there.
bool hyp_onnx_int_list(OnnxImport *import, const OnnxNode *node, const char *name, size_t index,
                       int64_t *values, size_t most, size_t *count, bool *given);

// The bytes of a constant input of one element of `type`; NULL on failure.
const void *hyp_onnx_constant_value(OnnxImport *import, const OnnxNode *node, size_t index,
                                    HyperionType type);

// --- Results.

// Whether somebody may want output `index`; optional ones may be left out.
bool hyp_onnx_has_output(const OnnxNode *node, size_t index);

// The layer that makes the node's first output.
bool hyp_onnx_layer(OnnxImport *import, const OnnxNode *node, HyperionLayerOp op,
                    const HyperionLayerAttributes *attributes, const int *inputs, int input_count);

// The layer that makes output `index`, of nodes with several.
bool hyp_onnx_layer_at(OnnxImport *import, const OnnxNode *node, size_t index, HyperionLayerOp op,
                       const HyperionLayerAttributes *attributes, const int *inputs,
                       int input_count);

// A layer between, whose result is named after the node's first output with `suffix`, as "/rows".
// The suffixes of a node differ. Its tensor, -1 on failure.
int hyp_onnx_inner_layer(OnnxImport *import, const OnnxNode *node, const char *suffix,
                         HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                         const int *inputs, int input_count);

// A view of `tensor` between, see hyp_onnx_inner_layer; `tensor` itself where that is its shape.
int hyp_onnx_inner_view(OnnxImport *import, const OnnxNode *node, const char *suffix, int tensor,
                        int rank, const int64_t *dims);

// Gives output `index` of the node the tensor `id` of the model, without a layer. Nothing to do
// where the output is left out.
bool hyp_onnx_bind_output(OnnxImport *import, const OnnxNode *node, size_t index, int id);

// The name of such a layer's result, in the arena; NULL on failure.
const char *hyp_onnx_inner_name(OnnxImport *import, const OnnxNode *node, const char *suffix);

// A constant made here, named like an inner layer's result; the bytes are copied. -1 on failure.
int hyp_onnx_inner_constant(OnnxImport *import, const OnnxNode *node, const char *suffix,
                            HyperionType type, int rank, const int64_t *dims, const void *data);

// Makes output `index` of the node a constant; the bytes are copied.
bool hyp_onnx_constant(OnnxImport *import, const OnnxNode *node, size_t index, HyperionType type,
                       int rank, const int64_t *dims, const void *data);

// Fails with "<what> is not implemented in this version".
bool hyp_onnx_unsupported(const char *what);

#endif
