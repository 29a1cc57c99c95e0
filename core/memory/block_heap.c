// SPDX-License-Identifier: Apache-2.0
#include "memory/block_heap.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "platform/platform.h"

#include <assert.h>
#include <stdlib.h>

static int find_class(size_t size_bytes)
{
    return 63 - __builtin_clzll(size_bytes);
}

static bool is_whole_slab(const HypBlock *block)
{
    return !block->below && !block->above;
}

static void link_free(HypBlockHeap *heap, HypBlock *block)
{
    HypBlock **first = &heap->free_blocks[find_class(block->size_bytes)];
    block->is_free = true;
    block->previous = NULL;
    block->next = *first;
    if (*first)
        (*first)->previous = block;
    *first = block;
    heap->free_bytes += block->size_bytes;
    if (is_whole_slab(block))
        heap->idle_bytes += block->size_bytes;
}

static void unlink_free(HypBlockHeap *heap, HypBlock *block)
{
    if (block->previous)
        block->previous->next = block->next;
    else
        heap->free_blocks[find_class(block->size_bytes)] = block->next;
    if (block->next)
        block->next->previous = block->previous;
    block->is_free = false;
    heap->free_bytes -= block->size_bytes;
    if (is_whole_slab(block))
        heap->idle_bytes -= block->size_bytes;
}

// A slab, all of it one block that is in use, back to the platform.
static void release_slab(HypBlockHeap *heap, HypBlock *block)
{
    assert(is_whole_slab(block) && !block->is_free);
    heap->held_bytes -= block->size_bytes;
    hyp_platform_release(block->data);
    free(block);
}

// The smallest of a class that is large enough.
static HypBlock *find_in_class(HypBlock *first, size_t size_bytes)
{
    HypBlock *best = NULL;
    for (HypBlock *block = first; block; block = block->next)
        if (block->size_bytes >= size_bytes && (!best || block->size_bytes < best->size_bytes))
            best = block;
    return best;
}

static HypBlock *find_best(const HypBlockHeap *heap, size_t size_bytes)
{
    for (int i = find_class(size_bytes); i < HYP_BLOCK_CLASSES; i++) {
        HypBlock *best = find_in_class(heap->free_blocks[i], size_bytes);
        if (best)
            return best;
    }
    return NULL;
}

// Takes the lower part of a free block; what is left above stays free.
static bool take_part(HypBlockHeap *heap, HypBlock *block, size_t size_bytes)
{
    HypBlock *rest = NULL;
    if (block->size_bytes > size_bytes) {
        rest = calloc(1, sizeof *rest);
        if (!rest)
            return hyp_fail(HYPERION_ERROR_MEMORY, "split a block: out of memory");
    }
    unlink_free(heap, block);
    if (rest) {
        *rest = (HypBlock){.below = block,
                           .above = block->above,
                           .data = block->data + size_bytes,
                           .size_bytes = block->size_bytes - size_bytes};
        if (block->above)
            block->above->below = rest;
        block->above = rest;
        block->size_bytes = size_bytes;
        link_free(heap, rest);
    }
    return true;
}

// Gives slabs that lie idle back to the platform until `size_bytes` more keep within the budget.
static void make_room(HypBlockHeap *heap, size_t size_bytes)
{
    for (int i = 0; i < HYP_BLOCK_CLASSES; i++)
        for (HypBlock *block = heap->free_blocks[i], *next; block; block = next) {
            next = block->next;
            if (heap->budget_bytes - heap->held_bytes >= size_bytes)
                return;
            if (is_whole_slab(block)) {
                unlink_free(heap, block);
                release_slab(heap, block);
            }
        }
}

// Makes room for a slab within the budget, if giving back what lies idle is enough.
static bool fit_into_budget(HypBlockHeap *heap, size_t size_bytes)
{
    if (!heap->budget_bytes)
        return true;
    const size_t room_bytes = heap->budget_bytes - (heap->held_bytes - heap->idle_bytes);
    if (size_bytes > room_bytes) {
        const size_t largest_bytes = hyp_block_heap_largest_free(heap);
        return hyp_fail(HYPERION_ERROR_MEMORY,
                        "tensor: %zu bytes needed, %zu available, budget %zu", size_bytes,
                        largest_bytes > room_bytes ? largest_bytes : room_bytes,
                        heap->budget_bytes);
    }
    make_room(heap, size_bytes);
    return true;
}

static HypBlock *create_slab(HypBlockHeap *heap, size_t size_bytes)
{
    if (!fit_into_budget(heap, size_bytes))
        return NULL;
    HypBlock *block = calloc(1, sizeof *block);
    if (!block)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "tensor: out of memory");
    *block = (HypBlock){.data = hyp_platform_allocate(size_bytes, HYP_BLOCK_BYTES),
                        .size_bytes = size_bytes};
    if (!block->data) {
        free(block);
        return NULL;
    }
    heap->held_bytes += size_bytes;
    return block;
}

HypBlock *hyp_block_take(HypBlockHeap *heap, size_t size_bytes, bool *reused)
{
    size_t rounded_bytes;
    if (!hyp_size_round_up(size_bytes ? size_bytes : 1, HYP_BLOCK_BYTES, &rounded_bytes))
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "tensor: %zu bytes are too many", size_bytes);
    HypBlock *block = find_best(heap, rounded_bytes);
    *reused = block != NULL;
    if (!block)
        return create_slab(heap, rounded_bytes);
    return take_part(heap, block, rounded_bytes) ? block : NULL;
}

// Joins `lower` and the block above it; neither is in a list.
static void join_above(HypBlock *lower)
{
    HypBlock *upper = lower->above;
    assert(lower->data + lower->size_bytes == upper->data);
    lower->size_bytes += upper->size_bytes;
    lower->above = upper->above;
    if (upper->above)
        upper->above->below = lower;
    free(upper);
}

void hyp_block_give(HypBlockHeap *heap, HypBlock *block)
{
    assert(!block->is_free);
    if (heap->keeps_nothing) {
        release_slab(heap, block);
        return;
    }
    if (block->above && block->above->is_free) {
        unlink_free(heap, block->above);
        join_above(block);
    }
    if (block->below && block->below->is_free) {
        block = block->below;
        unlink_free(heap, block);
        join_above(block);
    }
    link_free(heap, block);
}

size_t hyp_block_heap_largest_free(const HypBlockHeap *heap)
{
    size_t largest_bytes = 0;
    for (int i = HYP_BLOCK_CLASSES; i-- > 0 && largest_bytes == 0;)
        for (const HypBlock *block = heap->free_blocks[i]; block; block = block->next)
            if (block->size_bytes > largest_bytes)
                largest_bytes = block->size_bytes;
    return largest_bytes;
}

void hyp_block_heap_clear(HypBlockHeap *heap)
{
    assert(heap->free_bytes == heap->held_bytes && heap->idle_bytes == heap->held_bytes);
    for (int i = 0; i < HYP_BLOCK_CLASSES; i++)
        for (HypBlock *block = heap->free_blocks[i], *next; block; block = next) {
            next = block->next;
            unlink_free(heap, block);
            release_slab(heap, block);
        }
}
