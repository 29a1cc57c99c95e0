// SPDX-License-Identifier: Apache-2.0
// chain_search.c - A* over the states of memory. What is still to come takes at least each stage's
// time backward, and forward once where what it keeps is not there.
#include "scheduler/chain_search.h"

#include "common/array.h"
#include "common/fail.h"

#include <assert.h>
#include <stdlib.h>

// Eleven stages have 3^0 + 3^1 + ... + 3^11 = 265720 states, half a second's worth, so that a
// search always comes to its end: one that gave up at some budgets alone would make time rise with
// memory.
enum { MOST_STAGES = 11, MOST_NODES = 265720, TABLE_SLOTS = 1 << 19, NEXT_SHIFT = 58 };

// What is stored of a stage, in this order the more.
typedef enum Kept { KEPT_NOTHING, KEPT_ACTIVATION, KEPT_ALL } Kept;

typedef struct Node {
    uint64_t state; // Kept of each stage, and the next to run backward
    double time;    // to come here
    uint32_t parent;
    uint8_t op, stage; // from there
    bool drops_input;  // after it
    bool done;
} Node;

typedef struct Waiting {
    double bound; // of the time of all plans through this node
    uint32_t node;
} Waiting;

typedef struct Search {
    const HyperionChain *chain;
    size_t budget_bytes;
    double below;
    Node *nodes;
    int node_count, node_room;
    uint32_t *slots; // of nodes by state: index + 1; 0 = free
    Waiting *heap;
    int heap_count, heap_room;
    bool failed;
} Search;

static int next_of(uint64_t state)
{
    return (int)(state >> NEXT_SHIFT);
}

static Kept kept_of(uint64_t state, int stage)
{
    return (Kept)(state >> 2 * (stage - 1) & 3);
}

static uint64_t with_kept(uint64_t state, int stage, Kept kept)
{
    assert(stage >= 1);
    const int shift = 2 * (stage - 1);
    return (state & ~((uint64_t)3 << shift)) | (uint64_t)kept << shift;
}

static size_t kept_bytes(const HyperionChain *chain, int stage, Kept kept)
{
    return kept == KEPT_ALL          ? chain->saved_bytes[stage]
           : kept == KEPT_ACTIVATION ? chain->activation_bytes[stage]
                                     : 0;
}

// What is stored, and the gradient.
static size_t live_bytes(const HyperionChain *chain, uint64_t state)
{
    size_t bytes = chain->activation_bytes[0] + hyp_chain_gradient(chain, next_of(state));
    for (int stage = 1; stage <= next_of(state); stage++)
        bytes += kept_bytes(chain, stage, kept_of(state, stage));
    return bytes;
}

static double least_to_come(const HyperionChain *chain, uint64_t state)
{
    double time = 0;
    for (int stage = 1; stage <= next_of(state); stage++)
        time += chain->backward_time[stage] +
                (kept_of(state, stage) == KEPT_ALL ? 0 : chain->forward_time[stage]);
    return time;
}

// Earlier first; of equal ones the later made, which is nearer to the end.
static bool comes_before(Waiting a, Waiting b)
{
    return a.bound < b.bound || (a.bound <= b.bound && a.node > b.node);
}

static bool push_waiting(Search *search, Waiting waiting)
{
    Waiting *heap = hyp_array_reserve(search->heap, &search->heap_room,
                                      (size_t)search->heap_count + 1, sizeof *heap);
    if (!heap)
        return false;
    search->heap = heap;
    int at = search->heap_count++;
    for (; at > 0 && comes_before(waiting, heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = waiting;
    return true;
}

static Waiting pop_waiting(Search *search)
{
    Waiting *heap = search->heap;
    const Waiting top = heap[0];
    const Waiting last = heap[--search->heap_count];
    int at = 0;
    for (int child = 1; child < search->heap_count; child = 2 * at + 1) {
        if (child + 1 < search->heap_count && comes_before(heap[child + 1], heap[child]))
            child++;
        if (!comes_before(heap[child], last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

// The slot of the node of that state, or the free one where it belongs.
static uint32_t *find_slot(Search *search, uint64_t state)
{
    size_t at = (size_t)(state * 0x9E3779B97F4A7C15U >> 45); // the top 19 bits
    while (search->slots[at] != 0 && search->nodes[search->slots[at] - 1].state != state)
        at = (at + 1) % TABLE_SLOTS;
    return &search->slots[at];
}

static void reach(Search *search, Node node)
{
    const double bound = node.time + least_to_come(search->chain, node.state);
    if (search->failed || bound >= search->below)
        return;
    uint32_t *slot = find_slot(search, node.state);
    if (*slot != 0 && search->nodes[*slot - 1].time <= node.time)
        return;
    if (*slot == 0) {
        assert(search->node_count < MOST_NODES);
        Node *nodes = hyp_array_reserve(search->nodes, &search->node_room,
                                        (size_t)search->node_count + 1, sizeof *nodes);
        search->failed = !nodes;
        if (!nodes)
            return;
        search->nodes = nodes;
        *slot = (uint32_t)++search->node_count;
    }
    search->nodes[*slot - 1] = node;
    search->failed = !push_waiting(search, (Waiting){bound, *slot - 1});
}

static void try_forward(Search *search, uint32_t from, size_t live, int stage, Kept makes)
{
    const HyperionChain *chain = search->chain;
    const Node node = search->nodes[from];
    const Kept input = stage == 1 ? KEPT_ALL : kept_of(node.state, stage - 1);
    const Kept before = kept_of(node.state, stage);
    const size_t extra = makes == KEPT_ALL ? hyp_chain_saving_extra(chain, stage)
                                           : chain->forward_extra_bytes[stage];
    const size_t bytes =
        live - kept_bytes(chain, stage, before) + kept_bytes(chain, stage, makes) + extra;
    if (input == KEPT_NOTHING || before >= makes || bytes > search->budget_bytes)
        return;
    Node reached = {.state = with_kept(node.state, stage, makes),
                    .time = node.time + chain->forward_time[stage],
                    .parent = from,
                    .op = makes == KEPT_ALL ? HYPERION_CHAIN_FORWARD_KEEP_ALL
                                            : HYPERION_CHAIN_FORWARD_KEEP_INPUT,
                    .stage = (uint8_t)stage};
    reach(search, reached);
    if (input != KEPT_ACTIVATION)
        return;
    reached.state = with_kept(reached.state, stage - 1, KEPT_NOTHING);
    reached.drops_input = true;
    reach(search, reached);
}

static void try_backward(Search *search, uint32_t from, size_t live)
{
    const HyperionChain *chain = search->chain;
    const Node node = search->nodes[from];
    const int stage = next_of(node.state);
    const Kept input = stage == 1 ? KEPT_ALL : kept_of(node.state, stage - 1);
    if (kept_of(node.state, stage) != KEPT_ALL || input == KEPT_NOTHING ||
        live + chain->backward_extra_bytes[stage] > search->budget_bytes)
        return;
    uint64_t state = with_kept(node.state, stage, KEPT_NOTHING);
    if (input == KEPT_ACTIVATION)
        state = with_kept(state, stage - 1, KEPT_NOTHING);
    reach(search, (Node){.state = state - ((uint64_t)1 << NEXT_SHIFT),
                         .time = node.time + chain->backward_time[stage],
                         .parent = from,
                         .op = HYPERION_CHAIN_BACKWARD,
                         .stage = (uint8_t)stage});
}

static void expand(Search *search, uint32_t from)
{
    const uint64_t state = search->nodes[from].state;
    const size_t live = live_bytes(search->chain, state);
    try_backward(search, from, live);
    for (int stage = 1; stage <= next_of(state); stage++) {
        try_forward(search, from, live, stage, KEPT_ACTIVATION);
        try_forward(search, from, live, stage, KEPT_ALL);
    }
}

// From the start to that node: turns the way round by its parents, then walks it.
static void add_steps(Search *search, uint32_t end, HypChainSteps *steps)
{
    uint32_t next = UINT32_MAX;
    for (uint32_t at = end; at != UINT32_MAX;) {
        const uint32_t parent = search->nodes[at].parent;
        search->nodes[at].parent = next;
        next = at;
        at = parent;
    }
    for (uint32_t at = search->nodes[next].parent; at != UINT32_MAX;
         at = search->nodes[at].parent) {
        const Node node = search->nodes[at];
        const bool plain = node.op == HYPERION_CHAIN_FORWARD_KEEP_INPUT && node.drops_input;
        hyp_chain_steps_add(steps, plain ? HYPERION_CHAIN_FORWARD : (HyperionChainOp)node.op,
                            node.stage, node.stage);
        if (node.drops_input && !plain)
            hyp_chain_steps_add(steps, HYPERION_CHAIN_DROP, node.stage - 1, node.stage - 1);
    }
}

static HypChainAnswer run(Search *search, HypChainSteps *steps)
{
    const uint64_t start = (uint64_t)search->chain->length << NEXT_SHIFT;
    if (live_bytes(search->chain, start) > search->budget_bytes)
        return HYP_CHAIN_NONE;
    reach(search, (Node){.state = start, .parent = UINT32_MAX});
    while (search->heap_count > 0 && !search->failed) {
        const Waiting top = pop_waiting(search);
        Node *node = &search->nodes[top.node];
        if (next_of(node->state) == 0) {
            add_steps(search, top.node, steps);
            return steps->failed ? HYP_CHAIN_FAILED : HYP_CHAIN_FOUND;
        }
        if (node->done)
            continue;
        node->done = true;
        expand(search, top.node);
    }
    return search->failed ? HYP_CHAIN_FAILED : HYP_CHAIN_NONE;
}

HypChainAnswer hyp_chain_search(const HyperionChain *chain, size_t budget_bytes, double below,
                                HypChainSteps *steps)
{
    assert(steps->count == 0 && chain->length >= 1);
    if (chain->length > MOST_STAGES)
        return HYP_CHAIN_UNKNOWN;
    Search search = {.chain = chain, .budget_bytes = budget_bytes, .below = below};
    search.slots = calloc(TABLE_SLOTS, sizeof *search.slots);
    HypChainAnswer answer = HYP_CHAIN_FAILED;
    if (search.slots)
        answer = run(&search, steps);
    else
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan checkpoints: out of memory for a search");
    free(search.nodes);
    free(search.slots);
    free(search.heap);
    return answer;
}
