// SPDX-License-Identifier: Apache-2.0
// belady.h - which of the layers in memory makes room for another.
#ifndef HYP_BELADY_H
#define HYP_BELADY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct HypEvictable {
    bool may_go;     // in memory, not in use, and nothing else speaks against it
    size_t next_use; // steps until it is needed
    int priority;    // lower ones go first
} HypEvictable;

// Belady's choice, the layer whose next use is farthest, and of several the one of the lowest
// priority, then the first; `by_priority`: priorities before distances. -1: none may go.
int hyp_belady_choose(const HypEvictable *layers, int layer_count, bool by_priority);

#endif
