// SPDX-License-Identifier: Apache-2.0
// counted_allocations.h - counts what the library allocates, where it asks the system for it, and
// makes the n-th allocation fail. For one file of a program that wraps hyp_platform_allocate,
// hyp_platform_release, malloc, calloc, realloc and free.
#ifndef TEST_COUNTED_ALLOCATIONS_H
#define TEST_COUNTED_ALLOCATIONS_H

#include "platform/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST_BLOCKS = 4096 };

// Memory from hyp_platform_allocate that was not released.
static struct {
    void *memory;
    size_t size_bytes;
} blocks[MOST_BLOCKS];
static size_t held_bytes, peak_bytes;
static int64_t live_count;    // allocations not yet freed, of any kind
static int64_t until_failure; // allocations that still succeed; negative: all do

void *__real_hyp_platform_allocate(size_t size_bytes, size_t alignment);
void __real_hyp_platform_release(void *memory);
void *__real_malloc(size_t size_bytes);
void *__real_calloc(size_t count, size_t size_bytes);
void *__real_realloc(void *memory, size_t size_bytes);
void __real_free(void *memory);
void *__wrap_hyp_platform_allocate(size_t size_bytes, size_t alignment);
void __wrap_hyp_platform_release(void *memory);
void *__wrap_malloc(size_t size_bytes);
void *__wrap_calloc(size_t count, size_t size_bytes);
void *__wrap_realloc(void *memory, size_t size_bytes);
void __wrap_free(void *memory);

static bool is_to_fail(void)
{
    return until_failure >= 0 && until_failure-- == 0;
}

static void *count_live(void *memory)
{
    live_count += memory != NULL;
    return memory;
}

// The block of that memory, of NULL a free one.
static int find_block(const void *memory)
{
    for (int i = 0; i < MOST_BLOCKS; i++)
        if (blocks[i].memory == memory)
            return i;
    fail_msg("more than %d blocks", MOST_BLOCKS);
    return 0;
}

void *__wrap_hyp_platform_allocate(size_t size_bytes, size_t alignment)
{
    void *memory = count_live(
        __real_hyp_platform_allocate(is_to_fail() ? SIZE_MAX - 1 : size_bytes, alignment));
    if (!memory)
        return NULL;
    const int block = find_block(NULL);
    blocks[block].memory = memory;
    blocks[block].size_bytes = size_bytes;
    held_bytes += size_bytes;
    peak_bytes = held_bytes > peak_bytes ? held_bytes : peak_bytes;
    return memory;
}

void __wrap_hyp_platform_release(void *memory)
{
    if (!memory)
        return;
    const int block = find_block(memory);
    held_bytes -= blocks[block].size_bytes;
    blocks[block].memory = NULL; // free() counts that it lives no more
    __real_hyp_platform_release(memory);
}

void *__wrap_malloc(size_t size_bytes)
{
    return is_to_fail() ? NULL : count_live(__real_malloc(size_bytes));
}

void *__wrap_calloc(size_t count, size_t size_bytes)
{
    return is_to_fail() ? NULL : count_live(__real_calloc(count, size_bytes));
}

void *__wrap_realloc(void *memory, size_t size_bytes)
{
    if (is_to_fail())
        return NULL;
    live_count -= memory != NULL;
    return count_live(__real_realloc(memory, size_bytes));
}

void __wrap_free(void *memory)
{
    live_count -= memory != NULL;
    __real_free(memory);
}

#endif
