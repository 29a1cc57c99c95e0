// SPDX-License-Identifier: Apache-2.0
// import_onnx.h - from an ONNX file to a model. Standard operators of opset 7 to 17.
#ifndef HYP_IMPORT_ONNX_H
#define HYP_IMPORT_ONNX_H

#include "common/name_map.h"
#include "model/fold.h"
#include "model/graph.h"
#include "model/onnx/onnx_file.h"

// Reads the ONNX file at `path`; the model keeps the file open for its weights. NULL on failure.
HyperionModel *hyp_onnx_import(const char *path, const HyperionLoadOptions *options);

// An import under way.
typedef struct OnnxImport {
    HypWire *wire;
    HypArena *arena;
    const OnnxFile *file;
    const HyperionLoadOptions *options;
    bool caller_failed; // the options are wrong, not the file
    HyperionModel *model;
    HypFolder folder;
    HypNameMap constants; // index into `constant_list` by name
    OnnxTensor *constant_list;
    HypNameMap tensors; // tensor of the model by ONNX name
} OnnxImport;

// Adds a constant that an initialiser or a Constant node gives. False on a second of its name.
bool hyp_onnx_add_constant(OnnxImport *import, const char *name, const OnnxTensor *tensor);

// The constant `name`; NULL, without an error, if there is none.
const OnnxTensor *hyp_onnx_find_constant(const OnnxImport *import, const char *name);

// Makes a constant a weight of the model, at its place in the file where its bytes lie there as
// they are in memory, else converted. -1 on failure.
int hyp_onnx_add_weight(OnnxImport *import, const char *name, const OnnxTensor *tensor);

// The inputs of the graph, as the options say. False on failure.
bool hyp_onnx_add_inputs(OnnxImport *import);

// The type that values of an ONNX data type have in the model; false, without an error, for others.
bool hyp_onnx_type(int64_t data_type, HyperionType *type);

// Gives the tensor `id` of the model the ONNX name `name`.
bool hyp_onnx_bind(OnnxImport *import, const char *name, int id);

// The function that maps an operator's nodes onto layers; NULL where it is missing.
typedef bool (*OnnxMapNode)(OnnxImport *import, const OnnxNode *node);
OnnxMapNode hyp_onnx_find_operator(const OnnxNode *node);

// The name of a node in messages: its own or that of its first output.
const char *hyp_onnx_node_name(const OnnxNode *node);

#endif
