// SPDX-License-Identifier: Apache-2.0
// tensor_source.h - the seam through which the tensors that a thread creates get their memory from
// somewhere else than the platform: a pool, which then knows each of them.
#ifndef HYP_TENSOR_SOURCE_H
#define HYP_TENSOR_SOURCE_H

#include "hyperion/tensor.h"

// One in each tensor; all but `tensor` is the source's.
typedef struct HypLease {
    HyperionTensor *tensor;
    // Called when the tensor is freed, by whatever thread; NULL: memory from no source.
    void (*take_back)(struct HypLease *lease);
    void *owner;
    void *memory;
    struct HypLease *previous, *next;
} HypLease;

// Fills the lease and gives memory for `size_bytes` (may be 0) at a multiple of 64; NULL, last
// error set, where it cannot.
typedef struct HypTensorSource {
    void *(*lend)(struct HypTensorSource *source, HypLease *lease, size_t size_bytes);
} HypTensorSource;

// The source of tensors that this thread creates from now on; NULL is the platform. Returns the one
// before.
HypTensorSource *hyp_tensor_source_set(HypTensorSource *source);

// The memory of a leased tensor is gone: all that can still be done with it is to free it.
void hyp_tensor_expire(HyperionTensor *tensor);

#endif
