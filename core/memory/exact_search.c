// SPDX-License-Identifier: Apache-2.0
#include "memory/exact_search.h"

#include "common/array.h"
#include "common/fail.h"
#include "common/size_math.h"
#include "common/sort.h"
#include "memory/search_orders.h"
#include "platform/platform.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_BUFFERS = 8192, // a level of recursion each
    MOST_UNITS = 1 << 30,
    FIRST_TURN_NODES = 4000,
    TURN_GROWTH = 4, // by a fourth, from round to round of turns
    WORD_BITS = 64
};

// A buffer in the search; sizes are in units.
typedef struct Item {
    int first, end; // sections
    int32_t size, alignment;
    int32_t lowest; // above all that is placed and needed with it
    int rank;       // in the static order
    int twin;       // the first buffer that differs in nothing
    int32_t placed; // where, on the way to the plan found
} Item;

typedef struct Raise {
    int item;
    int32_t lowest; // before
} Raise;

typedef struct Search {
    Item *items;
    int *set; // items; a node's unplaced ones are a range of it, in any order
    int32_t capacity;
    // By section:
    int32_t *unplaced; // sizes of the unplaced, in sum
    int32_t *bottom;   // scratch: the lowest place of any of them
    int *crossing;     // unplaced items that the next section needs as well
    int section_count;
    int overfull; // section that sections_fit found so last
    // Sets of items, a bit each. A part that failed rests on the lowest places of unplaced items:
    int set_words;
    uint64_t *blamed; // by what failed last, which is given back
    uint64_t *blames; // and, by depth, by the candidates of a node that failed so far
    int depth;
    bool blames_last; // what was placed last raised any of the blamed
    bool jumps;       // back past places that are not at fault
    HypOrderKeys *keys;
    // Stacks of what the nodes on the way down need.
    int *candidates;
    int candidate_count, candidate_capacity;
    Raise *raises;
    int raise_count, raise_capacity;
    HypSearchLimits *limits;
    uint64_t turn_end; // nodes at which this order's turn ends
} Search;

// A node: the unplaced items, and the last one placed, before which none may come any more.
typedef struct Node {
    int first, end; // range of Search.set
    int32_t offset; // of the last one
    int rank;
} Node;

bool hyp_search_is_possible(const HypPlacement *placement, size_t capacity_bytes)
{
    const size_t unit = hyp_placement_unit(placement);
    if (placement->count > MOST_BUFFERS || capacity_bytes / unit >= MOST_UNITS)
        return false;
    for (size_t i = 0; i < placement->count; i++)
        if (placement->buffers[i].alignment / unit >= MOST_UNITS ||
            placement->buffers[i].size_bytes / unit >= MOST_UNITS)
            return false;
    return true;
}

static HypSpan find_sections(const Search *search, Node node)
{
    HypSpan span = {search->section_count, 0};
    for (int i = node.first; i < node.end; i++) {
        const Item *item = &search->items[search->set[i]];
        span.first = item->first < span.first ? item->first : span.first;
        span.end = item->end > span.end ? item->end : span.end;
    }
    return span;
}

// Whether every section's unplaced sizes fit above the lowest place of any of them, none of which
// is below `offset`.
static bool sections_fit(Search *search, Node node, int32_t offset)
{
    const HypSpan span = find_sections(search, node);
    int32_t *bottom = search->bottom;
    for (int s = span.first; s < span.end; s++)
        bottom[s] = MOST_UNITS;
    for (int i = node.first; i < node.end; i++) {
        const Item *item = &search->items[search->set[i]];
        const int32_t lowest = item->lowest > offset ? item->lowest : offset;
        for (int s = item->first; s < item->end; s++)
            bottom[s] = bottom[s] < lowest ? bottom[s] : lowest;
    }
    int overfull = 0;
    for (int s = span.first; s < span.end; s++)
        overfull |=
            (search->unplaced[s] > 0) & (search->unplaced[s] > search->capacity - bottom[s]);
    if (!overfull)
        return true;
    search->overfull = span.first;
    while (search->unplaced[search->overfull] <= 0 ||
           search->unplaced[search->overfull] <= search->capacity - bottom[search->overfull])
        search->overfull++;
    return false;
}

static void blame_item(uint64_t *blamed, int item)
{
    blamed[item / WORD_BITS] |= (uint64_t)1 << (item % WORD_BITS);
}

// Adds the node's items that the overfull section needs.
static void blame_overfull(const Search *search, Node node, uint64_t *blamed)
{
    for (int i = node.first; i < node.end; i++) {
        const int item = search->set[i];
        if (search->items[item].first <= search->overfull &&
            search->overfull < search->items[item].end)
            blame_item(blamed, item);
    }
}

// A failure rests on items that were raised by what was placed last only through its own place.
static void unblame_raised(Search *search, int raise_count)
{
    search->blames_last = false;
    for (int i = raise_count; i < search->raise_count; i++) {
        const int item = search->raises[i].item;
        uint64_t *word = &search->blamed[item / WORD_BITS];
        const uint64_t bit = (uint64_t)1 << (item % WORD_BITS);
        search->blames_last |= (*word & bit) != 0;
        *word &= ~bit;
    }
}

static int compare_places(const void *a, const void *b, const void *context)
{
    const Item *items = context;
    const Item *first = &items[*(const int *)a];
    const Item *second = &items[*(const int *)b];
    if (first->lowest != second->lowest)
        return first->lowest < second->lowest ? -1 : 1;
    return first->rank - second->rank;
}

// Pushes the items that may be placed next, in their order; -1, last error set: out of memory.
static int push_candidates(Search *search, Node node)
{
    int32_t least_top = INT32_MAX;
    for (int i = node.first; i < node.end; i++) {
        const Item *item = &search->items[search->set[i]];
        const int32_t top = item->lowest + item->size;
        least_top = top < least_top ? top : least_top;
    }
    int *grown = hyp_array_reserve(
        search->candidates, &search->candidate_capacity,
        (size_t)search->candidate_count + (size_t)(node.end - node.first), sizeof *grown);
    if (!grown)
        return -1;
    search->candidates = grown;
    int count = 0;
    for (int i = node.first; i < node.end; i++) {
        const Item *item = &search->items[search->set[i]];
        const bool in_order =
            item->lowest > node.offset || (item->lowest == node.offset && item->rank > node.rank);
        if (in_order && item->lowest < least_top)
            grown[search->candidate_count + count++] = search->set[i];
    }
    hyp_sort(grown + search->candidate_count, (size_t)count, sizeof *grown, compare_places,
             search->items);
    search->candidate_count += count;
    return count;
}

static int32_t round_up(int32_t value, int32_t step)
{
    return step <= 1 ? value : (value + step - 1) / step * step;
}

static void change_sections(const Search *search, const Item *item, int sign)
{
    for (int s = item->first; s < item->end; s++)
        search->unplaced[s] += sign * item->size;
    for (int s = item->first; s + 1 < item->end; s++)
        search->crossing[s] += sign;
}

// Raises the unplaced items of the node that are needed together with `placed`.
static bool raise_others(Search *search, Node node, const Item *placed)
{
    const int32_t top = placed->lowest + placed->size;
    Raise *grown = hyp_array_reserve(
        search->raises, &search->raise_capacity,
        (size_t)search->raise_count + (size_t)(node.end - node.first) + 1, sizeof *grown);
    if (!grown)
        return false;
    search->raises = grown;
    for (int i = node.first; i < node.end; i++) {
        Item *item = &search->items[search->set[i]];
        if (item->first >= placed->end || placed->first >= item->end || item->lowest >= top)
            continue;
        grown[search->raise_count++] = (Raise){search->set[i], item->lowest};
        item->lowest = round_up(top, item->alignment);
    }
    return true;
}

static void lower_others(Search *search, int raise_count)
{
    while (search->raise_count > raise_count) {
        const Raise *raise = &search->raises[--search->raise_count];
        search->items[raise->item].lowest = raise->lowest;
    }
}

// Moves `item` to the end of the node's range.
static void take_out(const Search *search, Node node, int item)
{
    int at = node.first;
    while (search->set[at] != item)
        at++;
    search->set[at] = search->set[node.end - 1];
    search->set[node.end - 1] = item;
}

static bool has_unplaced(const Search *search, const Item *item)
{
    bool any = false;
    for (int s = item->first; s < item->end; s++)
        any |= search->unplaced[s] > 0;
    return any;
}

typedef HypSearchAnswer (*SearchPart)(Search *search, Node node);
static HypSearchAnswer search_parts(Search *search, Node node, SearchPart each);
static HypSearchAnswer search_node(Search *search, Node node);

// Places one candidate where it is lowest, and all others after it.
static HypSearchAnswer try_candidate(Search *search, Node node, int candidate)
{
    Item *item = &search->items[candidate];
    const int raise_count = search->raise_count;
    take_out(search, node, candidate);
    const Node below = {node.first, node.end - 1, item->lowest, item->rank};
    HypSearchAnswer answer = HYP_SEARCH_FAILED;
    change_sections(search, item, -1);
    item->placed = item->lowest;
    if (raise_others(search, below, item))
        answer = search_parts(search, below, search_node);
    if (answer == HYP_SEARCH_NONE)
        unblame_raised(search, raise_count);
    lower_others(search, raise_count);
    change_sections(search, item, 1);
    return answer;
}

static bool is_twin_of_tried(const Search *search, const int *candidates, int tried, int candidate)
{
    for (int i = 0; i < tried; i++)
        if (search->items[candidates[i]].twin == search->items[candidate].twin)
            return true;
    return false;
}

static bool is_out_of(const HypSearchLimits *limits)
{
    return limits->nodes > limits->most_nodes ||
           (limits->end_ns != UINT64_MAX && hyp_platform_now_ns() >= limits->end_ns);
}

static bool is_over(const Search *search)
{
    const HypSearchLimits *limits = search->limits;
    return limits->nodes > search->turn_end || limits->nodes > limits->most_nodes ||
           (limits->nodes % 256 == 0 && is_out_of(limits));
}

// Whether what failed after `candidate` was placed leaves nothing to try in its stead. What failed
// is added to `blames`.
static bool ends_node(const Search *search, int candidate, uint64_t *blames)
{
    for (int word = 0; word < search->set_words; word++)
        blames[word] |= search->blamed[word];
    if (search->blames_last)
        blame_item(blames, candidate);
    return !has_unplaced(search, &search->items[candidate]) ||
           (search->jumps && !search->blames_last);
}

static HypSearchAnswer try_candidates(Search *search, Node node, int base, int count,
                                      uint64_t *blames)
{
    HypSearchAnswer answer = HYP_SEARCH_NONE;
    int32_t offset = node.offset;
    for (int i = 0; i < count && answer == HYP_SEARCH_NONE; i++) {
        const int candidate = search->candidates[base + i];
        const Item *item = &search->items[candidate];
        // From here on nothing is placed below it.
        if (i > 0 && item->lowest > offset && !sections_fit(search, node, item->lowest)) {
            blame_overfull(search, node, blames);
            break;
        }
        offset = item->lowest;
        if (item->size > search->capacity - offset ||
            is_twin_of_tried(search, search->candidates + base, i, candidate)) {
            blame_item(blames, candidate);
            continue;
        }
        search->depth++;
        answer = try_candidate(search, node, candidate);
        search->depth--;
        if (answer == HYP_SEARCH_NONE && ends_node(search, candidate, blames))
            break;
    }
    return answer;
}

static HypSearchAnswer search_node(Search *search, Node node)
{
    const size_t set_bytes = (size_t)search->set_words * sizeof *search->blamed;
    uint64_t *blames = search->blames + (size_t)search->depth * (size_t)search->set_words;
    search->limits->nodes++;
    if (is_over(search))
        return HYP_SEARCH_UNKNOWN;
    memset(blames, 0, set_bytes);
    HypSearchAnswer answer = HYP_SEARCH_NONE;
    if (sections_fit(search, node, node.offset)) {
        const int base = search->candidate_count;
        const int count = push_candidates(search, node);
        answer = count < 0 ? HYP_SEARCH_FAILED : try_candidates(search, node, base, count, blames);
        search->candidate_count = base;
    } else {
        blame_overfull(search, node, blames);
    }
    if (answer == HYP_SEARCH_NONE)
        memcpy(search->blamed, blames, set_bytes);
    return answer;
}

// Searches by itself, with `each`, every run of sections that no unplaced item joins with the next.
static HypSearchAnswer search_parts(Search *search, Node node, SearchPart each)
{
    const HypSpan span = find_sections(search, node);
    HypSearchAnswer answer = HYP_SEARCH_FOUND;
    int section = span.first;
    for (int start = node.first; start < node.end && answer == HYP_SEARCH_FOUND;) {
        while (section + 1 < span.end && search->crossing[section] > 0)
            section++;
        section++;
        int end = start;
        for (int i = start; i < node.end; i++) {
            const int item = search->set[i];
            if (search->items[item].first >= section)
                continue;
            search->set[i] = search->set[end];
            search->set[end++] = item;
        }
        if (end > start)
            answer = each(search, (Node){start, end, node.offset, node.rank});
        start = end;
    }
    return answer;
}

// One order with jumps back or without, which alone proves that there is no plan.
static HypSearchAnswer take_turn(Search *search, Node node, int order, uint64_t seed, bool jumps)
{
    hyp_search_order(search->keys, order, seed, search->set + node.first, node.end - node.first);
    for (int i = node.first; i < node.end; i++)
        search->items[search->set[i]].rank = i;
    search->jumps = jumps;
    const HypSearchAnswer answer = search_node(search, node);
    return answer == HYP_SEARCH_NONE && jumps ? HYP_SEARCH_UNKNOWN : answer;
}

// A part of the problem that nothing joins with the rest: all orders with jumps, then one without,
// in rounds until one turn ends. From the second round on there is noise in the orders with jumps.
static HypSearchAnswer search_root(Search *search, Node node)
{
    HypSearchLimits *limits = search->limits;
    uint64_t turn_nodes = FIRST_TURN_NODES;
    for (uint64_t turn = 0;; turn++) {
        const uint64_t round = turn / (HYP_SEARCH_ORDERS + 1);
        const int order = (int)(turn % (HYP_SEARCH_ORDERS + 1));
        const bool jumps = order < HYP_SEARCH_ORDERS;
        search->turn_end = limits->nodes + turn_nodes;
        const HypSearchAnswer answer =
            jumps ? take_turn(search, node, order, round == 0 ? 0 : turn, true)
                  : take_turn(search, node, (int)(round % HYP_SEARCH_ORDERS), 0, false);
        if (answer != HYP_SEARCH_UNKNOWN || is_out_of(limits))
            return answer;
        turn_nodes += jumps ? 0 : turn_nodes / TURN_GROWTH;
    }
}

static bool are_twins(const Item *a, const Item *b)
{
    return a->first == b->first && a->end == b->end && a->size == b->size &&
           a->alignment == b->alignment;
}

// Number of items that take part: those that are never needed or empty do not.
static int fill_items(const HypPlacement *placement, size_t unit, Search *search)
{
    int count = 0;
    for (size_t i = 0; i < placement->count; i++) {
        const HyperionBuffer *buffer = &placement->buffers[i];
        const HypSpan span = placement->sections.spans[i];
        Item *item = &search->items[i];
        const size_t alignment = buffer->alignment > 1 ? buffer->alignment / unit : 1;
        *item = (Item){.first = span.first,
                       .end = span.end,
                       .size = (int32_t)(buffer->size_bytes / unit),
                       .alignment = (int32_t)alignment,
                       .twin = (int)i};
        if (span.first == span.end)
            continue;
        for (int j = 0; j < count && item->twin == (int)i; j++)
            if (are_twins(item, &search->items[search->set[j]]))
                item->twin = search->set[j];
        search->set[count++] = (int)i;
        change_sections(search, item, 1);
    }
    return count;
}

static void free_search(Search *search)
{
    free(search->items);
    free(search->set);
    free(search->unplaced);
    free(search->bottom);
    free(search->crossing);
    free(search->blamed);
    free(search->blames);
    free(search->keys);
    free(search->candidates);
    free(search->raises);
}

static bool create_search(Search *search, const HypPlacement *placement)
{
    const size_t items = placement->count + 1;
    const size_t sections = (size_t)placement->sections.count + 1;
    search->set_words = (int)(placement->count / WORD_BITS) + 1;
    search->items = calloc(items, sizeof *search->items);
    search->set = calloc(items, sizeof *search->set);
    search->unplaced = calloc(sections, sizeof *search->unplaced);
    search->bottom = calloc(sections, sizeof *search->bottom);
    search->crossing = calloc(sections, sizeof *search->crossing);
    search->blamed = calloc((size_t)search->set_words, sizeof *search->blamed);
    search->blames = calloc(items * (size_t)search->set_words, sizeof *search->blames);
    search->keys = calloc(items, sizeof *search->keys);
    return (search->items && search->set && search->unplaced && search->bottom &&
            search->crossing && search->blamed && search->blames && search->keys) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "plan offsets: out of memory for %zu buffers",
                    placement->count);
}

HypSearchAnswer hyp_search_capacity(const HypPlacement *placement, size_t capacity_bytes,
                                    HypSearchLimits *limits, size_t *offsets)
{
    assert(hyp_search_is_possible(placement, capacity_bytes));
    // Sums of sizes fit where the capacity does, or there is nothing to search.
    if (hyp_sections_lower_bound(&placement->sections) > capacity_bytes)
        return HYP_SEARCH_NONE;
    const size_t unit = hyp_placement_unit(placement);
    Search search = {.capacity = (int32_t)(capacity_bytes / unit),
                     .section_count = placement->sections.count,
                     .limits = limits};
    HypSearchAnswer answer = HYP_SEARCH_FAILED;
    if (create_search(&search, placement)) {
        hyp_search_keys_fill(placement, search.keys);
        const Node all = {0, fill_items(placement, unit, &search), -1, -1};
        answer = search_parts(&search, all, search_root);
    }
    for (size_t i = 0; answer == HYP_SEARCH_FOUND && i < placement->count; i++)
        offsets[i] = (size_t)search.items[i].placed * unit;
    free_search(&search);
    return answer;
}
