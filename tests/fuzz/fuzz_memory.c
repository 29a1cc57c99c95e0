// SPDX-License-Identifier: Apache-2.0
// The heap as the linker's --wrap lets it be counted, and files that are never on a disk.
#define _GNU_SOURCE
#include "fuzz/fuzz.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_size_t current_bytes;
static atomic_size_t peak_bytes;

void *__real_malloc(size_t size_bytes);
void *__real_calloc(size_t count, size_t item_bytes);
void *__real_realloc(void *memory, size_t size_bytes);
void *__real_aligned_alloc(size_t alignment, size_t size_bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t size_bytes);
void *__wrap_calloc(size_t count, size_t item_bytes);
void *__wrap_realloc(void *memory, size_t size_bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t size_bytes);
void __wrap_free(void *memory);

static void *count_in(void *memory)
{
    if (memory) {
        const size_t now = atomic_fetch_add(&current_bytes, malloc_usable_size(memory)) +
                           malloc_usable_size(memory);
        if (now > peak_bytes)
            peak_bytes = now;
    }
    return memory;
}

static void count_out(void *memory)
{
    if (memory)
        atomic_fetch_sub(&current_bytes, malloc_usable_size(memory));
}

void *__wrap_malloc(size_t size_bytes)
{
    return count_in(__real_malloc(size_bytes));
}

void *__wrap_calloc(size_t count, size_t item_bytes)
{
    return count_in(__real_calloc(count, item_bytes));
}

void *__wrap_realloc(void *memory, size_t size_bytes)
{
    const size_t before_bytes = memory ? malloc_usable_size(memory) : 0;
    void *moved = __real_realloc(memory, size_bytes);
    if (moved)
        atomic_fetch_sub(&current_bytes, before_bytes);
    return count_in(moved);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size_bytes)
{
    return count_in(__real_aligned_alloc(alignment, size_bytes));
}

void __wrap_free(void *memory)
{
    count_out(memory);
    __real_free(memory);
}

size_t fuzz_memory_bytes(void)
{
    return current_bytes;
}

size_t fuzz_peak_bytes(void)
{
    return peak_bytes;
}

void fuzz_reset_peak(void)
{
    peak_bytes = current_bytes;
}

const char *fuzz_put_file(const uint8_t *bytes, size_t count)
{
    static int descriptor = -1;
    static char path[64];
    if (descriptor < 0) {
        descriptor = memfd_create("fuzz", MFD_CLOEXEC);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    }
    if (descriptor < 0 || ftruncate(descriptor, 0) != 0 ||
        pwrite(descriptor, bytes, count, 0) != (ssize_t)count) {
        perror("fuzz");
        exit(1);
    }
    return path;
}
