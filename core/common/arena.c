// SPDX-License-Identifier: Apache-2.0
#include "common/arena.h"

#include "common/fail.h"
#include "common/size_math.h"

#include <stdalign.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 16 * 1024 };

struct HypArenaBlock {
    HypArenaBlock *next;
    size_t size_bytes;
    alignas(max_align_t) unsigned char bytes[];
};

static HypArenaBlock *add_block(HypArena *arena, size_t size_bytes)
{
    const size_t room_bytes = size_bytes > BLOCK_BYTES ? size_bytes : BLOCK_BYTES;
    HypArenaBlock *block = NULL;
    size_t total_bytes;
    if (hyp_size_add(room_bytes, sizeof *block, &total_bytes))
        block = calloc(1, total_bytes);
    if (!block)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "no memory for %zu bytes", room_bytes);
    *block = (HypArenaBlock){.next = arena->blocks, .size_bytes = room_bytes};
    arena->blocks = block;
    arena->free_bytes = room_bytes;
    return block;
}

void *hyp_arena_allocate(HypArena *arena, size_t count, size_t item_bytes)
{
    size_t size_bytes;
    if (!hyp_size_multiply(count, item_bytes, &size_bytes) ||
        !hyp_size_round_up(size_bytes, alignof(max_align_t), &size_bytes))
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "%zu items of %zu bytes are too many", count,
                             item_bytes);
    HypArenaBlock *block = arena->blocks;
    if (!block || size_bytes > arena->free_bytes)
        block = add_block(arena, size_bytes);
    if (!block)
        return NULL;
    unsigned char *place = block->bytes + (block->size_bytes - arena->free_bytes);
    arena->free_bytes -= size_bytes;
    return place;
}

void hyp_arena_free(HypArena *arena)
{
    while (arena->blocks) {
        HypArenaBlock *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    *arena = (HypArena){0};
}
