// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "workload/operand_memory.h"

#include "machine/sysroot.h"

#include <assert.h>
#include <errno.h>
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

static bool map_reserved(OperandMemory *memory, size_t wanted, Problem *problem)
{
    static const char free_pages[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
    const int size_of_2_mib = 21 << 26; // MAP_HUGE_2MB: the logarithm above MAP_HUGE_SHIFT
    char *start = mmap(NULL, wanted, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | size_of_2_mib, -1, 0);
    if (start == MAP_FAILED) {
        const int error = errno;
        char count[64];
        const bool known = sysroot_read("", free_pages, count, sizeof count);
        return problem_set(problem, "pages hugetlb: %zu pages of 2 MiB wanted, %s free: %s",
                           wanted / huge_page_bytes, known ? count : "none is known to be",
                           strerror(error));
    }
    memory->base = start;
    memory->size_bytes = wanted;
    return true;
}

static bool forbids_huge_pages(char *setting, size_t setting_bytes)
{
    return sysroot_read("", "/sys/kernel/mm/transparent_hugepage/enabled", setting,
                        setting_bytes) &&
           strstr(setting, "[never]");
}

static bool advise(const OperandMemory *memory, bool huge_pages, Problem *problem)
{
    char setting[128];
    if (huge_pages && forbids_huge_pages(setting, sizeof setting))
        return problem_set(problem, "pages thp: transparent_hugepage/enabled is '%s'", setting);
    // A kernel without transparent huge pages gives 4 KiB pages anyway.
    return madvise(memory->base, memory->size_bytes,
                   huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0 ||
           !huge_pages ||
           problem_set(problem, "pages thp: this kernel has no transparent huge pages: %s",
                       strerror(errno));
}

bool operand_memory_open(OperandMemory *memory, size_t size_bytes, OperandPages pages,
                         Problem *problem)
{
    *memory = (OperandMemory){0};
    if (size_bytes > SIZE_MAX / 2)
        return problem_set(problem, "operands of %zu bytes are larger than the address space",
                           size_bytes);
    const size_t wanted = round_up(size_bytes + 1, huge_page_bytes);
    if (pages == OPERAND_PAGES_RESERVED)
        return map_reserved(memory, wanted, problem);
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
    if (advise(memory, pages == OPERAND_PAGES_TRANSPARENT, problem))
        return true;
    operand_memory_close(memory);
    return false;
}

void operand_memory_close(OperandMemory *memory)
{
    if (memory->base)
        (void)munmap(memory->base, memory->size_bytes);
    *memory = (OperandMemory){0};
}

size_t operand_memory_need(size_t size_bytes)
{
    // Whole pages, so that the stagger alone says where in a page the next array starts; for arrays
    // smaller than one, whole lines, or a thousand copies of a tiny one would fill the memory.
    const size_t page_bytes = 4096;
    return round_up(size_bytes, size_bytes < page_bytes ? line_bytes : page_bytes) +
           stagger_lines * line_bytes;
}

void *operand_memory_take(OperandMemory *memory, size_t size_bytes)
{
    const size_t need = operand_memory_need(size_bytes);
    assert(need <= memory->size_bytes - memory->used_bytes);
    void *array = memory->base + memory->used_bytes;
    memory->used_bytes += need;
    return array;
}
