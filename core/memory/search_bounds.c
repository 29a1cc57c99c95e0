// SPDX-License-Identifier: Apache-2.0
#include "memory/search_bounds.h"

#include "common/fail.h"

#include <stdlib.h>

static bool are_twins(const HypSearchItem *a, const HypSearchItem *b)
{
    return a->first == b->first && a->end == b->end && a->size == b->size &&
           a->alignment == b->alignment;
}

static void fill_items(HypSearchBounds *bounds, const HypPlacement *placement, size_t unit)
{
    for (size_t i = 0; i < placement->count; i++) {
        const HyperionBuffer *buffer = &placement->buffers[i];
        const HypSpan span = placement->sections.spans[i];
        HypSearchItem *item = &bounds->items[i];
        const size_t alignment = buffer->alignment > 1 ? buffer->alignment / unit : 1;
        *item = (HypSearchItem){.first = span.first,
                                .end = span.end,
                                .size = (int32_t)(buffer->size_bytes / unit),
                                .alignment = (int32_t)alignment,
                                .below = -1,
                                .twin = (int)i};
        if (span.first == span.end)
            continue;
        for (int j = 0; j < bounds->item_count && item->twin == (int)i; j++)
            if (are_twins(item, &bounds->items[bounds->set[j]]))
                item->twin = bounds->set[j];
        bounds->set[bounds->item_count++] = (int)i;
        hyp_search_change_sections(bounds, item, 1);
    }
}

bool hyp_search_bounds_create(HypSearchBounds *bounds, const HypPlacement *placement,
                              size_t capacity_bytes)
{
    const size_t unit = hyp_placement_unit(placement);
    const size_t items = placement->count + 1;
    const size_t sections = (size_t)placement->sections.count + 1;
    *bounds = (HypSearchBounds){.capacity = (int32_t)(capacity_bytes / unit),
                                .section_count = placement->sections.count,
                                .items = calloc(items, sizeof *bounds->items),
                                .set = calloc(items, sizeof *bounds->set),
                                .by_place = calloc(items, sizeof *bounds->by_place),
                                .unplaced = calloc(sections, sizeof *bounds->unplaced),
                                .height = calloc(sections, sizeof *bounds->height),
                                .crossing = calloc(sections, sizeof *bounds->crossing),
                                .failures = calloc(sections, sizeof *bounds->failures)};
    if (!bounds->items || !bounds->set || !bounds->by_place || !bounds->unplaced ||
        !bounds->height || !bounds->crossing || !bounds->failures)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan offsets: out of memory for %zu buffers",
                        placement->count);
    fill_items(bounds, placement, unit);
    return true;
}

void hyp_search_bounds_free(HypSearchBounds *bounds)
{
    free(bounds->items);
    free(bounds->set);
    free(bounds->by_place);
    free(bounds->unplaced);
    free(bounds->height);
    free(bounds->crossing);
    free(bounds->failures);
}

HypSpan hyp_search_node_sections(const HypSearchBounds *bounds, HypSearchNode node)
{
    HypSpan span = {bounds->section_count, 0};
    for (int i = node.first; i < node.end; i++) {
        const HypSearchItem *item = &bounds->items[bounds->set[i]];
        span.first = item->first < span.first ? item->first : span.first;
        span.end = item->end > span.end ? item->end : span.end;
    }
    return span;
}

void hyp_search_change_sections(const HypSearchBounds *bounds, const HypSearchItem *item, int sign)
{
    for (int s = item->first; s < item->end; s++)
        bounds->unplaced[s] += sign * item->size;
    for (int s = item->first; s + 1 < item->end; s++)
        bounds->crossing[s] += sign;
}

// By insertion: a node's items are almost in the order of its parent's.
static void sort_by_lowest(HypSearchBounds *bounds, HypSearchNode node)
{
    const HypSearchItem *items = bounds->items;
    int *set = bounds->set;
    for (int i = node.first + 1; i < node.end; i++) {
        const int item = set[i];
        int at = i;
        for (; at > node.first && items[set[at - 1]].lowest > items[item].lowest; at--)
            set[at] = set[at - 1];
        set[at] = item;
    }
}

static bool meet(const HypSearchItem *a, const HypSearchItem *b)
{
    return a->first < b->end && b->first < a->end;
}

// The lowest top of what an item that was passed over can rest on; above the capacity: nothing.
static int32_t find_support(const HypSearchBounds *bounds, HypSearchNode node,
                            const HypSearchItem *passed)
{
    const int32_t own_top = passed->lowest + passed->size;
    int32_t support = INT32_MAX;
    for (int i = node.first; i < node.end; i++) {
        const HypSearchItem *item = &bounds->items[bounds->set[i]];
        const int32_t place = item->lowest > node.offset ? item->lowest : node.offset;
        if (place >= own_top || place >= support)
            break;
        if (item != passed && item->size < support - place && meet(item, passed))
            support = place + item->size;
    }
    return support;
}

// Bounds one item's place, at most to where it just ends above the capacity; false where it was
// passed over and has nothing to rest on.
static bool bound_item(const HypSearchBounds *bounds, HypSearchNode node, HypSearchItem *item)
{
    const int32_t highest = bounds->capacity - item->size;
    const bool passed =
        item->lowest < node.offset || (item->lowest == node.offset && item->rank <= node.rank);
    int32_t place = item->lowest > node.offset ? item->lowest : node.offset;
    if (passed && place <= highest) {
        const int32_t support = find_support(bounds, node, item);
        if (support > bounds->capacity)
            return false;
        if (support > place)
            place = hyp_search_round_up(support, item->alignment);
    }
    item->bounded = place <= highest ? place : highest + 1;
    return true;
}

static bool bound_items(HypSearchBounds *bounds, HypSearchNode node)
{
    const HypSearchItem *items = bounds->items;
    int *by_place = bounds->by_place;
    for (int i = node.first; i < node.end; i++) {
        const int item = bounds->set[i];
        if (!bound_item(bounds, node, &bounds->items[item])) {
            bounds->failed_section = -1;
            bounds->failed_item = item;
            return false;
        }
        int at = i - node.first;
        for (; at > 0 && items[by_place[at - 1]].bounded > items[item].bounded; at--)
            by_place[at] = by_place[at - 1];
        by_place[at] = item;
    }
    return true;
}

// Where the last of the items that leave no space between them begin in the section.
static int32_t find_last_start(const HypSearchBounds *bounds, int count, int section)
{
    int32_t start = 0;
    int32_t height = 0;
    for (int i = 0; i < count; i++) {
        const HypSearchItem *item = &bounds->items[bounds->by_place[i]];
        if (section < item->first || section >= item->end)
            continue;
        if (item->bounded > height)
            start = height = item->bounded;
        height += item->size;
    }
    return start;
}

static bool sections_fit(HypSearchBounds *bounds, HypSearchNode node)
{
    const HypSpan span = hyp_search_node_sections(bounds, node);
    const int count = node.end - node.first;
    int32_t *height = bounds->height;
    for (int s = span.first; s < span.end; s++)
        height[s] = 0;
    for (int i = 0; i < count; i++) {
        const HypSearchItem *item = &bounds->items[bounds->by_place[i]];
        const int32_t place = item->bounded;
        const int32_t size = item->size;
        for (int s = item->first; s < item->end; s++)
            height[s] = (height[s] > place ? height[s] : place) + size;
    }
    int overfull = 0;
    for (int s = span.first; s < span.end; s++)
        overfull |= height[s] > bounds->capacity;
    if (!overfull)
        return true;
    int section = span.first;
    while (height[section] <= bounds->capacity)
        section++;
    bounds->failed_section = section;
    bounds->failed_place = find_last_start(bounds, count, section);
    bounds->failures[section]++;
    return false;
}

bool hyp_search_fits(HypSearchBounds *bounds, HypSearchNode node)
{
    sort_by_lowest(bounds, node);
    return bound_items(bounds, node) && sections_fit(bounds, node);
}

bool hyp_search_may_pass(HypSearchBounds *bounds, HypSearchNode node, int item)
{
    const HypSearchItem *passed = &bounds->items[item];
    sort_by_lowest(bounds, node);
    bounds->failed_section = -1;
    bounds->failed_item = item;
    return find_support(bounds, node, passed) <= bounds->capacity - passed->size;
}

void hyp_search_blame(const HypSearchBounds *bounds, HypSearchNode node, uint64_t *blamed)
{
    for (int i = node.first; i < node.end; i++) {
        const int index = bounds->set[i];
        const HypSearchItem *item = &bounds->items[index];
        const int section = bounds->failed_section;
        if (section < 0 ? meet(item, &bounds->items[bounds->failed_item])
                        : item->first <= section && section < item->end &&
                              item->bounded >= bounds->failed_place)
            hyp_search_blame_item(blamed, index);
    }
}
