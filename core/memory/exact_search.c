// SPDX-License-Identifier: Apache-2.0
#include "memory/exact_search.h"

#include "common/array.h"
#include "common/fail.h"
#include "common/sort.h"
#include "memory/search_bounds.h"
#include "memory/search_orders.h"
#include "platform/platform.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_BUFFERS = 8192, // a level of recursion each
    PROVING_SHARE = 3,   // nodes of the turn that may prove, by those of each other one
    TURN_GROWTH = 4,     // by a fourth, from round to round of turns
    FIRST_TURN_NODES = 2 // by buffer: enough to place all and to find out that it did not work
};

typedef struct Raise {
    int item;
    int below; // before, and so
    int32_t lowest;
} Raise;

typedef struct Search {
    HypSearchBounds bounds;
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

bool hyp_search_is_possible(const HypPlacement *placement, size_t capacity_bytes)
{
    const size_t unit = hyp_placement_unit(placement);
    if (placement->count > MOST_BUFFERS || capacity_bytes / unit >= HYP_SEARCH_MOST_UNITS)
        return false;
    for (size_t i = 0; i < placement->count; i++)
        if (placement->buffers[i].alignment / unit >= HYP_SEARCH_MOST_UNITS ||
            placement->buffers[i].size_bytes / unit >= HYP_SEARCH_MOST_UNITS)
            return false;
    return true;
}

// A failure rests on items that were raised by what was placed last only through its own place.
static void unblame_raised(Search *search, int raise_count)
{
    search->blames_last = false;
    for (int i = raise_count; i < search->raise_count; i++) {
        const int item = search->raises[i].item;
        uint64_t *word = &search->blamed[item / HYP_SEARCH_WORD_BITS];
        const uint64_t bit = (uint64_t)1 << (item % HYP_SEARCH_WORD_BITS);
        search->blames_last |= (*word & bit) != 0;
        *word &= ~bit;
    }
}

static int compare_places(const void *a, const void *b, const void *context)
{
    const HypSearchItem *items = context;
    const HypSearchItem *first = &items[*(const int *)a];
    const HypSearchItem *second = &items[*(const int *)b];
    if (first->lowest != second->lowest)
        return first->lowest < second->lowest ? -1 : 1;
    return first->rank - second->rank;
}

// Pushes the items that may be placed next, in their order; -1, last error set: out of memory.
static int push_candidates(Search *search, HypSearchNode node)
{
    int32_t least_top = INT32_MAX;
    for (int i = node.first; i < node.end; i++) {
        const HypSearchItem *item = &search->bounds.items[search->bounds.set[i]];
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
        const HypSearchItem *item = &search->bounds.items[search->bounds.set[i]];
        const bool in_order =
            item->lowest > node.offset || (item->lowest == node.offset && item->rank > node.rank);
        if (in_order && item->lowest < least_top)
            grown[search->candidate_count + count++] = search->bounds.set[i];
    }
    hyp_sort(grown + search->candidate_count, (size_t)count, sizeof *grown, compare_places,
             search->bounds.items);
    search->candidate_count += count;
    return count;
}

// Raises the unplaced items of the node that are needed together with `placed`.
static bool raise_others(Search *search, HypSearchNode node, const HypSearchItem *placed)
{
    const int32_t top = placed->lowest + placed->size;
    Raise *grown = hyp_array_reserve(
        search->raises, &search->raise_capacity,
        (size_t)search->raise_count + (size_t)(node.end - node.first) + 1, sizeof *grown);
    if (!grown)
        return false;
    search->raises = grown;
    for (int i = node.first; i < node.end; i++) {
        HypSearchItem *item = &search->bounds.items[search->bounds.set[i]];
        if (item->first >= placed->end || placed->first >= item->end || item->lowest >= top)
            continue;
        grown[search->raise_count++] = (Raise){search->bounds.set[i], item->below, item->lowest};
        item->lowest = hyp_search_round_up(top, item->alignment);
        item->below = (int)(placed - search->bounds.items);
    }
    return true;
}

static void lower_others(Search *search, int raise_count)
{
    while (search->raise_count > raise_count) {
        const Raise *raise = &search->raises[--search->raise_count];
        search->bounds.items[raise->item].lowest = raise->lowest;
        search->bounds.items[raise->item].below = raise->below;
    }
}

// Moves `item` to the end of the node's range; the others stay in order.
static void take_out(const Search *search, HypSearchNode node, int item)
{
    int *set = search->bounds.set;
    int at = node.first;
    while (set[at] != item)
        at++;
    memmove(set + at, set + at + 1, (size_t)(node.end - at - 1) * sizeof *set);
    set[node.end - 1] = item;
}

typedef HypSearchAnswer (*SearchPart)(Search *search, HypSearchNode node);
static HypSearchAnswer search_parts(Search *search, HypSearchNode node, SearchPart each);
static HypSearchAnswer search_node(Search *search, HypSearchNode node);

// Places one candidate where it is lowest, and all others after it.
static HypSearchAnswer try_candidate(Search *search, HypSearchNode node, int candidate)
{
    HypSearchItem *item = &search->bounds.items[candidate];
    const int raise_count = search->raise_count;
    take_out(search, node, candidate);
    const HypSearchNode below = {node.first, node.end - 1, item->lowest, item->rank};
    HypSearchAnswer answer = HYP_SEARCH_FAILED;
    hyp_search_change_sections(&search->bounds, item, -1);
    item->placed = item->lowest;
    if (raise_others(search, below, item))
        answer = search_parts(search, below, search_node);
    if (answer == HYP_SEARCH_NONE)
        unblame_raised(search, raise_count);
    lower_others(search, raise_count);
    hyp_search_change_sections(&search->bounds, item, 1);
    return answer;
}

static bool is_twin_of_tried(const Search *search, const int *candidates, int tried, int candidate)
{
    for (int i = 0; i < tried; i++)
        if (search->bounds.items[candidates[i]].twin == search->bounds.items[candidate].twin)
            return true;
    return false;
}

// Whether what the candidate would lie on is needed in the same sections and comes after it in the
// static order: the two could change places, and then the plan is found elsewhere.
static bool belongs_below(const Search *search, int candidate)
{
    const HypSearchItem *item = &search->bounds.items[candidate];
    if (item->below < 0)
        return false;
    const HypSearchItem *below = &search->bounds.items[item->below];
    return below->first == item->first && below->end == item->end && below->rank > item->rank &&
           below->alignment <= 1 && item->alignment <= 1;
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
static bool ends_node(Search *search, HypSearchNode rest, int candidate, uint64_t *blames)
{
    for (int word = 0; word < search->set_words; word++)
        blames[word] |= search->blamed[word];
    if (search->blames_last)
        hyp_search_blame_item(blames, candidate);
    if (search->jumps && !search->blames_last)
        return true;
    if (hyp_search_may_pass(&search->bounds, rest, candidate))
        return false;
    hyp_search_blame(&search->bounds, rest, blames);
    return true;
}

static HypSearchAnswer try_candidates(Search *search, HypSearchNode node, int base, int count,
                                      uint64_t *blames)
{
    HypSearchAnswer answer = HYP_SEARCH_NONE;
    int32_t offset = node.offset;
    for (int i = 0; i < count && answer == HYP_SEARCH_NONE; i++) {
        const int candidate = search->candidates[base + i];
        const HypSearchItem *item = &search->bounds.items[candidate];
        // From here on nothing is placed below it.
        const HypSearchNode rest = {node.first, node.end, item->lowest, item->rank - 1};
        if (i > 0 && item->lowest > offset && !hyp_search_fits(&search->bounds, rest)) {
            hyp_search_blame(&search->bounds, node, blames);
            break;
        }
        offset = item->lowest;
        if (item->size > search->bounds.capacity - offset ||
            is_twin_of_tried(search, search->candidates + base, i, candidate) ||
            belongs_below(search, candidate)) {
            hyp_search_blame_item(blames, candidate);
            continue;
        }
        search->depth++;
        answer = try_candidate(search, node, candidate);
        search->depth--;
        if (answer == HYP_SEARCH_NONE && ends_node(search, rest, candidate, blames))
            break;
    }
    return answer;
}

static HypSearchAnswer search_node(Search *search, HypSearchNode node)
{
    const size_t set_bytes = (size_t)search->set_words * sizeof *search->blamed;
    uint64_t *blames = search->blames + (size_t)search->depth * (size_t)search->set_words;
    search->limits->nodes++;
    if (is_over(search))
        return HYP_SEARCH_UNKNOWN;
    memset(blames, 0, set_bytes);
    HypSearchAnswer answer = HYP_SEARCH_NONE;
    if (hyp_search_fits(&search->bounds, node)) {
        const int base = search->candidate_count;
        const int count = push_candidates(search, node);
        answer = count < 0 ? HYP_SEARCH_FAILED : try_candidates(search, node, base, count, blames);
        search->candidate_count = base;
    } else {
        hyp_search_blame(&search->bounds, node, blames);
    }
    if (answer == HYP_SEARCH_NONE)
        memcpy(search->blamed, blames, set_bytes);
    return answer;
}

// Searches by itself, with `each`, every run of sections that no unplaced item joins with the next.
static HypSearchAnswer search_parts(Search *search, HypSearchNode node, SearchPart each)
{
    const HypSpan span = hyp_search_node_sections(&search->bounds, node);
    HypSearchAnswer answer = HYP_SEARCH_FOUND;
    int section = span.first;
    for (int start = node.first; start < node.end && answer == HYP_SEARCH_FOUND;) {
        while (section + 1 < span.end && search->bounds.crossing[section] > 0)
            section++;
        section++;
        int end = start;
        for (int i = start; i < node.end; i++) {
            const int item = search->bounds.set[i];
            if (search->bounds.items[item].first >= section)
                continue;
            search->bounds.set[i] = search->bounds.set[end];
            search->bounds.set[end++] = item;
        }
        if (end > start)
            answer = each(search, (HypSearchNode){start, end, node.offset, node.rank});
        start = end;
    }
    return answer;
}

// Gives each of the node's items the share that its worst section has in the failures so far, which
// count half as much for each turn that has passed since.
static void rate_faults(const Search *search, HypSearchNode node)
{
    const HypSearchBounds *bounds = &search->bounds;
    const HypSpan span = hyp_search_node_sections(bounds, node);
    double all = 0;
    for (int s = span.first; s < span.end; s++)
        all += bounds->failures[s];
    for (int i = node.first; i < node.end; i++) {
        const HypSearchItem *item = &bounds->items[bounds->set[i]];
        double most = 0;
        for (int s = item->first; s < item->end; s++)
            most = bounds->failures[s] > most ? bounds->failures[s] : most;
        search->keys[bounds->set[i]].fault = all > 0 ? most / all : 0;
    }
    for (int s = span.first; s < span.end; s++)
        bounds->failures[s] /= 2;
}

// One order, as it is without a seed, with jumps back or without, which alone proves that there is
// no plan.
static HypSearchAnswer take_turn(Search *search, HypSearchNode node, int order, uint64_t seed,
                                 bool jumps)
{
    int *items = search->bounds.set + node.first;
    const int count = node.end - node.first;
    if (seed > 0)
        rate_faults(search, node);
    hyp_search_order(search->keys, order, seed, items, count);
    for (int i = 0; i < count; i++)
        search->bounds.items[items[i]].rank = i;
    search->jumps = jumps;
    const HypSearchAnswer answer = search_node(search, node);
    return answer == HYP_SEARCH_NONE && jumps ? HYP_SEARCH_UNKNOWN : answer;
}

// A part of the problem that nothing joins with the rest: all orders with jumps, then one without,
// in rounds until one turn ends. From the second round on the orders with jumps learn from failures
// and have noise in them.
static HypSearchAnswer search_root(Search *search, HypSearchNode node)
{
    HypSearchLimits *limits = search->limits;
    uint64_t turn_nodes = FIRST_TURN_NODES * (uint64_t)(node.end - node.first) + TURN_GROWTH;
    for (uint64_t turn = 0;; turn++) {
        const uint64_t round = turn / (HYP_SEARCH_ORDERS + 1);
        const int order = (int)(turn % (HYP_SEARCH_ORDERS + 1));
        const bool jumps = order < HYP_SEARCH_ORDERS;
        search->turn_end = limits->nodes + turn_nodes * (jumps ? 1 : PROVING_SHARE);
        const HypSearchAnswer answer =
            jumps ? take_turn(search, node, order, round == 0 ? 0 : turn, true)
                  : take_turn(search, node, (int)(round % HYP_SEARCH_ORDERS), 0, false);
        if (answer != HYP_SEARCH_UNKNOWN || is_out_of(limits))
            return answer;
        turn_nodes += jumps ? 0 : turn_nodes / TURN_GROWTH;
    }
}

static void free_search(Search *search)
{
    hyp_search_bounds_free(&search->bounds);
    free(search->blamed);
    free(search->blames);
    free(search->keys);
    free(search->candidates);
    free(search->raises);
}

static bool create_search(Search *search, const HypPlacement *placement, size_t capacity_bytes)
{
    const size_t items = placement->count + 1;
    if (!hyp_search_bounds_create(&search->bounds, placement, capacity_bytes))
        return false;
    search->set_words = (int)(placement->count / HYP_SEARCH_WORD_BITS) + 1;
    search->blamed = calloc((size_t)search->set_words, sizeof *search->blamed);
    search->blames = calloc(items * (size_t)search->set_words, sizeof *search->blames);
    search->keys = calloc(items, sizeof *search->keys);
    return (search->blamed && search->blames && search->keys) ||
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
    Search search = {.limits = limits};
    HypSearchAnswer answer = HYP_SEARCH_FAILED;
    if (create_search(&search, placement, capacity_bytes)) {
        hyp_search_keys_fill(placement, search.keys);
        const HypSearchNode all = {0, search.bounds.item_count, -1, -1};
        answer = search_parts(&search, all, search_root);
    }
    for (size_t i = 0; answer == HYP_SEARCH_FOUND && i < placement->count; i++)
        offsets[i] = (size_t)search.bounds.items[i].placed * hyp_placement_unit(placement);
    free_search(&search);
    return answer;
}
