// SPDX-License-Identifier: Apache-2.0
// arena.h - many small allocations that are freed together.
#ifndef HYP_ARENA_H
#define HYP_ARENA_H

#include <stddef.h>

typedef struct HypArenaBlock HypArenaBlock;

// All zero is an empty arena.
typedef struct HypArena {
    HypArenaBlock *blocks;
    size_t free_bytes; // in the first block
} HypArena;

// `count` items of `item_bytes`, zeroed, aligned for any type; not NULL for 0 items. NULL, last
// error set, when out of memory.
void *hyp_arena_allocate(HypArena *arena, size_t count, size_t item_bytes);

void hyp_arena_free(HypArena *arena);

#endif
