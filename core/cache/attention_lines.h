// SPDX-License-Identifier: Apache-2.0
// attention_lines.h - lines of the arrays and the workspace of a call of attention, and how its
// queries and keys are divided.
#ifndef HYP_ATTENTION_LINES_H
#define HYP_ATTENTION_LINES_H

#include "cache/attention_walk.h"

// Lines of a row of a head in an array, on average.
double hyp_attention_row_lines(const HypAttentionWalk *walk);

// Lines that a call touches, of arrays and of its workspace.
double hyp_attention_array_lines(const HypAttentionWalk *walk);
double hyp_attention_work_lines(const HypAttentionWalk *walk);

// Lines that a level writes back while it is told all of a call, of which it misses so many.
double hyp_attention_write_backs(const HypAttentionWalk *walk, const HypStackMisses *misses,
                                 const HypCacheShape *cache);

// Blocks of as many queries, and what is left for the last.
typedef struct HypAttentionDivision {
    size_t blocks, queries, rest;
} HypAttentionDivision;

HypAttentionDivision hyp_attention_divide(const HypAttentionWalk *walk);

// Keys that a block of queries reads: whole blocks of keys, where they are packed.
size_t hyp_attention_keys_read(const HypAttentionWalk *walk, size_t first, size_t queries);

#endif
