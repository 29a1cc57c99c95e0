// SPDX-License-Identifier: Apache-2.0
// attention_traffic.h - cache traffic of attention in closed form: the streams of lines of
// kernels/attention/attention_nest.h.
#ifndef HYP_ATTENTION_TRAFFIC_H
#define HYP_ATTENTION_TRAFFIC_H

#include "cache/stream_account.h"
#include "kernel.h"

// Adds one call of the kernel of a level, from cold caches.
void hyp_attention_traffic(const HypAttentionArgs *args, HyperionSIMDLevel level,
                           HypAccount *account);

#endif
