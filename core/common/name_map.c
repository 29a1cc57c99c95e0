// SPDX-License-Identifier: Apache-2.0
#include "common/name_map.h"

#include "common/fail.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// FNV-1a, 64 bits.
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 14695981039346656037U;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211U;
    return hash;
}

// Where `name` is, or the free place where it belongs.
static HypNameSlot *find_slot(const HypNameMap *map, const char *name)
{
    size_t i = hash_name(name) & (map->capacity - 1);
    while (map->slots[i].name && strcmp(map->slots[i].name, name) != 0)
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

bool hyp_name_map_reserve(HypNameMap *map)
{
    if (map->count + 1 <= map->capacity / 2)
        return true;
    HypNameMap grown = {.capacity = map->capacity ? map->capacity * 2 : 16, .count = map->count};
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots)
        return hyp_fail(HYPERION_ERROR_MEMORY, "no memory for %zu names", grown.capacity);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].name)
            *find_slot(&grown, map->slots[i].name) = map->slots[i];
    free(map->slots);
    *map = grown;
    return true;
}

void hyp_name_map_set(HypNameMap *map, const char *name, int value)
{
    HypNameSlot *slot = find_slot(map, name);
    if (!slot->name) {
        assert(map->count + 1 <= map->capacity / 2);
        map->count++;
    }
    *slot = (HypNameSlot){.name = name, .value = value};
}

int hyp_name_map_get(const HypNameMap *map, const char *name)
{
    const HypNameSlot *slot = map->capacity ? find_slot(map, name) : NULL;
    return slot && slot->name ? slot->value : -1;
}

void hyp_name_map_free(HypNameMap *map)
{
    free(map->slots);
    *map = (HypNameMap){0};
}
