// SPDX-License-Identifier: Apache-2.0
#include "cache/lru_simulator.h"

#include "common/fail.h"

#include <assert.h>
#include <stdlib.h>

// Up to here the ways of a set are searched in order of recency; beyond (fully associative caches)
// a hash finds the line and a list keeps the order.
enum { MAX_SEARCHED_WAYS = 64 };

// An entry is ((line + 1) << 1) | dirty, so that zeroed memory is an empty cache.
static const uint64_t dirty_bit = 1;

typedef struct Counters {
    uint64_t accesses, misses, fills, write_backs;
} Counters;

// Node 0 is the head of the ring: next = most, previous = least recently used.
typedef struct Node {
    uint64_t entry;
    uint32_t previous, next;
    uint32_t chain; // next node of the same bucket; 0 ends
} Node;

typedef struct Level {
    uint64_t *entries; // sets x ways, each set in order of recency; NULL where nodes are used
    Node *nodes;       // sets x (ways + 1)
    uint32_t *buckets; // sets x bucket_count, first node of each chain
    uint64_t sets, ways;
    uint64_t set_mask; // sets - 1 where sets is a power of two, else 0
    uint64_t bucket_count;
    Counters counters;
    HyperionCacheLevel geometry;
} Level;

struct HypLruSimulator {
    int level_count;
    uint64_t line_shift;
    uint64_t memory_reads, memory_writes; // lines
    uint64_t prefetches;
    Level levels[HYPERION_MAX_CACHE_LEVELS];
};

static uint64_t make_entry(uint64_t line)
{
    return (line + 1) << 1;
}

static uint64_t entry_line(uint64_t entry)
{
    return (entry >> 1) - 1;
}

static bool is_entry_of(uint64_t entry, uint64_t clean_entry)
{
    return (entry & ~dirty_bit) == clean_entry;
}

static uint64_t choose_set(const Level *level, uint64_t line)
{
    return level->set_mask ? line & level->set_mask : line % level->sets;
}

// Most recent first; on a miss the last falls out and is returned through *victim.
static inline bool access_set(const Level *level, uint64_t line, uint64_t dirty, uint64_t *victim)
{
    uint64_t *set = level->entries + choose_set(level, line) * level->ways;
    const uint64_t clean = make_entry(line);
    uint64_t moved = set[0];
    if (is_entry_of(moved, clean)) {
        set[0] = moved | dirty;
        return true;
    }
    for (uint64_t way = 1; way < level->ways; way++) {
        const uint64_t current = set[way];
        set[way] = moved;
        if (is_entry_of(current, clean)) {
            set[0] = current | dirty;
            return true;
        }
        moved = current;
    }
    set[0] = clean | dirty;
    *victim = moved;
    return false;
}

static uint64_t hash_line(const Level *level, uint64_t line)
{
    // Fibonacci hashing: consecutive lines spread over all buckets.
    return ((line * 0x9e3779b97f4a7c15U) >> 32) & (level->bucket_count - 1);
}

static uint32_t find_node(const Node *nodes, uint32_t first, uint64_t clean_entry)
{
    uint32_t node = first;
    while (node && !is_entry_of(nodes[node].entry, clean_entry))
        node = nodes[node].chain;
    return node;
}

static void unchain_node(Node *nodes, uint32_t *bucket, uint32_t node)
{
    uint32_t *link = bucket;
    while (*link != node)
        link = &nodes[*link].chain;
    *link = nodes[node].chain;
}

static void move_to_front(Node *nodes, uint32_t node)
{
    nodes[nodes[node].previous].next = nodes[node].next;
    nodes[nodes[node].next].previous = nodes[node].previous;
    nodes[node].previous = 0;
    nodes[node].next = nodes[0].next;
    nodes[nodes[0].next].previous = node;
    nodes[0].next = node;
}

// As access_set for many ways.
static bool access_nodes(const Level *level, uint64_t line, uint64_t dirty, uint64_t *victim)
{
    const uint64_t set = choose_set(level, line);
    Node *nodes = level->nodes + set * (level->ways + 1);
    uint32_t *buckets = level->buckets + set * level->bucket_count;
    const uint64_t clean = make_entry(line);
    uint32_t *bucket = &buckets[hash_line(level, line)];
    uint32_t node = find_node(nodes, *bucket, clean);
    const bool hit = node != 0;
    if (!hit) {
        node = nodes[0].previous;
        *victim = nodes[node].entry;
        if (*victim)
            unchain_node(nodes, &buckets[hash_line(level, entry_line(*victim))], node);
        nodes[node].entry = clean;
        nodes[node].chain = *bucket;
        *bucket = node;
    }
    nodes[node].entry |= dirty;
    move_to_front(nodes, node);
    return hit;
}

static bool access_level(const Level *level, uint64_t line, uint64_t dirty, uint64_t *victim)
{
    return level->entries ? access_set(level, line, dirty, victim)
                          : access_nodes(level, line, dirty, victim);
}

// Makes the copy of `line` dirty; false when the level has none.
static bool mark_dirty(const Level *level, uint64_t line)
{
    const uint64_t set = choose_set(level, line);
    const uint64_t clean = make_entry(line);
    if (!level->entries) {
        Node *nodes = level->nodes + set * (level->ways + 1);
        const uint32_t first = level->buckets[set * level->bucket_count + hash_line(level, line)];
        const uint32_t node = find_node(nodes, first, clean);
        nodes[node].entry |= node ? dirty_bit : 0;
        return node != 0;
    }
    uint64_t *entries = level->entries + set * level->ways;
    for (uint64_t way = 0; way < level->ways; way++) {
        if (is_entry_of(entries[way], clean)) {
            entries[way] |= dirty_bit;
            return true;
        }
    }
    return false;
}

static void write_back(HypLruSimulator *simulator, int from, uint64_t line)
{
    simulator->levels[from].counters.write_backs++;
    for (int i = from + 1; i < simulator->level_count; i++)
        if (mark_dirty(&simulator->levels[i], line))
            return;
    simulator->memory_writes++;
}

void hyp_lru_touch(HypLruSimulator *simulator, uint64_t line, HypTouchKind kind)
{
    uint64_t dirty = kind == HYP_TOUCH_WRITE ? dirty_bit : 0;
    const uint64_t demand = kind == HYP_TOUCH_PREFETCH ? 0 : 1;
    simulator->prefetches += 1 - demand;
    for (int i = 0; i < simulator->level_count; i++) {
        Level *level = &simulator->levels[i];
        uint64_t victim = 0;
        level->counters.accesses += demand;
        if (access_level(level, line, dirty, &victim))
            return;
        level->counters.misses += demand;
        level->counters.fills++;
        if (victim & dirty_bit)
            write_back(simulator, i, entry_line(victim));
        dirty = 0; // further out the line is as memory has it
    }
    simulator->memory_reads++;
}

void hyp_lru_touch_bytes(HypLruSimulator *simulator, uint64_t address, size_t size_bytes,
                         HypTouchKind kind)
{
    if (size_bytes == 0)
        return;
    const uint64_t last = (address + size_bytes - 1) >> simulator->line_shift;
    for (uint64_t line = address >> simulator->line_shift; line <= last; line++)
        hyp_lru_touch(simulator, line, kind);
}

static bool initialise_entries(Level *level)
{
    level->entries = calloc(level->sets, level->ways * sizeof *level->entries);
    return level->entries != NULL;
}

static bool initialise_nodes(Level *level)
{
    level->bucket_count = 1;
    while (level->bucket_count < 2 * level->ways)
        level->bucket_count *= 2;
    level->nodes = calloc(level->sets, (level->ways + 1) * sizeof *level->nodes);
    level->buckets = calloc(level->sets, level->bucket_count * sizeof *level->buckets);
    if (!level->nodes || !level->buckets)
        return false;
    for (uint64_t set = 0; set < level->sets; set++) {
        Node *nodes = level->nodes + set * (level->ways + 1);
        for (uint64_t i = 0; i <= level->ways; i++) {
            nodes[i].next = (uint32_t)(i == level->ways ? 0 : i + 1);
            nodes[i].previous = (uint32_t)(i == 0 ? level->ways : i - 1);
        }
    }
    return true;
}

static bool initialise_level(Level *level, const HyperionCacheLevel *geometry)
{
    const uint64_t lines = geometry->size_bytes / (size_t)geometry->line_bytes;
    level->geometry = *geometry;
    level->ways = geometry->ways > 0 ? (uint64_t)geometry->ways : lines;
    level->sets = lines / level->ways;
    assert(level->sets > 0);
    if (level->ways >= UINT32_MAX) // more nodes than their numbers can name
        return false;
    level->set_mask = (level->sets & (level->sets - 1)) == 0 ? level->sets - 1 : 0;
    return level->ways <= MAX_SEARCHED_WAYS ? initialise_entries(level) : initialise_nodes(level);
}

HypLruSimulator *hyp_lru_create(const HyperionCacheTopology *topology)
{
    HypLruSimulator *simulator = calloc(1, sizeof *simulator);
    if (!simulator)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "cache simulator: out of memory");
    simulator->level_count = topology->level_count;
    for (int bytes = topology->levels[0].line_bytes; bytes > 1; bytes /= 2)
        simulator->line_shift++;
    for (int i = 0; i < topology->level_count; i++) {
        if (!initialise_level(&simulator->levels[i], &topology->levels[i])) {
            hyp_lru_destroy(simulator);
            return hyp_fail_null(HYPERION_ERROR_MEMORY,
                                 "cache simulator: out of memory for L%d of %zu bytes", i + 1,
                                 topology->levels[i].size_bytes);
        }
    }
    return simulator;
}

void hyp_lru_destroy(HypLruSimulator *simulator)
{
    if (!simulator)
        return;
    for (int i = 0; i < simulator->level_count; i++) {
        free(simulator->levels[i].entries);
        free(simulator->levels[i].nodes);
        free(simulator->levels[i].buckets);
    }
    free(simulator);
}

void hyp_lru_reset_counters(HypLruSimulator *simulator)
{
    for (int i = 0; i < simulator->level_count; i++)
        simulator->levels[i].counters = (Counters){0};
    simulator->memory_reads = 0;
    simulator->memory_writes = 0;
    simulator->prefetches = 0;
}

HyperionCacheStats hyp_lru_statistics(const HypLruSimulator *simulator)
{
    HyperionCacheStats stats = {
        .level_count = simulator->level_count,
        .memory_read_bytes = simulator->memory_reads << simulator->line_shift,
        .memory_write_bytes = simulator->memory_writes << simulator->line_shift,
        .prefetches = simulator->prefetches,
        .tier = HYPERION_CACHE_TIER_REPLAY,
        .valid = true};
    for (int i = 0; i < simulator->level_count; i++) {
        const Level *level = &simulator->levels[i];
        const Counters *c = &level->counters;
        stats.levels[i] = (HyperionCacheLevelStats){
            .geometry = level->geometry,
            .accesses = c->accesses,
            .hits = c->accesses - c->misses,
            .misses = c->misses,
            .misses_low = c->misses,
            .misses_high = c->misses,
            .fills = c->fills,
            .write_backs = c->write_backs,
            .hit_rate = c->accesses ? (double)(c->accesses - c->misses) / (double)c->accesses : 0,
            .shared = level->geometry.sharing_cpus > 1,
        };
    }
    return stats;
}
