// SPDX-License-Identifier: Apache-2.0
// cache_sets.h - one set-associative cache: which lines it holds, under a replacement policy.
//
// An entry is ((line + 1) << 1) | dirty, so that zeroed memory is an empty cache; lines are below
// 2^62. Under LRU a set of at most HYP_ORDERED_WAYS keeps the order of its ways in one word, and
// finds a line by its low half, in all ways at once; in a larger one the entries stand in order of
// recency. Under other policies each stands in its way. Sets of more than HYP_SEARCHED_WAYS (fully
// associative caches) are LRU: a hash finds the line and a list keeps the order.
#ifndef HYP_CACHE_SETS_H
#define HYP_CACHE_SETS_H

#include "hyperion/cache.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

enum { HYP_ORDERED_WAYS = 16, HYP_SEARCHED_WAYS = 64 };

#define HYP_ENTRY_DIRTY ((uint64_t)1)

typedef struct HypCacheNode HypCacheNode;

// Of the ways of a set: the low half of line + 1.
typedef struct HypSetTags {
    _Alignas(64) uint32_t of[HYP_ORDERED_WAYS];
} HypSetTags;

typedef struct HypCacheSets {
    uint64_t *entries; // sets x ways; NULL where nodes are used
    uint64_t *orders;  // of a set: its ways, four bits each, the most recent lowest; else NULL
    HypSetTags *tags;  // likewise
    uint64_t *recent;  // likewise: the most recent, as a clean entry; 0: not known
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

enum { HYP_ORDER_BITS = 4 };

// The ways of a set, a bit each, whose tag is `tag`: all at once, for where a line is cannot be
// foretold.
static inline unsigned hyp_tags_match(const uint32_t tags[HYP_ORDERED_WAYS], uint32_t tag)
{
#ifdef __SSE2__
    const __m128i *quads = (const __m128i *)tags;
    const __m128i sought = _mm_set1_epi32((int)tag);
    const __m128i low =
        _mm_packs_epi32(_mm_cmpeq_epi32(quads[0], sought), _mm_cmpeq_epi32(quads[1], sought));
    const __m128i high =
        _mm_packs_epi32(_mm_cmpeq_epi32(quads[2], sought), _mm_cmpeq_epi32(quads[3], sought));
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
#else
    unsigned same = 0;
    for (unsigned way = 0; way < HYP_ORDERED_WAYS; way++)
        same |= (unsigned)(tags[way] == tag) << way;
    return same;
#endif
}

// The way of the line in a set with an order; cache->ways: none.
static inline uint64_t hyp_cache_ordered_way(const HypCacheSets *cache, uint64_t set, uint64_t line)
{
    const uint64_t *entries = cache->entries + set * cache->ways;
    unsigned same = hyp_tags_match(cache->tags[set].of, (uint32_t)(line + 1));
    for (; same; same &= same - 1) { // lines of one tag are 2^32 lines apart
        const uint64_t way = (unsigned)__builtin_ctz(same);
        if (way < cache->ways && hyp_entry_is(entries[way], hyp_entry_make(line)))
            return way;
    }
    return cache->ways;
}

// The order of ways after that at `place` became the most recent.
static inline uint64_t hyp_order_use(uint64_t order, uint64_t place)
{
    const uint64_t shift = place * HYP_ORDER_BITS;
    const uint64_t before = ((uint64_t)1 << shift) - 1; // all places before it
    const uint64_t way = order >> shift & 0xf;
    return (order & ~(before << HYP_ORDER_BITS | 0xf)) | (order & before) << HYP_ORDER_BITS | way;
}

// Where in the order the way stands: the first four bits that are like it (Mycroft's search for a
// zero, which is right about the first).
static inline uint64_t hyp_order_find(uint64_t order, uint64_t way)
{
    const uint64_t ones = 0x1111111111111111U;
    const uint64_t differences = order ^ way * ones;
    const uint64_t zeros = (differences - ones) & ~differences & ones << 3;
    return (unsigned)__builtin_ctzll(zeros) / HYP_ORDER_BITS;
}

static inline bool hyp_cache_is_recent(const HypCacheSets *cache, uint64_t line)
{
    return cache->recent[hyp_cache_set_of(cache, line)] == hyp_entry_make(line);
}

// Uses the line where a set with an order has it, and makes it dirty where `dirty` is
// HYP_ENTRY_DIRTY.
static inline bool hyp_cache_hit(HypCacheSets *cache, uint64_t line, uint64_t dirty)
{
    const uint64_t set = hyp_cache_set_of(cache, line);
    const uint64_t clean = hyp_entry_make(line);
    if (cache->recent[set] == clean) {
        if (dirty)
            cache->entries[set * cache->ways + (cache->orders[set] & 0xf)] |= dirty;
        return true;
    }
    const uint64_t way = hyp_cache_ordered_way(cache, set, line);
    if (way == cache->ways)
        return false;
    const uint64_t order = cache->orders[set];
    cache->recent[set] = clean;
    cache->orders[set] = hyp_order_use(order, hyp_order_find(order, way));
    if (dirty)
        cache->entries[set * cache->ways + way] |= dirty;
    return true;
}

// Takes a line that a set with an order has not, dirty as above, and returns the entry whose place
// it took, 0 for an empty one.
static inline uint64_t hyp_cache_fill(HypCacheSets *cache, uint64_t line, uint64_t dirty)
{
    const uint64_t set = hyp_cache_set_of(cache, line);
    const uint64_t order = hyp_order_use(cache->orders[set], cache->ways - 1);
    const uint64_t way = order & 0xf;
    uint64_t *entry = &cache->entries[set * cache->ways + way];
    const uint64_t victim = *entry;
    *entry = hyp_entry_make(line) | dirty;
    cache->recent[set] = hyp_entry_make(line);
    cache->tags[set].of[way] = (uint32_t)(line + 1);
    cache->orders[set] = order;
    return victim;
}

// As hyp_cache_access, of sets without an order.
bool hyp_cache_access_other(HypCacheSets *cache, uint64_t line, uint64_t dirty, uint64_t *victim);

// Uses the line, and makes it dirty where `dirty` is HYP_ENTRY_DIRTY. False where it was not there
// and now is: *victim is then the entry whose place it took, 0 for an empty one.
static inline bool hyp_cache_access(HypCacheSets *cache, uint64_t line, uint64_t dirty,
                                    uint64_t *victim)
{
    if (!cache->orders)
        return hyp_cache_access_other(cache, line, dirty, victim);
    if (hyp_cache_hit(cache, line, dirty))
        return true;
    *victim = hyp_cache_fill(cache, line, dirty);
    return false;
}

#endif
