// SPDX-License-Identifier: Apache-2.0
// Sets are met in the order of the peak that reaches them, so that the first that holds all nodes
// is reached by the least. Of the moves from a set, one that ends with no more live than before and
// within the bound needs no alternative: live memory is submodular in the set, so that moving such
// steps to the front raises no later peak.
#include "scheduler/order_search.h"

#include "common/fail.h"
#include "common/size_math.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// How many of the sets left open at the limit are completed greedily.
enum { COMPLETED_STATES = 64 };

typedef struct State {
    size_t peak_bytes; // least known that reaches it
    int parent;        // -1: the first
    int move;          // from there, followed by what is safe
    int run_count;
    uint64_t hash; // of the set
} State;

// Waits to be expanded; out of date where the state has got a lower peak since.
typedef struct Open {
    size_t peak_bytes;
    int run_count;
    int state;
} Open;

typedef struct Table {
    HypOrderWalk *walk;
    HypOrderSearch *search;
    State *states;
    uint64_t *sets; // words a state
    size_t words;
    size_t count, capacity;
    int *slots; // state + 1 by hash; 0 = free
    size_t slot_mask;
    Open *heap; // the next to expand at [0]
    size_t heap_count, heap_capacity;
} Table;

static void *resize(void *items, size_t count, size_t item_bytes)
{
    size_t bytes = 0;
    void *grown = hyp_size_multiply(count, item_bytes, &bytes) ? realloc(items, bytes) : NULL;
    if (!grown)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan order: out of memory for %zu states", count);
    return grown;
}

// Deeper ones first, then younger ones: to the end of an order before others are begun.
static bool comes_before(const Open *a, const Open *b)
{
    if (a->peak_bytes != b->peak_bytes)
        return a->peak_bytes < b->peak_bytes;
    return a->run_count != b->run_count ? a->run_count > b->run_count : a->state > b->state;
}

static bool push(Table *table, int state)
{
    if (table->heap_count == table->heap_capacity) {
        const size_t capacity = table->heap_capacity ? 2 * table->heap_capacity : 256;
        Open *grown = resize(table->heap, capacity, sizeof *grown);
        if (!grown)
            return false;
        table->heap = grown;
        table->heap_capacity = capacity;
    }
    const Open open = {table->states[state].peak_bytes, table->states[state].run_count, state};
    size_t at = table->heap_count++;
    for (; at > 0 && comes_before(&open, &table->heap[(at - 1) / 2]); at = (at - 1) / 2)
        table->heap[at] = table->heap[(at - 1) / 2];
    table->heap[at] = open;
    return true;
}

static Open pop(Table *table)
{
    const Open first = table->heap[0];
    const Open moved = table->heap[--table->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < table->heap_count; at = child) {
        if (child + 1 < table->heap_count &&
            comes_before(&table->heap[child + 1], &table->heap[child]))
            child++;
        if (!comes_before(&table->heap[child], &moved))
            break;
        table->heap[at] = table->heap[child];
    }
    table->heap[at] = moved;
    return first;
}

// Room for twice the states, and the slots for them.
static bool grow(Table *table)
{
    const size_t capacity = table->capacity ? 2 * table->capacity : 256;
    size_t set_words = 0;
    State *states = resize(table->states, capacity, sizeof *states);
    if (!states)
        return false;
    table->states = states;
    uint64_t *sets = hyp_size_multiply(capacity, table->words, &set_words)
                         ? resize(table->sets, set_words, sizeof *sets)
                         : NULL;
    if (!sets)
        return false;
    table->sets = sets;
    int *slots = resize(NULL, 2 * capacity, sizeof *slots);
    if (!slots)
        return false;
    memset(slots, 0, 2 * capacity * sizeof *slots);
    free(table->slots);
    table->slots = slots;
    table->slot_mask = 2 * capacity - 1;
    table->capacity = capacity;
    for (size_t i = 0; i < table->count; i++) {
        size_t slot = table->states[i].hash & table->slot_mask;
        while (slots[slot])
            slot = (slot + 1) & table->slot_mask;
        slots[slot] = (int)i + 1;
    }
    return true;
}

// The state of the set that `walk` has run, made where there was none.
static int find_state(Table *table)
{
    const HypOrderWalk *walk = table->walk;
    const size_t set_bytes = table->words * sizeof *table->sets;
    if (table->count == table->capacity && !grow(table))
        return -1;
    size_t slot = walk->hash & table->slot_mask;
    for (; table->slots[slot]; slot = (slot + 1) & table->slot_mask) {
        const int state = table->slots[slot] - 1;
        if (table->states[state].hash == walk->hash &&
            memcmp(table->sets + (size_t)state * table->words, walk->done, set_bytes) == 0)
            return state;
    }
    const int made = (int)table->count++;
    table->slots[slot] = made + 1;
    memcpy(table->sets + (size_t)made * table->words, walk->done, set_bytes);
    table->states[made] =
        (State){.peak_bytes = SIZE_MAX, .run_count = walk->run_count, .hash = walk->hash};
    return made;
}

// Notes that the set that has run is reached with `peak_bytes`.
static bool reach(Table *table, size_t peak_bytes, int parent, int move)
{
    const int index = find_state(table);
    if (index < 0)
        return false;
    State *state = &table->states[index];
    if (state->peak_bytes <= peak_bytes)
        return true;
    state->peak_bytes = peak_bytes;
    state->parent = parent;
    state->move = move;
    return push(table, index);
}

static void go_to_set(Table *table, int state)
{
    HypOrderWalk *walk = table->walk;
    const uint64_t *set = table->sets + (size_t)state * table->words;
    hyp_order_walk_back(walk, 0);
    for (int i = 0; i < walk->graph->count; i++) {
        const int node = walk->graph->sorted[i];
        if (set[node / 64] >> node % 64 & 1)
            hyp_order_walk_run(walk, node);
    }
}

// Runs the moves that led to a state. `path` is scratch, one a node.
static void go_by_path(Table *table, int state, int *path)
{
    HypOrderWalk *walk = table->walk;
    int length = 0;
    for (int i = state; i >= 0; i = table->states[i].parent)
        path[length++] = i;
    hyp_order_walk_back(walk, 0);
    while (length-- > 0) {
        const State *reached = &table->states[path[length]];
        if (reached->parent >= 0)
            hyp_order_walk_run(walk, reached->move);
        hyp_order_walk_run_safe(walk, reached->peak_bytes);
    }
    assert(walk->run_count == table->states[state].run_count);
}

// Runs `node` and what is safe then; the peak of it, at least `peak_bytes`.
static size_t run_move(HypOrderWalk *walk, int node, size_t peak_bytes)
{
    const size_t during = hyp_order_walk_during(walk, node);
    const size_t peak = during > peak_bytes ? during : peak_bytes;
    hyp_order_walk_run(walk, node);
    hyp_order_walk_run_safe(walk, peak);
    return peak;
}

// The move that needs no alternative; -1: there is none.
static int find_only_move(HypOrderWalk *walk, size_t peak_bytes)
{
    const int run_count = walk->run_count;
    const size_t live_bytes = walk->live_bytes;
    for (int i = walk->ready_count - 1; i >= 0; i--) {
        const int node = walk->ready[i];
        if (hyp_order_walk_during(walk, node) > peak_bytes)
            continue;
        (void)run_move(walk, node, peak_bytes);
        const bool enough = walk->live_bytes <= live_bytes;
        hyp_order_walk_back(walk, run_count);
        if (enough)
            return node;
    }
    return -1;
}

static bool expand(Table *table, int state)
{
    HypOrderWalk *walk = table->walk;
    const size_t peak_bytes = table->states[state].peak_bytes;
    go_to_set(table, state);
    const int run_count = walk->run_count;
    const int only = find_only_move(walk, peak_bytes);
    for (int i = 0; i < walk->ready_count; i++) {
        const int node = walk->ready[i];
        if ((only >= 0 && node != only) ||
            hyp_order_walk_during(walk, node) >= table->search->peak_bytes)
            continue;
        const size_t peak = run_move(walk, node, peak_bytes);
        const bool noted = reach(table, peak, state, node);
        hyp_order_walk_back(walk, run_count);
        if (!noted)
            return false;
    }
    return true;
}

// Takes the order that has run where it is better than the best.
static void take(Table *table, size_t peak_bytes)
{
    HypOrderSearch *search = table->search;
    if (peak_bytes >= search->peak_bytes)
        return;
    memcpy(search->order, table->walk->run, (size_t)table->walk->run_count * sizeof *search->order);
    search->peak_bytes = peak_bytes;
    search->improved = true;
}

static void complete_greedily(Table *table, int *path)
{
    for (int i = 0; i < COMPLETED_STATES && table->heap_count > 0; i++) {
        const Open open = pop(table);
        if (open.peak_bytes > table->states[open.state].peak_bytes)
            continue;
        go_by_path(table, open.state, path);
        const size_t peak = hyp_order_walk_run_greedy(table->walk, true);
        take(table, peak > open.peak_bytes ? peak : open.peak_bytes);
    }
}

static bool search_states(Table *table, int *path)
{
    HypOrderSearch *search = table->search;
    hyp_order_walk_back(table->walk, 0);
    hyp_order_walk_run_safe(table->walk, search->bound_bytes);
    if (!reach(table, search->bound_bytes, -1, -1))
        return false;
    while (table->heap_count > 0) {
        const Open open = table->heap[0];
        if (open.peak_bytes > search->bound_bytes)
            search->bound_bytes = open.peak_bytes;
        if (open.run_count == table->walk->graph->count) {
            go_by_path(table, open.state, path);
            take(table, open.peak_bytes);
            return true;
        }
        if (table->count >= search->most_states) {
            complete_greedily(table, path);
            return true;
        }
        (void)pop(table);
        if (open.peak_bytes == table->states[open.state].peak_bytes && !expand(table, open.state))
            return false;
    }
    search->bound_bytes = search->peak_bytes; // all that is lower was met
    return true;
}

bool hyp_order_search(HypOrderWalk *walk, HypOrderSearch *search)
{
    const size_t nodes = (size_t)walk->graph->count;
    Table table = {.walk = walk, .search = search, .words = nodes / 64 + 1};
    int *path = calloc(nodes + 1, sizeof *path);
    bool searched = false;
    if (path)
        searched = search_states(&table, path);
    else
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan order: out of memory for %zu nodes", nodes);
    search->states = table.count;
    free(path);
    free(table.states);
    free(table.sets);
    free(table.slots);
    free(table.heap);
    return searched;
}
