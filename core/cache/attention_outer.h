// SPDX-License-Identifier: Apache-2.0
// attention_outer.h - what outer levels of a cache miss of a call of attention. The nest is walked
// through one of sixteen of their sets, coarser than through the first level, as they see only what
// that one misses: head by head, as rows come back from block to block and from head to head.
#ifndef HYP_ATTENTION_OUTER_H
#define HYP_ATTENTION_OUTER_H

#include "cache/attention_walk.h"
#include "cache/stream_account.h"

// Adds misses and write-backs of all levels but the first, which misses `inner` lines. Which head
// is walked is undefined then.
void hyp_attention_add_outer(HypAttentionWalk *walk, double inner, HypAccount *account);

#endif
