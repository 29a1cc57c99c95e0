// SPDX-License-Identifier: Apache-2.0
// cache_sets.h - one set-associative cache: which lines it holds, under a replacement policy.
//
// An entry is ((line + 1) << 1) | dirty, so that zeroed memory is an empty cache; lines are below
// 2^62. In a searched set under LRU the entries stand in order of recency, under other policies
// each in its way. Sets of more than HYP_SEARCHED_WAYS (fully associative caches) are LRU: a hash
// finds the line and a list keeps the order.
#ifndef HYP_CACHE_SETS_H
#define HYP_CACHE_SETS_H

#include "hyperion/cache.h"

enum { HYP_SEARCHED_WAYS = 64 };

#define HYP_ENTRY_DIRTY ((uint64_t)1)

typedef struct HypCacheNode HypCacheNode;

typedef struct HypCacheSets {
    uint64_t *entries; // sets x ways; NULL where nodes are used
    uint64_t *trees;   // of a set: the bits of its tree; tree-PLRU only
    uint8_t *ages;     // of an entry; QLRU only
    HypCacheNode *nodes;
    uint32_t *buckets; // sets x bucket_count, first node of each chain
    uint64_t sets, ways;
    uint64_t set_mask; // sets - 1 where sets is a power of two, else 0
    uint64_t bucket_count;
    HyperionReplacement replacement;
} HypCacheSets;

// Of a level without unknowns. False when out of memory; hyp_cache_sets_close in any case.
bool hyp_cache_sets_open(HypCacheSets *cache, const HyperionCacheLevel *level,
                         HyperionReplacement replacement);
void hyp_cache_sets_close(HypCacheSets *cache);
void hyp_cache_sets_empty(HypCacheSets *cache);

// hyp_cache_access of all but searched sets under LRU.
bool hyp_cache_access_other(HypCacheSets *cache, uint64_t line, uint64_t dirty, uint64_t *victim);

// The line's entry, 0 where the cache does not hold it; the line is not used.
uint64_t hyp_cache_find(const HypCacheSets *cache, uint64_t line);

// Takes the line out; its entry, or 0 where the cache does not hold it.
uint64_t hyp_cache_take(HypCacheSets *cache, uint64_t line);

// Makes the cache's copy of `line` dirty, or clean, without using it; returns what the entry was, 0
// where there is none.
uint64_t hyp_cache_mark(HypCacheSets *cache, uint64_t line, bool dirty);

static inline uint64_t hyp_entry_make(uint64_t line)
{
    return (line + 1) << 1;
}

static inline uint64_t hyp_entry_line(uint64_t entry)
{
    return (entry >> 1) - 1;
}

static inline bool hyp_entry_is(uint64_t entry, uint64_t clean_entry)
{
    return (entry & ~HYP_ENTRY_DIRTY) == clean_entry;
}

static inline uint64_t hyp_cache_set_of(const HypCacheSets *cache, uint64_t line)
{
    return cache->set_mask ? line & cache->set_mask : line % cache->sets;
}

// Uses the line, and makes it dirty where `dirty` is HYP_ENTRY_DIRTY. False where it was not there
// and now is: *victim is then the entry whose place it took, 0 for an empty one.
static inline bool hyp_cache_access(HypCacheSets *cache, uint64_t line, uint64_t dirty,
                                    uint64_t *victim)
{
    if (!cache->entries || cache->replacement != HYPERION_REPLACEMENT_LRU)
        return hyp_cache_access_other(cache, line, dirty, victim);
    uint64_t *set = cache->entries + hyp_cache_set_of(cache, line) * cache->ways;
    const uint64_t clean = hyp_entry_make(line);
    uint64_t moved = set[0];
    if (hyp_entry_is(moved, clean)) {
        set[0] = moved | dirty;
        return true;
    }
    for (uint64_t way = 1; way < cache->ways; way++) {
        const uint64_t current = set[way];
        set[way] = moved;
        if (hyp_entry_is(current, clean)) {
            set[0] = current | dirty;
            return true;
        }
        moved = current;
    }
    set[0] = clean | dirty;
    *victim = moved;
    return false;
}

#endif
