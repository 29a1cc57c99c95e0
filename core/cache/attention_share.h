// SPDX-License-Identifier: Apache-2.0
// attention_share.h - parts of the nest of attention that are walked through the first level of a
// cache, and what they miss there: of blocks of queries and of keys that differ in their places
// alone a few stand for the others.
#ifndef HYP_ATTENTION_SHARE_H
#define HYP_ATTENTION_SHARE_H

#include "cache/attention_lines.h"

// What is walked of a call.
typedef struct HypAttentionSampling {
    size_t groups;  // of a block of queries that see a whole block of keys
    size_t whole;   // blocks of keys that a block of queries sees in whole, after the first
    size_t blocks;  // blocks of queries of one size
    double doubt;   // share of the misses of the first level
    double most_ns; // it is taken for calls of which it takes no longer
    size_t heads;   // all, if there are no more
} HypAttentionSampling;

// What a part of the nest adds to the traffic.
typedef struct HypAttentionShare {
    HypStackMisses misses;
    double accesses;
} HypAttentionShare;

void hyp_attention_add_share(HypAttentionShare *sum, const HypAttentionShare *share, double times);

typedef struct HypAttentionPass {
    HypAttentionWalk walk;
    HypAttentionSampling sampling;
} HypAttentionPass;

// What was walked since the last time.
HypAttentionShare hyp_attention_take_share(HypAttentionWalk *walk);

// The share of a block of queries or of a head, of how it begins, which depends on what was before:
// up to the first groups, and of copying its queries. `next`: of how the next one begins, where
// that was walked.
typedef struct HypAttentionShares {
    HypAttentionShare all, begin, copying, next;
    bool next_walked;
} HypAttentionShares;

// The head that was begun last (hyp_attention_walk_head).
HypAttentionShares hyp_attention_walk_whole_head(HypAttentionPass *pass,
                                                 const HypAttentionDivision *division);

// How head `head` begins.
HypAttentionShare hyp_attention_walk_first_block(HypAttentionPass *pass, size_t head,
                                                 const HypAttentionDivision *division);

// Whether a first level may keep some keys and values of a head for the next one with the same:
// more than there is room for, as sets are not filled evenly.
bool hyp_attention_may_keep_keys(const HypAttentionWalk *walk, const HypCacheShape *cache);

// All heads of a call whose queries take keys and values as they lie.
HypAttentionShare hyp_attention_walk_alone_heads(HypAttentionPass *pass,
                                                 const HypAttentionDivision *division,
                                                 const HypCacheShape *cache);

#endif
