// SPDX-License-Identifier: Apache-2.0
#include "cache/cache_sets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Node 0 is the head of the ring: next = most, previous = least recently used.
struct HypCacheNode {
    uint64_t entry;
    uint32_t previous, next;
    uint32_t chain; // next node of the same bucket; 0 ends
};

static uint64_t hash_line(const HypCacheSets *cache, uint64_t line)
{
    // Fibonacci hashing: consecutive lines spread over all buckets.
    return ((line * 0x9e3779b97f4a7c15U) >> 32) & (cache->bucket_count - 1);
}

static HypCacheNode *nodes_of(const HypCacheSets *cache, uint64_t line)
{
    return cache->nodes + hyp_cache_set_of(cache, line) * (cache->ways + 1);
}

static uint32_t *bucket_of(const HypCacheSets *cache, uint64_t line)
{
    return cache->buckets + hyp_cache_set_of(cache, line) * cache->bucket_count +
           hash_line(cache, line);
}

static uint32_t find_node(const HypCacheNode *nodes, uint32_t first, uint64_t clean_entry)
{
    uint32_t node = first;
    while (node && !hyp_entry_is(nodes[node].entry, clean_entry))
        node = nodes[node].chain;
    return node;
}

static void unchain_node(HypCacheNode *nodes, uint32_t *bucket, uint32_t node)
{
    uint32_t *link = bucket;
    while (*link != node)
        link = &nodes[*link].chain;
    *link = nodes[node].chain;
}

// Puts a node right behind `after`: behind the head it is the most recent, behind the least recent
// it is the next to go.
static void move_node(HypCacheNode *nodes, uint32_t node, uint32_t after)
{
    nodes[nodes[node].previous].next = nodes[node].next;
    nodes[nodes[node].next].previous = nodes[node].previous;
    nodes[node].previous = after;
    nodes[node].next = nodes[after].next;
    nodes[nodes[after].next].previous = node;
    nodes[after].next = node;
}

static bool access_nodes(HypCacheSets *cache, uint64_t line, uint64_t dirty, uint64_t *victim)
{
    HypCacheNode *nodes = nodes_of(cache, line);
    uint32_t *bucket = bucket_of(cache, line);
    const uint64_t clean = hyp_entry_make(line);
    uint32_t node = find_node(nodes, *bucket, clean);
    const bool hit = node != 0;
    if (!hit) {
        node = nodes[0].previous;
        *victim = nodes[node].entry;
        if (*victim)
            unchain_node(nodes, bucket_of(cache, hyp_entry_line(*victim)), node);
        nodes[node].entry = clean;
        nodes[node].chain = *bucket;
        *bucket = node;
    }
    nodes[node].entry |= dirty;
    move_node(nodes, node, 0);
    return hit;
}

// Leaves of the tree over a set, numbered as in a heap: the root is 1, the leaf of way w leaves +
// w.
static uint64_t count_leaves(uint64_t ways)
{
    uint64_t leaves = 1;
    while (leaves < ways)
        leaves *= 2;
    return leaves;
}

// Lowest way below `node`.
static uint64_t first_way_below(uint64_t node, uint64_t leaves)
{
    while (node < leaves)
        node *= 2;
    return node - leaves;
}

static uint64_t choose_by_tree(uint64_t tree, uint64_t ways)
{
    const uint64_t leaves = count_leaves(ways);
    uint64_t node = 1;
    while (node < leaves) {
        node = 2 * node + (tree >> node & 1);
        if (first_way_below(node, leaves) >= ways)
            node--; // nothing but missing leaves
    }
    return node - leaves;
}

// All bits on the way from the leaf to the root point to the other half.
static uint64_t point_away(uint64_t tree, uint64_t way, uint64_t ways)
{
    for (uint64_t node = count_leaves(ways) + way; node > 1; node /= 2) {
        const uint64_t bit = (uint64_t)1 << (node / 2);
        tree = node & 1 ? tree & ~bit : tree | bit;
    }
    return tree;
}

enum { OLDEST = 3 };

static uint64_t choose_by_age(const uint8_t *ages, uint64_t ways)
{
    for (uint64_t way = 0; way < ways; way++)
        if (ages[way] == OLDEST)
            return way;
    return 0;
}

// Where no way has the oldest age, all but `used` age by what the oldest of them lacks.
static void age_others(uint8_t *ages, uint64_t used, uint64_t ways)
{
    uint8_t oldest = 0;
    for (uint64_t way = 0; way < ways; way++) {
        if (ages[way] == OLDEST)
            return;
        if (way != used && ages[way] > oldest)
            oldest = ages[way];
    }
    for (uint64_t way = 0; way < ways; way++)
        if (way != used)
            ages[way] = (uint8_t)(ages[way] + OLDEST - oldest);
}

static uint64_t find_way(const uint64_t *set, uint64_t ways, uint64_t clean_entry)
{
    uint64_t way = 0;
    while (way < ways && !hyp_entry_is(set[way], clean_entry))
        way++;
    return way;
}

// Entries in order of recency.
static bool access_recent(HypCacheSets *cache, uint64_t line, uint64_t dirty, uint64_t *victim)
{
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

static bool access_ways(HypCacheSets *cache, uint64_t line, uint64_t dirty, uint64_t *victim)
{
    const uint64_t number = hyp_cache_set_of(cache, line);
    const uint64_t ways = cache->ways;
    uint64_t *set = cache->entries + number * ways;
    uint8_t *ages = cache->ages ? cache->ages + number * ways : NULL;
    const uint64_t clean = hyp_entry_make(line);
    uint64_t way = find_way(set, ways, clean);
    const bool hit = way < ways;
    if (!hit) {
        way = find_way(set, ways, 0); // an empty one first
        if (way == ways)
            way = ages ? choose_by_age(ages, ways) : choose_by_tree(cache->trees[number], ways);
        *victim = set[way];
        set[way] = clean;
    }
    set[way] |= dirty;
    if (ages) {
        ages[way] = hit ? 0 : 1;
        age_others(ages, way, ways);
    } else {
        cache->trees[number] = point_away(cache->trees[number], way, ways);
    }
    return hit;
}

bool hyp_cache_access_other(HypCacheSets *cache, uint64_t line, uint64_t dirty, uint64_t *victim)
{
    if (!cache->entries)
        return access_nodes(cache, line, dirty, victim);
    return cache->replacement == HYPERION_REPLACEMENT_LRU
               ? access_recent(cache, line, dirty, victim)
               : access_ways(cache, line, dirty, victim);
}

static uint64_t take_node(HypCacheSets *cache, uint64_t line)
{
    HypCacheNode *nodes = nodes_of(cache, line);
    uint32_t *bucket = bucket_of(cache, line);
    const uint32_t node = find_node(nodes, *bucket, hyp_entry_make(line));
    if (!node)
        return 0;
    const uint64_t entry = nodes[node].entry;
    unchain_node(nodes, bucket, node);
    nodes[node].entry = 0;
    if (nodes[0].previous != node)
        move_node(nodes, node, nodes[0].previous);
    return entry;
}

// The way becomes empty, and the least recent.
static void leave_order(HypCacheSets *cache, uint64_t number, uint64_t way)
{
    const uint64_t order = cache->orders[number];
    const uint64_t shift = hyp_order_find(order, way) * HYP_ORDER_BITS;
    const uint64_t last = (cache->ways - 1) * HYP_ORDER_BITS;
    const uint64_t before = ((uint64_t)1 << shift) - 1;
    const uint64_t ours = ((uint64_t)1 << last) - 1; // all places but the last
    const uint64_t after = order >> HYP_ORDER_BITS & ours & ~before;
    cache->orders[number] =
        (order & ~ours & ~((uint64_t)0xf << last)) | (order & before) | after | way << last;
    cache->tags[number].of[way] = 0;
    cache->recent[number] = 0;
}

// The way of the line; cache->ways: none.
static uint64_t way_of_line(const HypCacheSets *cache, uint64_t number, uint64_t line)
{
    if (cache->orders)
        return hyp_cache_ordered_way(cache, number, line);
    return find_way(cache->entries + number * cache->ways, cache->ways, hyp_entry_make(line));
}

uint64_t hyp_cache_take(HypCacheSets *cache, uint64_t line)
{
    if (!cache->entries)
        return take_node(cache, line);
    const uint64_t number = hyp_cache_set_of(cache, line);
    uint64_t *set = cache->entries + number * cache->ways;
    const uint64_t way = way_of_line(cache, number, line);
    if (way == cache->ways)
        return 0;
    const uint64_t entry = set[way];
    if (cache->orders) {
        leave_order(cache, number, way);
        set[way] = 0;
    } else if (cache->replacement == HYPERION_REPLACEMENT_LRU) {
        memmove(set + way, set + way + 1, (cache->ways - way - 1) * sizeof *set);
        set[cache->ways - 1] = 0;
    } else {
        set[way] = 0;
    }
    return entry;
}

static uint64_t *find_entry(const HypCacheSets *cache, uint64_t line)
{
    if (cache->entries) {
        const uint64_t number = hyp_cache_set_of(cache, line);
        const uint64_t way = way_of_line(cache, number, line);
        return way < cache->ways ? &cache->entries[number * cache->ways + way] : NULL;
    }
    HypCacheNode *nodes = nodes_of(cache, line);
    const uint32_t node = find_node(nodes, *bucket_of(cache, line), hyp_entry_make(line));
    return node ? &nodes[node].entry : NULL;
}

uint64_t hyp_cache_find(const HypCacheSets *cache, uint64_t line)
{
    const uint64_t *entry = find_entry(cache, line);
    return entry ? *entry : 0;
}

uint64_t hyp_cache_mark(HypCacheSets *cache, uint64_t line, bool dirty)
{
    uint64_t *entry = find_entry(cache, line);
    if (!entry)
        return 0;
    const uint64_t before = *entry;
    *entry = hyp_entry_make(line) | (dirty ? HYP_ENTRY_DIRTY : 0);
    return before;
}

static void empty_orders(HypCacheSets *cache)
{
    memset(cache->tags, 0, cache->sets * sizeof *cache->tags);
    memset(cache->recent, 0, cache->sets * sizeof *cache->recent);
    for (uint64_t set = 0; set < cache->sets; set++)
        cache->orders[set] = 0xfedcba9876543210U;
}

static bool open_orders(HypCacheSets *cache)
{
    cache->orders = calloc(cache->sets, sizeof *cache->orders);
    cache->tags = aligned_alloc(_Alignof(HypSetTags), cache->sets * sizeof *cache->tags);
    cache->recent = calloc(cache->sets, sizeof *cache->recent);
    if (!cache->orders || !cache->tags || !cache->recent)
        return false;
    empty_orders(cache);
    return true;
}

static bool open_ways(HypCacheSets *cache)
{
    cache->entries = calloc(cache->sets, cache->ways * sizeof *cache->entries);
    if (cache->replacement == HYPERION_REPLACEMENT_TREE_PLRU)
        cache->trees = calloc(cache->sets, sizeof *cache->trees);
    if (cache->replacement == HYPERION_REPLACEMENT_QLRU)
        cache->ages = calloc(cache->sets, cache->ways);
    if (cache->replacement == HYPERION_REPLACEMENT_LRU && cache->ways <= HYP_ORDERED_WAYS)
        return open_orders(cache) && cache->entries;
    return cache->entries &&
           (cache->trees || cache->ages || cache->replacement == HYPERION_REPLACEMENT_LRU);
}

// Ring and buckets of empty sets.
static void link_nodes(HypCacheSets *cache)
{
    memset(cache->buckets, 0, cache->sets * cache->bucket_count * sizeof *cache->buckets);
    for (uint64_t set = 0; set < cache->sets; set++) {
        HypCacheNode *nodes = cache->nodes + set * (cache->ways + 1);
        for (uint64_t i = 0; i <= cache->ways; i++)
            nodes[i] = (HypCacheNode){.next = (uint32_t)(i == cache->ways ? 0 : i + 1),
                                      .previous = (uint32_t)(i == 0 ? cache->ways : i - 1)};
    }
}

static bool open_nodes(HypCacheSets *cache)
{
    cache->bucket_count = 1;
    while (cache->bucket_count < 2 * cache->ways)
        cache->bucket_count *= 2;
    if (cache->ways >= UINT32_MAX) // more nodes than their numbers can name
        return false;
    cache->nodes = calloc(cache->sets, (cache->ways + 1) * sizeof *cache->nodes);
    cache->buckets = calloc(cache->sets, cache->bucket_count * sizeof *cache->buckets);
    if (!cache->nodes || !cache->buckets)
        return false;
    link_nodes(cache);
    return true;
}

bool hyp_cache_sets_open(HypCacheSets *cache, const HyperionCacheLevel *level,
                         HyperionReplacement replacement)
{
    const uint64_t lines = level->size_bytes / (size_t)level->line_bytes;
    *cache = (HypCacheSets){.replacement = replacement,
                            .ways = level->ways > 0 ? (uint64_t)level->ways : lines};
    cache->sets = lines / cache->ways;
    assert(cache->sets > 0);
    cache->set_mask = (cache->sets & (cache->sets - 1)) == 0 ? cache->sets - 1 : 0;
    return cache->ways <= HYP_SEARCHED_WAYS ? open_ways(cache) : open_nodes(cache);
}

void hyp_cache_sets_close(HypCacheSets *cache)
{
    free(cache->entries);
    free(cache->orders);
    free(cache->tags);
    free(cache->recent);
    free(cache->trees);
    free(cache->ages);
    free(cache->nodes);
    free(cache->buckets);
}

void hyp_cache_sets_empty(HypCacheSets *cache)
{
    if (!cache->entries) {
        link_nodes(cache);
        return;
    }
    memset(cache->entries, 0, cache->sets * cache->ways * sizeof *cache->entries);
    if (cache->orders)
        empty_orders(cache);
    if (cache->trees)
        memset(cache->trees, 0, cache->sets * sizeof *cache->trees);
    if (cache->ages)
        memset(cache->ages, 0, cache->sets * cache->ways);
}
