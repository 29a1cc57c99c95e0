// SPDX-License-Identifier: Apache-2.0
// onnx_file.h - what an ONNX file says, as it stands there. Nothing is interpreted here. Nodes and
// initialisers are kept as places in the file and read when their turn comes: that a file has many
// small ones must not cost much more memory than the file.
#ifndef HYP_ONNX_FILE_H
#define HYP_ONNX_FILE_H

#include "hyperion/types.h"

#include "model/onnx/wire.h"

// TensorProto.DataType, onnx/onnx.proto; only those that can be mapped, some as f32.
typedef enum OnnxDataType {
    ONNX_FLOAT = 1,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_BOOL = 9,
    ONNX_FLOAT16 = 10,
    ONNX_DOUBLE = 11,
    ONNX_BFLOAT16 = 16
} OnnxDataType;

typedef struct OnnxTensor {
    const char *name;
    int64_t data_type; // OnnxDataType or another
    int rank;          // may exceed HYPERION_MAX_RANK; the dims past it are not kept
    int64_t dims[HYPERION_MAX_RANK];
    bool external;        // the bytes are in another file:
    const char *location; // its path, relative to the folder of this one; "" where none is given
    uint64_t offset;      // of the bytes there
    bool has_raw;         // raw_data is there
    HypWireSpan raw;      // its bytes
    HypWireSpan message;  // the whole tensor, for typed values
} OnnxTensor;

enum { ONNX_MOST_INTS = 2 * HYPERION_MAX_RANK, ONNX_WORD_BYTES = 32 };

typedef struct OnnxAttribute {
    const char *name;
    int64_t i;
    float f;
    char s[ONNX_WORD_BYTES]; // "" where there is none or it is longer
    size_t int_count;
    int64_t ints[ONNX_MOST_INTS]; // those past it are not kept
    OnnxTensor *tensor;           // NULL where there is none
    bool has_graph;
    HypWireSpan graph;   // a graph
    HypWireSpan message; // the whole attribute, for long lists
} OnnxAttribute;

typedef struct OnnxNode {
    const char *name; // "" when it has none
    const char *op_type;
    const char *domain;
    const char **inputs; // "" where an optional one is left out
    const char **outputs;
    OnnxAttribute *attributes;
    size_t input_count, output_count, attribute_count;
} OnnxNode;

typedef struct OnnxValue {
    const char *name;
    int64_t data_type;                      // 0: not a tensor
    int rank;                               // as of OnnxTensor; -1: no shape
    int64_t dims[HYPERION_MAX_RANK];        // -1 where symbolic
    const char *symbols[HYPERION_MAX_RANK]; // names of symbolic ones; NULL: it has none
} OnnxValue;

typedef struct OnnxGraph {
    HypWireSpan *nodes;
    HypWireSpan *initialisers;
    OnnxValue *inputs;
    OnnxValue *outputs;
    size_t node_count, initialiser_count, input_count, output_count;
} OnnxGraph;

typedef struct OnnxFile {
    int64_t opset; // of the standard operators; 0: not imported
    OnnxGraph graph;
} OnnxFile;

// Each allocates what it finds in `arena`; false, last error set, where the file is malformed.
bool hyp_onnx_read(HypWire *wire, HypArena *arena, OnnxFile *file);
bool hyp_onnx_read_graph(HypWire *wire, HypArena *arena, HypWireSpan message, OnnxGraph *graph);
bool hyp_onnx_read_node(HypWire *wire, HypArena *arena, HypWireSpan message, OnnxNode *node);
bool hyp_onnx_read_tensor(HypWire *wire, HypArena *arena, HypWireSpan message, OnnxTensor *tensor);

// The numbers in `ints` and `floats` of an attribute, however many; of the kind that is there.
typedef struct OnnxNumbers {
    size_t int_count, float_count;
    int64_t *ints;
    float *floats;
} OnnxNumbers;
bool hyp_onnx_read_numbers(HypWire *wire, HypArena *arena, const OnnxAttribute *attribute,
                           OnnxNumbers *numbers);

#endif
