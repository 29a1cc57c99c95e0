// SPDX-License-Identifier: Apache-2.0
// attention_accesses.h - how often attention touches lines: register by register, neighbouring
// touches of one line as one.
#ifndef HYP_ATTENTION_ACCESSES_H
#define HYP_ATTENTION_ACCESSES_H

#include "cache/attention_walk.h"

// Of a group of `rows` queries that passes over packed keys, of which its last query sees `seen`
// and its queries `mean` on average.
double hyp_attention_group_accesses(const HypAttentionWalk *walk, size_t rows, size_t seen,
                                    double mean);

// Of packing so many keys and values.
double hyp_attention_packing_accesses(const HypAttentionWalk *walk, size_t keys);

// Of copying queries to the workspace and their results from there.
double hyp_attention_end_accesses(const HypAttentionWalk *walk, size_t queries);

// Of a query that takes `seen` keys and values of a block as they lie.
double hyp_attention_alone_accesses(const HypAttentionWalk *walk, size_t seen);

#endif
