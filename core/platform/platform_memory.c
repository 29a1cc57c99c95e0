// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "platform/platform.h"

#include "common/fail.h"
#include "common/size_math.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

void *hyp_platform_allocate(size_t size_bytes, size_t alignment)
{
    assert(alignment >= 64 && (alignment & (alignment - 1)) == 0);
    size_t rounded_bytes; // aligned_alloc wants a multiple, and 0 might give NULL
    if (!hyp_size_round_up(size_bytes ? size_bytes : 1, alignment, &rounded_bytes))
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "allocate: %zu bytes are too many", size_bytes);
    void *memory = aligned_alloc(alignment, rounded_bytes);
    if (!memory)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "allocate: no memory for %zu bytes",
                             rounded_bytes);
    return memory;
}

void hyp_platform_release(void *memory)
{
    free(memory);
}

// Present at once: a read into fresh pages is several times slower than into such.
static void populate(char *memory, size_t size_bytes)
{
    static const size_t page_bytes = 4096;
    if (madvise(memory, size_bytes, MADV_POPULATE_WRITE) == 0)
        return;
    for (size_t i = 0; i < size_bytes; i += page_bytes)
        *(volatile char *)(memory + i) = 0;
}

// Reserves addresses that begin at a multiple of a huge page where the memory holds such.
static char *reserve(size_t size_bytes)
{
    const size_t slack_bytes = size_bytes >= HYP_HUGE_PAGE_BYTES ? HYP_HUGE_PAGE_BYTES : 0;
    if (size_bytes > SIZE_MAX - slack_bytes)
        return MAP_FAILED;
    char *memory = mmap(NULL, size_bytes + slack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || !slack_bytes)
        return memory;
    const size_t before_bytes = -(uintptr_t)memory % slack_bytes;
    if (before_bytes)
        (void)munmap(memory, before_bytes);
    memory += before_bytes;
    if (slack_bytes > before_bytes)
        (void)munmap(memory + size_bytes, slack_bytes - before_bytes);
    return memory;
}

void *hyp_platform_map(size_t size_bytes)
{
    char *memory = reserve(size_bytes);
    if (memory == MAP_FAILED)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "allocate: no memory for %zu bytes",
                             size_bytes);
    // All of it: advice for a part would split the mapping, and mremap moves no split ones.
    if (size_bytes >= HYP_HUGE_PAGE_BYTES)
        (void)madvise(memory, size_bytes, MADV_HUGEPAGE);
    populate(memory, size_bytes);
    return memory;
}

void *hyp_platform_remap(void *memory, size_t old_bytes, size_t size_bytes)
{
    char *moved = mremap(memory, old_bytes, size_bytes, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "allocate: no memory for %zu bytes",
                             size_bytes);
    if (size_bytes > old_bytes)
        populate(moved + old_bytes, size_bytes - old_bytes);
    return moved;
}

void hyp_platform_unmap(void *memory, size_t size_bytes)
{
    if (memory)
        (void)munmap(memory, size_bytes);
}

void hyp_platform_prefer_huge_pages(void *memory, size_t size_bytes)
{
    const size_t whole_bytes = size_bytes / HYP_HUGE_PAGE_BYTES * HYP_HUGE_PAGE_BYTES;
    if (whole_bytes > 0)
        (void)madvise(memory, whole_bytes, MADV_HUGEPAGE);
}
