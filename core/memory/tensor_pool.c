// SPDX-License-Identifier: Apache-2.0
#include "memory/tensor_pool.h"

#include "common/fail.h"
#include "memory/block_heap.h"
#include "model/tensor_source.h"
#include "platform/platform.h"

#include <assert.h>
#include <stdlib.h>

struct HypTensorPool {
    HypLock lock; // of all that follows, and of the leases of its tensors
    HypBlockHeap heap;
    HypLease *expired;  // of tensors without memory that nobody freed yet
    int running_count;  // functions
    size_t round_bytes; // lent since none ran
    size_t peak_bytes, naive_bytes;
    uint64_t lend_count, reuse_count;
};

// A function under way; its leases are those of tensors that it made and that are not freed yet.
typedef struct Frame {
    HypTensorSource source; // first: what lend() is given
    HypTensorPool *pool;
    HypLease *leases;
} Frame;

HypTensorPool *hyp_tensor_pool_create(size_t budget_bytes, bool reuses)
{
    HypTensorPool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "tensor pool: out of memory");
    pool->heap.budget_bytes = budget_bytes;
    pool->heap.keeps_nothing = !reuses;
    return pool;
}

void hyp_tensor_pool_free(HypTensorPool *pool)
{
    if (!pool)
        return;
    assert(pool->running_count == 0);
    while (pool->expired)
        hyperionFreeTensor(pool->expired->tensor);
    hyp_block_heap_clear(&pool->heap);
    free(pool);
}

static void link_lease(HypLease **first, HypLease *lease)
{
    lease->previous = NULL;
    lease->next = *first;
    if (*first)
        (*first)->previous = lease;
    *first = lease;
}

static void unlink_lease(HypLease **first, HypLease *lease)
{
    if (lease->previous)
        lease->previous->next = lease->next;
    else
        *first = lease->next;
    if (lease->next)
        lease->next->previous = lease->previous;
}

static void give_memory(HypTensorPool *pool, HypLease *lease)
{
    hyp_block_give(&pool->heap, lease->memory);
    lease->memory = NULL;
}

// A tensor is freed while its function runs.
static void take_back(HypLease *lease)
{
    Frame *frame = lease->owner;
    hyp_platform_lock(&frame->pool->lock);
    unlink_lease(&frame->leases, lease);
    give_memory(frame->pool, lease);
    hyp_platform_unlock(&frame->pool->lock);
}

static void take_back_expired(HypLease *lease)
{
    HypTensorPool *pool = lease->owner;
    hyp_platform_lock(&pool->lock);
    unlink_lease(&pool->expired, lease);
    hyp_platform_unlock(&pool->lock);
}

static void count_lent(HypTensorPool *pool, size_t size_bytes, bool reused)
{
    pool->lend_count++;
    pool->reuse_count += reused;
    pool->round_bytes += size_bytes;
    if (pool->round_bytes > pool->naive_bytes)
        pool->naive_bytes = pool->round_bytes;
    if (pool->heap.held_bytes > pool->peak_bytes)
        pool->peak_bytes = pool->heap.held_bytes;
}

static void *lend(HypTensorSource *source, HypLease *lease, size_t size_bytes)
{
    Frame *frame = (Frame *)source;
    HypTensorPool *pool = frame->pool;
    bool reused;
    hyp_platform_lock(&pool->lock);
    HypBlock *block = hyp_block_take(&pool->heap, size_bytes, &reused);
    if (block) {
        lease->take_back = take_back;
        lease->owner = frame;
        lease->memory = block;
        link_lease(&frame->leases, lease);
        count_lent(pool, block->size_bytes, reused);
    }
    hyp_platform_unlock(&pool->lock);
    return block ? block->data : NULL;
}

// The frame is about to be gone: what it still has becomes the pool's.
static void expire_leases(Frame *frame)
{
    HypTensorPool *pool = frame->pool;
    while (frame->leases) {
        HypLease *lease = frame->leases;
        unlink_lease(&frame->leases, lease);
        hyp_tensor_expire(lease->tensor);
        give_memory(pool, lease);
        lease->take_back = take_back_expired;
        lease->owner = pool;
        link_lease(&pool->expired, lease);
    }
}

bool hyp_tensor_pool_run(HypTensorPool *pool, bool (*func)(void *user_data), void *user_data)
{
    Frame frame = {.source = {.lend = lend}, .pool = pool};
    hyp_platform_lock(&pool->lock);
    if (pool->running_count++ == 0)
        pool->round_bytes = 0;
    hyp_platform_unlock(&pool->lock);
    HypTensorSource *before = hyp_tensor_source_set(&frame.source);
    const bool succeeded = func(user_data);
    (void)hyp_tensor_source_set(before);
    hyp_platform_lock(&pool->lock);
    expire_leases(&frame);
    pool->running_count--;
    hyp_platform_unlock(&pool->lock);
    return succeeded;
}

bool hyp_tensor_pool_is_running(HypTensorPool *pool)
{
    hyp_platform_lock(&pool->lock);
    const bool is_running = pool->running_count > 0;
    hyp_platform_unlock(&pool->lock);
    return is_running;
}

HypPoolFacts hyp_tensor_pool_facts(HypTensorPool *pool)
{
    hyp_platform_lock(&pool->lock);
    const HypBlockHeap *heap = &pool->heap;
    HypPoolFacts facts = {.held_bytes = heap->held_bytes,
                          .peak_bytes = pool->peak_bytes,
                          .naive_bytes = pool->naive_bytes,
                          .lend_count = pool->lend_count,
                          .reuse_count = pool->reuse_count};
    if (heap->free_bytes)
        facts.fragmentation =
            1 - (double)hyp_block_heap_largest_free(heap) / (double)heap->free_bytes;
    hyp_platform_unlock(&pool->lock);
    return facts;
}
