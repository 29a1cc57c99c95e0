// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "workload/model_pages.h"

#include "machine/sysroot.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static const uintptr_t huge_page_bytes = 2 << 20;
enum { ADVICE_COLLAPSE = 25 }; // MADV_COLLAPSE of Linux 6.1; headers may be older

typedef struct Ranges {
    uintptr_t (*items)[2]; // first and end
    size_t count, capacity;
} Ranges;

bool model_pages_prepare(OperandPages pages, Problem *problem)
{
    const bool huge = pages == OPERAND_PAGES_TRANSPARENT;
    char setting[128];
    if (huge &&
        sysroot_read("", "/sys/kernel/mm/transparent_hugepage/enabled", setting, sizeof setting) &&
        strstr(setting, "[never]"))
        return problem_set(problem, "pages thp: transparent_hugepage/enabled is '%s'", setting);
    return prctl(PR_SET_THP_DISABLE, huge ? 0 : 1, 0, 0, 0) == 0 || !huge ||
           problem_set(problem, "pages thp: this kernel has no transparent huge pages: %s",
                       strerror(errno));
}

static bool add_range(Ranges *ranges, uintptr_t first, uintptr_t end)
{
    if (ranges->count == ranges->capacity) {
        const size_t wanted = ranges->capacity ? 2 * ranges->capacity : 64;
        void *grown = realloc(ranges->items, wanted * sizeof *ranges->items);
        if (!grown)
            return false;
        ranges->items = grown;
        ranges->capacity = wanted;
    }
    ranges->items[ranges->count][0] = first;
    ranges->items[ranges->count++][1] = end;
    return true;
}

// The whole huge pages in private anonymous mappings that can be written; stacks are none of it.
static bool list_ranges(Ranges *ranges)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t line_bytes = 0;
    bool good = file != NULL;
    while (good && getline(&line, &line_bytes, file) > 0) {
        uintptr_t first = 0;
        uintptr_t end = 0;
        char permissions[8];
        unsigned long inode = 0;
        if (sscanf(line, "%zx-%zx %7s %*s %*s %lu", &first, &end, permissions, &inode) != 4 ||
            inode != 0 || strncmp(permissions, "rw-p", 4) != 0 || strstr(line, "[stack"))
            continue;
        first = (first + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
        end = end / huge_page_bytes * huge_page_bytes;
        good = end <= first || add_range(ranges, first, end);
    }
    free(line);
    if (file)
        (void)fclose(file);
    return good;
}

bool model_pages_collapse(Problem *problem)
{
    Ranges ranges = {0};
    bool collapsed = list_ranges(&ranges) ||
                     problem_set(problem, "pages thp: the memory of this process is not told");
    for (size_t i = 0; collapsed && i < ranges.count; i++) {
        void *start;
        memcpy(&start, &ranges.items[i][0], sizeof start);
        const size_t bytes = ranges.items[i][1] - ranges.items[i][0];
        // EAGAIN, ENOMEM: no huge page was free for some of it; what was got is read back.
        collapsed = (madvise(start, bytes, MADV_HUGEPAGE) == 0 &&
                     (madvise(start, bytes, ADVICE_COLLAPSE) == 0 || errno == EAGAIN ||
                      errno == ENOMEM || errno == EBUSY)) ||
                    problem_set(problem, "pages thp: this kernel moves nothing to huge pages: %s",
                                strerror(errno));
    }
    free(ranges.items);
    return collapsed;
}
