// SPDX-License-Identifier: Apache-2.0
// tensor.h - dense row-major arrays with a type and a shape.
#ifndef HYPERION_TENSOR_H
#define HYPERION_TENSOR_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// A new tensor of zeros, 64-byte aligned; dims[0] varies slowest. rank 0 is a scalar; a dimension
// may be 0. The caller frees it. NULL on a bad type, rank, negative or overflowing dimension, or
// out of memory. A tensor may be used by one thread at a time.
HyperionTensor *hyperionCreateTensor(HyperionType type, int rank, const int64_t *dims);

// The same over memory of the caller, which must hold the whole tensor, be aligned to its element
// and outlive it. The memory is never freed here.
HyperionTensor *hyperionWrapTensor(HyperionType type, int rank, const int64_t *dims, void *data);

// Frees the tensor, and its memory unless it was wrapped. NULL is allowed.
void hyperionFreeTensor(HyperionTensor *tensor);

// Facts of a tensor. The data and the dims stay owned by the tensor and live as long as it does.
// For a NULL tensor: NULL, 0 or HYPERION_TYPE_COUNT, and the last error says so.
void *hyperionTensorData(HyperionTensor *tensor);
const void *hyperionTensorConstData(const HyperionTensor *tensor);
HyperionType hyperionTensorType(const HyperionTensor *tensor);
int hyperionTensorRank(const HyperionTensor *tensor);
const int64_t *hyperionTensorDims(const HyperionTensor *tensor);
size_t hyperionTensorElementCount(const HyperionTensor *tensor);
size_t hyperionTensorBytes(const HyperionTensor *tensor);

// Bytes of one element; 0 for an unknown type. "f32", "i64", ...; "unknown" for an unknown type.
size_t hyperionTypeBytes(HyperionType type);
const char *hyperionTypeName(HyperionType type);

#ifdef __cplusplus
}
#endif
#endif
