// SPDX-License-Identifier: Apache-2.0
// attention_walk.h - the nest of attention (kernels/attention/attention_nest.h) as runs of lines in
// the order in which it touches them, coarser than it does: a group of queries meets sixteen keys
// at a time or a tile of them.
#ifndef HYP_ATTENTION_WALK_H
#define HYP_ATTENTION_WALK_H

#include "cache/set_stacks.h"
#include "kernel.h"

// What the stacks are told.
typedef enum HypAttentionKind {
    HYP_ATTENTION_READ,    // of the workspace
    HYP_ATTENTION_PACKED,  // keys, values and queries, as they are copied there
    HYP_ATTENTION_WRITTEN, // all else there
    HYP_ATTENTION_ROWS,    // of arrays
    HYP_ATTENTION_OUT,     // likewise, of results
} HypAttentionKind;

// Places are in floats from address 0.
typedef struct HypAttentionWalk {
    const HypAttentionArgs *args;
    HypSetStacks stacks;
    double accesses;
    unsigned line_shift; // from floats
    size_t line_floats;
    size_t lanes, tile_rows, tile_keys;
    size_t panel;                  // columns of a panel of values
    size_t width;                  // floats of a packed row of values or results
    size_t position, key_position; // from a row of a head to the next
    struct {
        size_t q, k, v, out;
    } arrays, head; // of the head that is walked
    size_t keys, values, queries, results, scores, factors, greatest, sums; // of the workspace
    size_t end;                                                             // of it
    size_t counted_groups; // of those of a block that see all keys, behind the first
} HypAttentionWalk;

// All but the stacks. Arrays that the call has not are placed one after another, at pages.
void hyp_attention_walk_start(HypAttentionWalk *walk, const HypAttentionArgs *args,
                              HyperionSIMDLevel level, size_t line_floats);

// The head that is walked from here on: of all images, in order.
void hyp_attention_walk_head(HypAttentionWalk *walk, size_t head);

// Queries `first` to `first` + `count` - 1 become a block, and its results are written.
void hyp_attention_walk_queries(HypAttentionWalk *walk, size_t first, size_t count);
void hyp_attention_walk_results(HypAttentionWalk *walk, size_t first, size_t count);

// Keys and values `first` to `first` + `count` - 1 are packed.
void hyp_attention_walk_packing(HypAttentionWalk *walk, size_t first, size_t count);

// A block of queries before a block of keys.
typedef struct HypAttentionStep {
    size_t first_query, queries;
    size_t first_key, keys;
    size_t next;               // query of the block, whose group has not met the keys yet
    size_t whole, whole_count; // groups of a whole tile that see all keys: that have, and all
} HypAttentionStep;

HypAttentionStep hyp_attention_step(const HypAttentionWalk *walk, size_t first_query,
                                    size_t queries, size_t first_key);

// The next groups, so many at most, pass over packed keys. Of many that see all keys some stand for
// the others.
void hyp_attention_walk_groups(HypAttentionWalk *walk, HypAttentionStep *step, size_t most);

// Queries that take keys and values as they lie meet a block of them.
void hyp_attention_walk_alone(HypAttentionWalk *walk, const HypAttentionStep *step);

// Whether keys that are read together as they lie fill the sets they are in, of any head; and
// whether the first query of this one is in such a set: then all of them are evicted many times.
bool hyp_attention_fills_sets(const HypAttentionWalk *walk);
bool hyp_attention_meets_query(const HypAttentionWalk *walk);

#endif
