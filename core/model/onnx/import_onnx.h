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

// A name that ends with the subgraph it was given in.
typedef struct OnnxName {
    HypNameMap *map;
    const char *name;
} OnnxName;

typedef struct OnnxConstant {
    HypWireSpan message; // a tensor
    int tensor;          // of the model; -1 until it is needed
} OnnxConstant;

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
    OnnxConstant *constant_list;
    int constant_count, constant_capacity;
    HypNameMap tensors;   // tensor of the model by ONNX name
    HypNameMap locations; // file of the model by its path in this one
    int depth;            // of subgraphs around the node at hand
    OnnxName *scope;      // names of the subgraphs around it, in the order they were given
    int scope_count, scope_capacity;
    unsigned rename_count; // for names that must be made unique
} OnnxImport;

// Bytes that may be computed while reading because of one file.
size_t hyp_onnx_fold_budget(const HypFile *file);

// Fails with all operators of the graph that are missing, each with its nodes. Subgraphs are
// looked at when it is known that they are needed.
bool hyp_onnx_check_operators(const OnnxImport *import, const OnnxGraph *graph);

bool hyp_onnx_add_initialisers(OnnxImport *import, const OnnxGraph *graph);
bool hyp_onnx_add_nodes(OnnxImport *import, const OnnxGraph *graph);

// Adds the nodes of a subgraph, whose names hold in it only, and gives its outputs to `node`.
bool hyp_onnx_inline_graph(OnnxImport *import, const OnnxNode *node, HypWireSpan message);

// Gives `name`, which is copied, a value in one of the maps, until the subgraph at hand ends.
bool hyp_onnx_set_name(OnnxImport *import, HypNameMap *map, const char *name, int value);

// `name`, or where a subgraph uses one again that the model has, another. NULL on failure.
const char *hyp_onnx_unique_name(OnnxImport *import, const char *name);

// Adds the constant that an initialiser gives. False on a second of its name.
bool hyp_onnx_add_constant(OnnxImport *import, HypWireSpan message);
bool hyp_onnx_has_constant(const OnnxImport *import, const char *name);

// The tensor of the model that is `name`; a constant becomes a weight. -1 on failure.
int hyp_onnx_find_tensor(OnnxImport *import, const char *name);

// Makes a constant a weight of the model, at its place in the file where its bytes lie in a row
// there, else converted. -1 on failure.
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
