// SPDX-License-Identifier: Apache-2.0
#include "scheduler/order_walk.h"

#include "common/fail.h"

#include <assert.h>
#include <stdlib.h>

// Zobrist keys by the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
static uint64_t make_key(int node)
{
    uint64_t key = ((uint64_t)node + 1) * 0x9E3779B97F4A7C15U;
    key = (key ^ key >> 30) * 0xBF58476D1CE4E5B9U;
    key = (key ^ key >> 27) * 0x94D049BB133111EBU;
    return key ^ key >> 31;
}

static void make_ready(HypOrderWalk *walk, int node)
{
    walk->since[node] = walk->run_count;
    walk->place[node] = walk->ready_count;
    walk->ready[walk->ready_count++] = node;
}

bool hyp_order_walk_create(HypOrderWalk *walk, const HypOrderGraph *graph, bool in_place)
{
    const size_t count = (size_t)graph->count + 1;
    *walk = (HypOrderWalk){.graph = graph,
                           .in_place = in_place,
                           .run = calloc(count, sizeof *walk->run),
                           .done = calloc(count / 64 + 1, sizeof *walk->done),
                           .ready = calloc(count, sizeof *walk->ready),
                           .place = calloc(count, sizeof *walk->place),
                           .missing = calloc(count, sizeof *walk->missing),
                           .waiting = calloc(count, sizeof *walk->waiting),
                           .since = calloc(count, sizeof *walk->since)};
    if (!walk->run || !walk->done || !walk->ready || !walk->place || !walk->missing ||
        !walk->waiting || !walk->since)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan order: out of memory for %d nodes",
                        graph->count);
    for (int node = 0; node < graph->count; node++) {
        walk->missing[node] = graph->inputs.first[node + 1] - graph->inputs.first[node];
        walk->waiting[node] = graph->consumers.first[node + 1] - graph->consumers.first[node];
        if (walk->missing[node] == 0)
            make_ready(walk, node);
    }
    return true;
}

void hyp_order_walk_free(HypOrderWalk *walk)
{
    free(walk->run);
    free(walk->done);
    free(walk->ready);
    free(walk->place);
    free(walk->missing);
    free(walk->waiting);
    free(walk->since);
    *walk = (HypOrderWalk){0};
}

size_t hyp_order_walk_during(const HypOrderWalk *walk, int node)
{
    const HypOrderGraph *graph = walk->graph;
    const size_t size_bytes = graph->nodes[node].size_bytes;
    if (walk->in_place && graph->nodes[node].in_place)
        for (int i = graph->inputs.first[node]; i < graph->inputs.first[node + 1]; i++) {
            const int input = graph->inputs.at[i];
            if (walk->waiting[input] == 1 && graph->nodes[input].size_bytes >= size_bytes)
                return walk->live_bytes;
        }
    return walk->live_bytes + size_bytes;
}

size_t hyp_order_walk_after(const HypOrderWalk *walk, int node)
{
    const HypOrderGraph *graph = walk->graph;
    size_t bytes = walk->live_bytes + graph->nodes[node].size_bytes;
    for (int i = graph->inputs.first[node]; i < graph->inputs.first[node + 1]; i++)
        if (walk->waiting[graph->inputs.at[i]] == 1)
            bytes -= graph->nodes[graph->inputs.at[i]].size_bytes;
    return bytes;
}

void hyp_order_walk_run(HypOrderWalk *walk, int node)
{
    const HypOrderGraph *graph = walk->graph;
    assert(walk->missing[node] == 0 && !(walk->done[node / 64] >> node % 64 & 1));
    walk->live_bytes = hyp_order_walk_after(walk, node);
    walk->run[walk->run_count++] = node;
    walk->done[node / 64] ^= (uint64_t)1 << node % 64;
    walk->hash ^= make_key(node);
    const int last = walk->ready[--walk->ready_count];
    walk->ready[walk->place[node]] = last;
    walk->place[last] = walk->place[node];
    for (int i = graph->inputs.first[node]; i < graph->inputs.first[node + 1]; i++)
        walk->waiting[graph->inputs.at[i]]--;
    for (int i = graph->consumers.first[node]; i < graph->consumers.first[node + 1]; i++)
        if (--walk->missing[graph->consumers.at[i]] == 0)
            make_ready(walk, graph->consumers.at[i]);
}

static void undo(HypOrderWalk *walk)
{
    const HypOrderGraph *graph = walk->graph;
    const int node = walk->run[--walk->run_count];
    walk->done[node / 64] ^= (uint64_t)1 << node % 64;
    walk->hash ^= make_key(node);
    // Those that it made ready are the last ones.
    for (int i = graph->consumers.first[node]; i < graph->consumers.first[node + 1]; i++)
        walk->ready_count -= walk->missing[graph->consumers.at[i]]++ == 0;
    const int other = walk->ready[walk->place[node]];
    walk->place[other] = walk->ready_count;
    walk->ready[walk->ready_count++] = other;
    walk->ready[walk->place[node]] = node;
    for (int i = graph->inputs.first[node]; i < graph->inputs.first[node + 1]; i++)
        if (walk->waiting[graph->inputs.at[i]]++ == 0)
            walk->live_bytes += graph->nodes[graph->inputs.at[i]].size_bytes;
    walk->live_bytes -= graph->nodes[node].size_bytes;
}

void hyp_order_walk_back(HypOrderWalk *walk, int to_run_count)
{
    while (walk->run_count > to_run_count)
        undo(walk);
}

void hyp_order_walk_run_safe(HypOrderWalk *walk, size_t bound)
{
    // Backwards: what has just become ready comes first, while its inputs are in the caches.
    for (int i = walk->ready_count - 1; i >= 0; i--) {
        const int node = walk->ready[i];
        if (hyp_order_walk_after(walk, node) > walk->live_bytes ||
            hyp_order_walk_during(walk, node) > bound)
            continue;
        hyp_order_walk_run(walk, node);
        i = walk->ready_count; // others may be safe by now
    }
}

static int find_greedy(const HypOrderWalk *walk, bool during_first)
{
    int best = -1;
    size_t best_first = 0;
    size_t best_then = 0;
    for (int i = 0; i < walk->ready_count; i++) {
        const int node = walk->ready[i];
        const size_t during = hyp_order_walk_during(walk, node);
        const size_t after = hyp_order_walk_after(walk, node);
        const size_t first = during_first ? during : after;
        const size_t then = during_first ? after : during;
        const bool newer = best >= 0 && (walk->since[node] > walk->since[best] ||
                                         (walk->since[node] == walk->since[best] && node < best));
        if (best < 0 || first < best_first ||
            (first == best_first && (then < best_then || (then == best_then && newer)))) {
            best = node;
            best_first = first;
            best_then = then;
        }
    }
    return best;
}

size_t hyp_order_walk_run_greedy(HypOrderWalk *walk, bool during_first)
{
    size_t peak = 0;
    while (walk->ready_count > 0) {
        const int node = find_greedy(walk, during_first);
        const size_t during = hyp_order_walk_during(walk, node);
        peak = during > peak ? during : peak;
        hyp_order_walk_run(walk, node);
    }
    return peak;
}
