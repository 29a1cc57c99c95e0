// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_outer.h"

#include "attention/attention_blocks.h"
#include "cache/attention_lines.h"
#include "cache/gemm_block.h"
#include "cache/set_counts.h"

#include <math.h>

// Arrays and the workspace, each in one piece: whether no set has more of their lines than ways.
static bool keeps_all(const HypAttentionWalk *walk, const HypCacheShape *cache)
{
    const HypAttentionArgs *args = walk->args;
    const double line = (double)walk->line_floats;
    const double queries = (double)args->batch * (double)(args->queries * walk->position);
    const double keys = (double)args->batch * (double)(args->keys * walk->key_position);
    const double way = cache->sets * line;
    const double work = hyp_attention_work_lines(walk) / cache->sets;
    return 2 * (ceil(queries / way) + ceil(keys / way)) + ceil(work) <= cache->ways;
}

// Whether rows of neighbouring heads meet in a line.
static bool neighbours_share_lines(const HypAttentionWalk *walk)
{
    return walk->args->dim % walk->line_floats != 0;
}

static void add_window_rows(HypWindow *window, const HypAttentionWalk *walk, size_t array,
                            size_t position, size_t count)
{
    const double row = hyp_attention_row_lines(walk);
    hyp_window_add(window, (double)count * row, count, position);
    hyp_window_place(window, &(HypPlace){.known = true, .start = array, .width = walk->args->dim});
}

// Whether all that two heads with the same keys touch stays: nothing comes back from further away.
static bool keeps_heads(HypAttentionWalk *walk, const HypCacheShape *cache)
{
    const HypAttentionArgs *args = walk->args;
    const size_t work = walk->end - walk->keys;
    HypWindow window;
    if (neighbours_share_lines(walk))
        return false;
    hyp_window_start(&window);
    hyp_window_add(&window, hyp_attention_work_lines(walk), 1, 0);
    hyp_window_place(&window, &(HypPlace){.known = true, .start = walk->keys, .width = work});
    for (size_t head = 0; head < 2 && head < args->heads; head++) {
        hyp_attention_walk_head(walk, head);
        add_window_rows(&window, walk, walk->head.q, walk->position, args->queries);
        add_window_rows(&window, walk, walk->head.out, walk->position, args->queries);
    }
    add_window_rows(&window, walk, walk->head.k, walk->key_position, args->keys);
    add_window_rows(&window, walk, walk->head.v, walk->key_position, args->keys);
    hyp_window_put_first(&window, window.count - 1);
    if (hyp_window_miss(&window, cache) > 0)
        return false;
    hyp_window_put_first(&window, window.count - 2);
    return hyp_window_miss(&window, cache) <= 0;
}

// Keys and values of a head that come back, what is touched in between, and what is counted of it.
typedef struct Counting {
    HypAttentionWalk *walk;
    HypCacheShape cache;
    HypSets sets;
    HypSetCounts own, others; // lines by set
} Counting;

static void add_run(HypSetCounts *counts, const HypAttentionWalk *walk, size_t start, size_t end)
{
    const HypRuns run = {.start = start, .width = end - start, .count = 1};
    if (end > start)
        hyp_counts_add_runs(counts, &run, walk->line_floats);
}

// Rows `first` to `end` - 1 of a head in an array.
static void add_rows(HypSetCounts *counts, const HypAttentionWalk *walk, size_t head,
                     size_t position, size_t first, size_t end)
{
    const size_t dim = walk->args->dim;
    const HypRuns rows = {.start = head + first * position,
                          .width = dim,
                          .stride = position,
                          .count = end > first ? end - first : 0};
    if (position == dim)
        add_run(counts, walk, rows.start, head + end * position);
    else
        hyp_counts_add_runs(counts, &rows, walk->line_floats);
}

static void add_keys(HypSetCounts *counts, const HypAttentionWalk *walk, size_t first, size_t end)
{
    add_rows(counts, walk, walk->head.k, walk->key_position, first, end);
    add_rows(counts, walk, walk->head.v, walk->key_position, first, end);
}

static void clear(Counting *counting)
{
    hyp_counts_clear(&counting->own, counting->sets);
    hyp_counts_clear(&counting->others, counting->sets);
}

static double evicted_share(const Counting *counting)
{
    return hyp_counts_evicted_share(&counting->own, &counting->others,
                                    (size_t)counting->cache.ways);
}

// Blocks of queries of a head, in order.
typedef struct Block {
    size_t index, first, count;
    size_t read; // keys
} Block;

// Keys of a block.
static size_t count_keys(const HypAttentionWalk *walk)
{
    return gemm_least(walk->args->keys, ATTENTION_KEYS);
}

static size_t count_blocks(const HypAttentionWalk *walk)
{
    return hyp_attention_divide(walk).blocks + 1; // and the last
}

static Block find_block(const HypAttentionWalk *walk, size_t index)
{
    const size_t queries = hyp_attention_divide(walk).queries;
    const size_t left = walk->args->queries - index * queries;
    Block block = {index, index * queries, attention_block_queries(left, walk->tile_rows), 0};
    block.read = hyp_attention_keys_read(walk, block.first, block.count);
    return block;
}

// What a head touches: copies in the workspace, and rows of arrays. Halves stand for what is
// touched before, or behind, a line in the middle.
enum {
    KEYS = 1 << 0, // copies of a block of keys
    VALUES = 1 << 1,
    QUERIES = 1 << 2, // of a block of queries, and its results
    SCORES = 1 << 3,  // and all small things
    HALF_KEY_ROWS = 1 << 4,
    KEY_ROWS = 1 << 5,
    HALF_VALUE_ROWS = 1 << 6,
    VALUE_ROWS = 1 << 7,
    FIRST_QUERY_ROWS = 1 << 8,
    LAST_QUERY_ROWS = 1 << 9,
    FIRST_RESULT_ROWS = 1 << 10,
    LAST_RESULT_ROWS = 1 << 11,
    PACKED = KEYS | VALUES | SCORES,
    QUERY_ROWS = FIRST_QUERY_ROWS | LAST_QUERY_ROWS,
    RESULT_ROWS = FIRST_RESULT_ROWS | LAST_RESULT_ROWS,
};

static void add_parts(HypSetCounts *counts, const HypAttentionWalk *walk, unsigned parts)
{
    const Block block = find_block(walk, 0);
    const size_t half = block.count / 2;
    const size_t tile =
        attention_taken_alone(block.count) ? 1 : gemm_least(walk->tile_rows, block.count);
    const size_t keys = count_keys(walk);
    const size_t key_rows = parts & KEY_ROWS ? keys : parts & HALF_KEY_ROWS ? keys / 2 : 0;
    const size_t value_rows = parts & VALUE_ROWS ? keys : parts & HALF_VALUE_ROWS ? keys / 2 : 0;
    if (parts & KEYS)
        add_run(counts, walk, walk->keys, walk->keys + keys * walk->args->dim);
    if (parts & VALUES)
        add_run(counts, walk, walk->values, walk->values + keys * walk->width);
    if (parts & QUERIES) {
        add_run(counts, walk, walk->queries, walk->queries + block.count * walk->args->dim);
        add_run(counts, walk, walk->results, walk->results + block.count * walk->width);
    }
    if (parts & SCORES) {
        add_run(counts, walk, walk->scores, walk->scores + tile * ATTENTION_KEYS);
        add_run(counts, walk, walk->factors, walk->end);
    }
    add_rows(counts, walk, walk->head.k, walk->key_position, 0, key_rows);
    add_rows(counts, walk, walk->head.v, walk->key_position, 0, value_rows);
    add_rows(counts, walk, walk->head.q, walk->position, parts & FIRST_QUERY_ROWS ? 0 : half,
             parts & LAST_QUERY_ROWS ? block.count : half);
    add_rows(counts, walk, walk->head.out, walk->position, parts & FIRST_RESULT_ROWS ? 0 : half,
             parts & LAST_RESULT_ROWS ? block.count : half);
}

// All copies: a query that takes keys as they lie makes none of them.
static unsigned work_parts(const HypAttentionWalk *walk)
{
    const unsigned parts = QUERIES | SCORES;
    return attention_taken_alone(walk->args->queries) ? parts : parts | KEYS | VALUES;
}

static void add_results(Counting *counting, const Block *block)
{
    const HypAttentionWalk *walk = counting->walk;
    add_rows(&counting->others, walk, walk->head.out, walk->position, block->first,
             block->first + block->count);
}

static void add_queries(Counting *counting, const Block *block)
{
    const HypAttentionWalk *walk = counting->walk;
    add_rows(&counting->others, walk, walk->head.q, walk->position, block->first,
             block->first + block->count);
}

// Rows of keys that a head misses for a block of queries though it has read them for the one
// before. Counted are those that it had read for a block further back, `known`.
static double count_block_missed(Counting *counting, size_t index, size_t *known)
{
    const HypAttentionWalk *walk = counting->walk;
    const Block before = find_block(walk, index - 1);
    const Block block = find_block(walk, index);
    add_keys(&counting->own, walk, *known, before.read);
    *known = before.read;
    hyp_counts_clear(&counting->others, counting->sets);
    add_parts(&counting->others, walk, work_parts(walk));
    add_results(counting, &before);
    add_queries(counting, &block);
    return evicted_share(counting) * (double)before.read;
}

// Of all blocks of a head. Of many some stand for the others, but for the last, which is shorter.
static double count_rows_missed(Counting *counting)
{
    enum { MOST_BLOCKS = 8 };
    const HypAttentionWalk *walk = counting->walk;
    const size_t last = count_blocks(walk) - 1;
    const size_t most = walk->args->causal ? MOST_BLOCKS : 1;
    const size_t counted = last < most + 1 ? last - (last > 0) : most;
    double missed = 0;
    size_t known = 0;
    clear(counting);
    for (size_t i = 0; i < counted; i++) {
        const size_t index = 1 + (2 * i + 1) * (last - 1) / (2 * counted);
        missed +=
            count_block_missed(counting, index, &known) * (double)(last - 1) / (double)counted;
    }
    return last > 0 ? missed + count_block_missed(counting, last, &known) : 0;
}

// Likewise the head after this one, which has the same keys. It finds those of its first block as
// they were left, and the others behind its own queries and results.
static double count_shared_missed(Counting *counting)
{
    HypAttentionWalk *walk = counting->walk;
    const size_t queries = walk->args->queries;
    const Block first = find_block(walk, 0);
    const Block last = find_block(walk, count_blocks(walk) - 1);
    clear(counting);
    add_keys(&counting->own, walk, 0, last.read);
    add_parts(&counting->others, walk, work_parts(walk));
    add_results(counting, &last);
    walk->head.q += walk->args->dim;
    walk->head.out += walk->args->dim;
    add_queries(counting, &first);
    const double at_first = evicted_share(counting);
    double share = at_first;
    if (first.read < last.read) {
        add_rows(&counting->others, walk, walk->head.q, walk->position, first.count, queries);
        add_rows(&counting->others, walk, walk->head.out, walk->position, 0, last.first);
        share = (at_first + evicted_share(counting)) / 2;
    }
    walk->head.q -= walk->args->dim;
    walk->head.out -= walk->args->dim;
    return at_first * (double)first.read + share * (double)(last.read - first.read);
}

// From when to when copies are used again: from one block of keys to the next, within a block of
// queries, from one of these to the next.
typedef enum Often { BY_KEYS, WITHIN_QUERIES, BY_QUERIES, OFTEN_COUNT } Often;

// Copies, and what is touched until they are used again.
typedef struct Reuse {
    Often often;
    unsigned copies, between;
    bool reads, writes; // of QUERIES: of copies, of results
} Reuse;

static const Reuse reuses[] = {
    {BY_KEYS, KEYS, VALUES | SCORES | HALF_KEY_ROWS, true, false},
    {BY_QUERIES, KEYS, VALUES | SCORES | RESULT_ROWS | QUERY_ROWS | HALF_KEY_ROWS, true, false},
    {BY_KEYS, VALUES, KEYS | SCORES | KEY_ROWS | HALF_VALUE_ROWS, true, false},
    {BY_QUERIES, VALUES, KEYS | SCORES | RESULT_ROWS | QUERY_ROWS | KEY_ROWS | HALF_VALUE_ROWS,
     true, false},
    {WITHIN_QUERIES, QUERIES, PACKED | LAST_QUERY_ROWS | KEY_ROWS | VALUE_ROWS, true, true},
    {BY_KEYS, QUERIES, PACKED | KEY_ROWS | VALUE_ROWS, true, true},
    {BY_QUERIES, QUERIES, PACKED | RESULT_ROWS | FIRST_QUERY_ROWS, true, false},
    {WITHIN_QUERIES, QUERIES, PACKED | FIRST_RESULT_ROWS, false, true},
    {BY_QUERIES, QUERIES, LAST_RESULT_ROWS | FIRST_QUERY_ROWS, false, true},
};

// Rows of copies that are used again so, by all heads.
typedef struct Uses {
    double keys[OFTEN_COUNT], queries[OFTEN_COUNT];
} Uses;

static Uses count_uses(const HypAttentionWalk *walk)
{
    const HypAttentionArgs *args = walk->args;
    const size_t blocks = count_blocks(walk);
    const size_t keys = count_keys(walk);
    const double heads = (double)args->batch * (double)args->heads;
    size_t keys_again = 0;
    size_t queries_again = 0;
    for (size_t i = 0; i < blocks; i++) {
        const Block block = find_block(walk, i);
        keys_again += block.read > keys ? block.read - keys : 0;
    }
    for (size_t i = 0; i < args->queries; i++) {
        const size_t seen = attention_visible(args, i);
        queries_again += seen > 0 ? (seen - 1) / ATTENTION_KEYS : 0;
    }
    const double first = (double)find_block(walk, 0).count;
    return (Uses){
        .keys = {heads * (double)keys_again, 0, (heads * (double)blocks - 1) * (double)keys},
        .queries = {heads * (double)queries_again, heads * (double)args->queries,
                    heads * (double)args->queries - first}};
}

// Lines of copies that were evicted before they are used again.
typedef struct Copies {
    double read, written;
} Copies;

static Copies count_copies_missed(Counting *counting)
{
    const HypAttentionWalk *walk = counting->walk;
    const Uses uses = count_uses(walk);
    Copies missed = {0};
    if (attention_taken_alone(walk->args->queries))
        return missed;
    for (size_t i = 0; i < sizeof reuses / sizeof reuses[0]; i++) {
        const Reuse *reuse = &reuses[i];
        const double *rows = reuse->copies & QUERIES ? uses.queries : uses.keys;
        clear(counting);
        add_parts(&counting->own, walk, reuse->copies);
        add_parts(&counting->others, walk, reuse->between);
        const double lines =
            evicted_share(counting) * rows[reuse->often] / (double)walk->line_floats;
        missed.read += reuse->reads ? lines * (double)walk->args->dim : 0;
        missed.written += reuse->writes ? lines * (double)walk->width : 0;
    }
    return missed;
}

// Copies that the last block of queries leaves alone, as it is shorter, or packs nothing: all keys
// pass by before the next head comes back to them.
static Copies count_copies_left(Counting *counting)
{
    const HypAttentionWalk *walk = counting->walk;
    const HypAttentionArgs *args = walk->args;
    const Block first = find_block(walk, 0);
    const Block last = find_block(walk, count_blocks(walk) - 1);
    const bool alone = attention_taken_alone(last.count);
    const size_t keys = alone ? count_keys(walk) : 0;
    const size_t rows = first.count - last.count;
    const double heads = (double)args->batch * (double)args->heads;
    if (last.index == 0 || rows == 0)
        return (Copies){0};
    clear(counting);
    add_run(&counting->own, walk, walk->queries + last.count * args->dim,
            walk->queries + first.count * args->dim);
    add_run(&counting->own, walk, walk->results + last.count * walk->width,
            walk->results + first.count * walk->width);
    add_parts(alone ? &counting->own : &counting->others, walk, KEYS | VALUES);
    add_parts(&counting->others, walk, SCORES);
    add_keys(&counting->others, walk, 0, last.read);
    add_queries(counting, &last);
    add_results(counting, &last);
    const double times = evicted_share(counting) * (heads - 1) / (double)walk->line_floats;
    return (Copies){times * (double)((rows + keys) * args->dim + keys * walk->width),
                    times * (double)(rows * walk->width)};
}

// Lines in which rows of neighbouring heads meet, beyond those that an array has.
static double count_borders(const HypAttentionWalk *walk, size_t rows, size_t heads,
                            size_t position)
{
    const double lines = (double)(rows * position) / (double)walk->line_floats;
    return (double)(rows * heads) * hyp_attention_row_lines(walk) - lines;
}

// Of these such as are evicted from one head to the next: of keys and values behind the last block
// of queries, of queries and results behind all of a head.
static double count_borders_missed(Counting *counting)
{
    const HypAttentionWalk *walk = counting->walk;
    const HypAttentionArgs *args = walk->args;
    const size_t kv_heads = args->heads / attention_sharing(args);
    const Block first = find_block(walk, 0);
    const Block last = find_block(walk, count_blocks(walk) - 1);
    if (!neighbours_share_lines(walk))
        return 0;
    clear(counting);
    add_keys(&counting->own, walk, 0, last.read);
    add_parts(&counting->others, walk, work_parts(walk));
    add_results(counting, &last);
    add_queries(counting, &first);
    const double keys = count_borders(walk, args->keys, kv_heads, walk->key_position);
    double missed = evicted_share(counting) * keys;
    clear(counting);
    add_rows(&counting->own, walk, walk->head.q, walk->position, 0, args->queries);
    add_rows(&counting->own, walk, walk->head.out, walk->position, 0, args->queries);
    add_keys(&counting->others, walk, 0, last.read);
    add_parts(&counting->others, walk, work_parts(walk));
    missed +=
        evicted_share(counting) * count_borders(walk, args->queries, args->heads, walk->position);
    return 2 * (double)args->batch * missed;
}

// Rows of keys that all heads miss though they were read before. Where heads share keys, it depends
// on the head how its queries lie to them: some stand for the others.
static double count_all_missed(Counting *counting)
{
    enum { MOST_HEADS = 6 };
    const HypAttentionArgs *args = counting->walk->args;
    const size_t sharing = attention_sharing(args);
    const size_t heads = args->heads;
    const size_t most = sharing > 1 ? MOST_HEADS : 1;
    const size_t counted = heads < most ? heads : most;
    double missed = 0;
    for (size_t i = 0; i < counted; i++) {
        const size_t head = (2 * i + 1) * heads / (2 * counted);
        hyp_attention_walk_head(counting->walk, head);
        missed += count_rows_missed(counting);
        if (sharing == 1)
            continue;
        hyp_attention_walk_head(counting->walk, head - (head % sharing + 1 == sharing));
        missed += (1 - 1 / (double)sharing) * count_shared_missed(counting);
    }
    return missed * (double)args->batch * (double)heads / (double)counted;
}

// What a level misses and writes back.
typedef struct Level {
    double misses, write_backs;
} Level;

static Level count_level(Counting *counting)
{
    const HypAttentionWalk *walk = counting->walk;
    const double work = hyp_attention_work_lines(walk);
    const double rows = 2 * count_all_missed(counting) * hyp_attention_row_lines(walk);
    const double borders = count_borders_missed(counting);
    const Copies left = count_copies_left(counting);
    Copies copies = count_copies_missed(counting);
    copies.read += left.read;
    copies.written += left.written;
    HypStackMisses misses = {.all = 0};
    misses.of[HYP_ATTENTION_PACKED] = copies.read;
    misses.of[HYP_ATTENTION_WRITTEN] = work + copies.written;
    return (Level){hyp_attention_array_lines(walk) + work + rows + borders + copies.read +
                       copies.written,
                   hyp_attention_write_backs(walk, &misses, &counting->cache)};
}

// Of more sets than are counted, as many larger ones: conflicts are few there.
static HypCacheShape shrink_sets(HypCacheShape cache)
{
    while (cache.sets > HYP_MOST_COUNTED_SETS) {
        cache.ways *= 2;
        cache.sets = floor(cache.sets / 2);
    }
    return cache;
}

// Empty at first.
static Level find_level(HypAttentionWalk *walk, const HypCacheShape *cache)
{
    const double lines = hyp_attention_array_lines(walk) + hyp_attention_work_lines(walk);
    const HypStackMisses none = {.all = 0};
    Counting counting = {.walk = walk, .cache = hyp_stacks_shape(*cache, lines)};
    if (keeps_all(walk, &counting.cache))
        return (Level){lines, 0};
    if (keeps_heads(walk, &counting.cache))
        return (Level){lines, hyp_attention_write_backs(walk, &none, &counting.cache)};
    counting.cache = shrink_sets(counting.cache);
    counting.sets = hyp_find_sets(&counting.cache);
    return count_level(&counting);
}

void hyp_attention_add_outer(HypAttentionWalk *walk, double inner, HypAccount *account)
{
    static const double doubt = 0.03; // of lines that come back
    const double cold = hyp_attention_array_lines(walk) + hyp_attention_work_lines(walk);
    HypTraffic *traffic = &account->traffic;
    for (int i = 1; i < account->level_count; i++) {
        const Level level = find_level(walk, &account->caches[i]);
        inner = fmin(inner, level.misses);
        traffic->misses[i] += inner;
        traffic->write_backs[i] += level.write_backs;
        traffic->doubt[i] += doubt * fmax(0, inner - cold);
    }
}
