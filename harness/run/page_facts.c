// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "run/page_facts.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Reading {
    uintptr_t first, last; // of what is asked for; equal: all anonymous memory
    bool inside;           // the present mapping belongs to it
    PageFacts *facts;
} Reading;

// Address space that a sanitizer or a runtime reserves: asking for each page would take hours.
static bool is_larger_than_memory(uintptr_t first, uintptr_t last)
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 && (last - first) / (uintptr_t)page_bytes > (uintptr_t)pages;
}

static void count_nodes(const Reading *reading, uintptr_t first, uintptr_t last)
{
    if (reading->first < reading->last) {
        first = first > reading->first ? first : reading->first;
        last = last < reading->last ? last : reading->last;
    }
    void *start;
    memcpy(&start, &first, sizeof start);
    reading->facts->knows_nodes &=
        memory_policy_count(start, last - first, reading->facts->node_bytes);
}

// A mapping begins with "55d0-55e0 rw-p 00000000 00:00 0  [heap]".
static bool begin_mapping(Reading *reading, const char *line)
{
    uintptr_t first = 0;
    uintptr_t last = 0;
    char permissions[8];
    unsigned long inode = 0;
    if (sscanf(line, "%zx-%zx %7s %*s %*s %lu", &first, &last, permissions, &inode) != 4)
        return false;
    if (reading->first < reading->last)
        reading->inside = first < reading->last && last > reading->first;
    else
        reading->inside = inode == 0 && strncmp(permissions, "rw-p", 4) == 0;
    if (reading->inside && !is_larger_than_memory(first, last))
        count_nodes(reading, first, last);
    return true;
}

static void add_kib(double *bytes, size_t kib)
{
    *bytes = (isnan(*bytes) ? 0 : *bytes) + 1024.0 * (double)kib;
}

static void read_line(Reading *reading, const char *line)
{
    size_t kib = 0;
    if (begin_mapping(reading, line) || !reading->inside)
        return;
    if (sscanf(line, "AnonHugePages: %zu kB", &kib) == 1)
        add_kib(&reading->facts->anonymous_huge_bytes, kib);
    else if (sscanf(line, "Private_Hugetlb: %zu kB", &kib) == 1)
        add_kib(&reading->facts->hugetlb_bytes, kib);
}

void page_facts_read(const void *start, size_t size_bytes, const char *smaps, PageFacts *facts)
{
    *facts = (PageFacts){.anonymous_huge_bytes = NAN, .hugetlb_bytes = NAN, .knows_nodes = true};
    Reading reading = {
        .first = (uintptr_t)start, .last = (uintptr_t)start + size_bytes, .facts = facts};
    // The text is only read; fmemopen wants it writable.
    FILE *file = smaps ? fmemopen((void *)(uintptr_t)smaps, strlen(smaps), "r")
                       : fopen("/proc/self/smaps", "re");
    char *line = NULL;
    size_t line_bytes = 0;
    while (file && getline(&line, &line_bytes, file) > 0)
        read_line(&reading, line);
    free(line);
    if (file)
        (void)fclose(file);
    else
        facts->knows_nodes = false;
}
