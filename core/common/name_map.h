// SPDX-License-Identifier: Apache-2.0
// name_map.h - from names to small non-negative numbers.
#ifndef HYP_NAME_MAP_H
#define HYP_NAME_MAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct HypNameSlot {
    const char *name; // NULL: free
    int value;
} HypNameSlot;

// All zero is an empty map. The names stay the caller's and must outlive it.
typedef struct HypNameMap {
    HypNameSlot *slots;
    size_t capacity; // a power of two, or 0
    size_t count;
} HypNameMap;

// Makes room for one more name, so that the next hyp_name_map_set cannot fail. False when out of
// memory, the map unchanged.
bool hyp_name_map_reserve(HypNameMap *map);

// Adds a name, or gives one that is there a new value. Needs hyp_name_map_reserve before.
void hyp_name_map_set(HypNameMap *map, const char *name, int value);

// The value of `name`, -1 if it is not there.
int hyp_name_map_get(const HypNameMap *map, const char *name);

void hyp_name_map_free(HypNameMap *map);

#endif
