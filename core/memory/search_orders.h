// SPDX-License-Identifier: Apache-2.0
// search_orders.h - static orders in which the exact search prefers buffers: by how long they are
// needed, how much they take up and how contended the step is at which most is needed, each once
// before the others; and the same with what stood in the way before moved forward (as weights of
// constraints in Boussemart et al. 2004) and with noise, since a search that was led astray early
// is better begun anew than continued.
#ifndef HYP_SEARCH_ORDERS_H
#define HYP_SEARCH_ORDERS_H

#include "memory/place_buffers.h"

enum { HYP_SEARCH_ORDERS = 3, HYP_ORDER_KEYS = 3 };

typedef struct HypOrderKeys {
    int64_t of[HYP_SEARCH_ORDERS][HYP_ORDER_KEYS];
    double fault; // 0 to 1: the share that its worst section has in failures so far
    double place; // in the order being made
} HypOrderKeys;

// `keys` by buffer.
void hyp_search_keys_fill(const HypPlacement *placement, HypOrderKeys *keys);

// Sorts buffers by one of the orders; with a seed other than 0 moves each forward by what its fault
// asks for and back by up to a twentieth of their count, the same way for the same seed.
void hyp_search_order(HypOrderKeys *keys, int order, uint64_t seed, int *buffers, int count);

#endif
