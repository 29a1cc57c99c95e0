// SPDX-License-Identifier: Apache-2.0
// block_heap.h - blocks of memory by best fit, split and joined again, within a budget. Memory
// comes from the platform in slabs, each as large as the block that asked for it. One thread at a
// time.
#ifndef HYP_BLOCK_HEAP_H
#define HYP_BLOCK_HEAP_H

#include <stdbool.h>
#include <stddef.h>

enum { HYP_BLOCK_BYTES = 64, HYP_BLOCK_CLASSES = 64 }; // sizes and places are multiples

typedef struct HypBlock {
    struct HypBlock *below, *above;   // neighbours in the slab; NULL at its ends
    struct HypBlock *previous, *next; // free ones of its class
    char *data;
    size_t size_bytes;
    bool is_free;
} HypBlock;

// All zero is an empty one without a budget.
typedef struct HypBlockHeap {
    HypBlock *free_blocks[HYP_BLOCK_CLASSES]; // by the highest bit of their size
    size_t held_bytes;                        // of all slabs
    size_t free_bytes;                        // of them
    size_t idle_bytes;                        // of slabs that are free as a whole
    size_t budget_bytes;                      // held_bytes is never more; 0: none
    bool keeps_nothing;                       // blocks go back to the platform at once
} HypBlockHeap;

// A block of at least `size_bytes` (may be 0); *reused where it was in use before. NULL, last error
// set, when out of memory or past the budget.
HypBlock *hyp_block_take(HypBlockHeap *heap, size_t size_bytes, bool *reused);
void hyp_block_give(HypBlockHeap *heap, HypBlock *block);

size_t hyp_block_heap_largest_free(const HypBlockHeap *heap);

// All blocks are free.
void hyp_block_heap_clear(HypBlockHeap *heap);

#endif
