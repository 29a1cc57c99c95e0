// SPDX-License-Identifier: Apache-2.0
// sections.h - the steps at which most buffers are needed: between two of them nothing begins
// before something has ended. Fewer than buffers, and enough to plan by.
#ifndef HYP_SECTIONS_H
#define HYP_SECTIONS_H

#include "hyperion/planners.h"

// Sections first <= section < end need a buffer; none for one that is never needed or has no bytes.
typedef struct HypSpan {
    int first, end;
} HypSpan;

typedef struct HypSections {
    int count;
    HypSpan *spans;     // by buffer
    size_t *live_bytes; // by section: the sizes of those it needs
} HypSections;

// False, last error set, on an interval that ends before it begins, sums of sizes that do not fit
// in a size, more buffers than an int can count, or when out of memory.
bool hyp_sections_create(HypSections *sections, const HyperionBuffer *buffers, size_t count);
void hyp_sections_free(HypSections *sections);

// The most of live_bytes.
size_t hyp_sections_lower_bound(const HypSections *sections);

#endif
