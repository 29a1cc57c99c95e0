// SPDX-License-Identifier: Apache-2.0
// proto.h - ONNX test cases read on their own, not with the library's reader: tensors with their
// values, and what a model file uses. Files are small and trusted; one that is not understood ends
// the program with a message.
#ifndef HYP_TEST_PROTO_H
#define HYP_TEST_PROTO_H

#include "hyperion/hyperion.h"

enum { PROTO_MOST_NAMES = 64, PROTO_NAME_BYTES = 96 };

// TensorProto.DataType that Hyperion has a type for.
enum { PROTO_FLOAT = 1, PROTO_INT32 = 6, PROTO_INT64 = 7, PROTO_BOOL = 9 };

// The tensor in a .pb file; NULL where its type is another, or it is no tensor.
HyperionTensor *proto_read_tensor(const char *path);

// What a model file says, subgraphs included.
typedef struct ProtoModel {
    int64_t opset;                                   // of the standard operators
    char inputs[PROTO_MOST_NAMES][PROTO_NAME_BYTES]; // that are no initialisers
    int input_count;
    char operators[PROTO_MOST_NAMES][PROTO_NAME_BYTES]; // each once, with "domain." if not standard
    int operator_count;
    bool other_types; // inputs, outputs, constants or casts of a type that Hyperion does not have
} ProtoModel;

void proto_read_model(const char *path, ProtoModel *model);

#endif
