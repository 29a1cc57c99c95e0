// SPDX-License-Identifier: Apache-2.0
// page_facts.h - on which pages memory came to lie, as the kernel tells.
#ifndef HYP_PAGE_FACTS_H
#define HYP_PAGE_FACTS_H

#include "run/memory_policy.h"

#include <stdbool.h>

typedef struct PageFacts {
    double anonymous_huge_bytes; // transparent huge pages; NAN unknown
    double hugetlb_bytes;        // reserved huge pages; NAN unknown
    bool knows_nodes;
    double node_bytes[MEMORY_MOST_NODES]; // pages that are there, by NUMA node
} PageFacts;

// Of the mappings that touch [start, start + size_bytes), the nodes of that range alone; with
// size_bytes 0 of all private anonymous memory that can be written: heap, stacks, mappings, but for
// those that are larger than the machine's memory.
// `smaps`: the text of /proc/self/smaps; NULL reads it.
void page_facts_read(const void *start, size_t size_bytes, const char *smaps, PageFacts *facts);

#endif
