// SPDX-License-Identifier: Apache-2.0
// attention_outer.h - what outer levels of a cache miss of a call of attention: rows of keys that
// come back from one block of queries or head to the next, copies, and lines in which heads meet.
// Each is evicted where what is touched in between has more lines in its set than there are ways,
// counted by sets.
#ifndef HYP_ATTENTION_OUTER_H
#define HYP_ATTENTION_OUTER_H

#include "cache/attention_walk.h"
#include "cache/stream_account.h"

// Adds misses and write-backs of all levels but the first, which misses `inner` lines. Which head
// is walked is undefined then.
void hyp_attention_add_outer(HypAttentionWalk *walk, double inner, HypAccount *account);

#endif
