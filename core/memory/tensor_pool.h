// SPDX-License-Identifier: Apache-2.0
// tensor_pool.h - the memory that tensors are made from while a function runs in the pool. Several
// threads may run functions in one pool at the same time, and functions may nest: a tensor belongs
// to the innermost function of its thread.
#ifndef HYP_TENSOR_POOL_H
#define HYP_TENSOR_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HypPoolFacts {
    size_t held_bytes; // in tensors, or kept for later ones
    size_t peak_bytes; // highest held_bytes
    // Most that all tensors made from the start of a function until none runs had taken together.
    size_t naive_bytes;
    uint64_t lend_count;
    uint64_t reuse_count; // of those, from memory given back before
    double fragmentation; // 1 - largest free block / free bytes; 0 when nothing is free
} HypPoolFacts;

typedef struct HypTensorPool HypTensorPool;

// Holds budget_bytes at most; 0: no limit. Without `reuses`, memory given back is kept for nobody.
// NULL when out of memory.
HypTensorPool *hyp_tensor_pool_create(size_t budget_bytes, bool reuses);

// Frees tensors that were left over, too. Nothing runs in it; NULL is allowed.
void hyp_tensor_pool_free(HypTensorPool *pool);

// What func(user_data) returns. Tensors that it made and left over have no memory afterwards.
bool hyp_tensor_pool_run(HypTensorPool *pool, bool (*func)(void *user_data), void *user_data);

bool hyp_tensor_pool_is_running(HypTensorPool *pool);
HypPoolFacts hyp_tensor_pool_facts(HypTensorPool *pool);

#endif
