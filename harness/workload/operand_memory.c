// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "workload/operand_memory.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const size_t huge_page_bytes = 2 << 20;
static const size_t line_bytes = 64;
// Distance in lines by which the start of the next array moves within its page; odd, so that more
// arrays than a kernel has all differ.
static const size_t stagger_lines = 5;

static size_t round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

bool operand_memory_open(OperandMemory *memory, size_t size_bytes, bool huge_pages,
                         Problem *problem)
{
    *memory = (OperandMemory){0};
    if (size_bytes > SIZE_MAX / 2)
        return problem_set(problem, "operands of %zu bytes are larger than the address space",
                           size_bytes);
    const size_t wanted = round_up(size_bytes + 1, huge_page_bytes);
    const size_t mapped = wanted + huge_page_bytes;
    char *start = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return problem_set(problem, "operands: mapping %zu bytes: %s", mapped, strerror(errno));
    // What lies before and after the aligned part goes back.
    const size_t before = (size_t)(-(uintptr_t)start & (huge_page_bytes - 1));
    if (before > 0)
        (void)munmap(start, before);
    (void)munmap(start + before + wanted, mapped - before - wanted);
    memory->base = start + before;
    memory->size_bytes = wanted;
    // A kernel without transparent huge pages gives 4 KiB pages anyway.
    if (madvise(memory->base, wanted, huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0 &&
        huge_pages) {
        (void)problem_set(problem, "pages thp: this kernel has no transparent huge pages: %s",
                          strerror(errno));
        operand_memory_close(memory);
        return false;
    }
    memset(memory->base, 0, wanted);
    return true;
}

void operand_memory_close(OperandMemory *memory)
{
    if (memory->base)
        (void)munmap(memory->base, memory->size_bytes);
    *memory = (OperandMemory){0};
}

size_t operand_memory_need(size_t size_bytes)
{
    // Whole pages, so that the stagger alone says where in a page the next array starts.
    const size_t page_bytes = 4096;
    return round_up(size_bytes, page_bytes) + stagger_lines * line_bytes;
}

void *operand_memory_take(OperandMemory *memory, size_t size_bytes)
{
    const size_t need = operand_memory_need(size_bytes);
    assert(need <= memory->size_bytes - memory->used_bytes);
    void *array = memory->base + memory->used_bytes;
    memory->used_bytes += need;
    return array;
}

double operand_memory_huge_bytes(const OperandMemory *memory)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    if (!maps)
        return NAN;
    char line[512];
    double bytes = NAN;
    bool inside = false;
    const uintptr_t base = (uintptr_t)memory->base;
    while (fgets(line, sizeof line, maps)) {
        uintptr_t first = 0;
        uintptr_t last = 0;
        size_t kib = 0;
        // A mapping begins with its range in hexadecimal; its facts are "Name: value kB".
        if (sscanf(line, "%zx-%zx ", &first, &last) == 2)
            inside = first < base + memory->size_bytes && last > base;
        else if (inside && sscanf(line, "AnonHugePages: %zu kB", &kib) == 1)
            bytes = (isnan(bytes) ? 0 : bytes) + 1024.0 * (double)kib;
    }
    (void)fclose(maps);
    return bytes;
}
