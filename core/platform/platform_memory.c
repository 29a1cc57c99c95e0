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
void *hyp_platform_map(size_t size_bytes)
{
    void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "allocate: no memory for %zu bytes",
                             size_bytes);
    return memory;
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
