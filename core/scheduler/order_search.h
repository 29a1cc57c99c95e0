// SPDX-License-Identifier: Apache-2.0
// order_search.h - the order of least peak, by a search over the sets of nodes that have run.
#ifndef HYP_ORDER_SEARCH_H
#define HYP_ORDER_SEARCH_H

#include "scheduler/order_walk.h"

typedef struct HypOrderSearch {
    size_t most_states;
    size_t states;      // met
    size_t bound_bytes; // no order can need less; raised by the search
    size_t peak_bytes;  // of the best order so far,
    int *order;         // which this is
    bool improved;      // by the search
} HypOrderSearch;

// Lowers peak_bytes until it is bound_bytes or the search has met most_states. Leaves `walk`
// anywhere. False, last error set, when out of memory; what was found until then is good.
bool hyp_order_search(HypOrderWalk *walk, HypOrderSearch *search);

#endif
