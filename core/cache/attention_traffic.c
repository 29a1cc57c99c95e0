// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_traffic.h"

#include "attention/attention_blocks.h"
#include "cache/attention_call.h"

#include <math.h>

enum {
    SAMPLES = 3,     // of what grows along a loop
    MOST_GROUPS = 3, // of a block that are looked at one by one: they stand for the others
    MOST_BLOCKS = 2, // likewise, of blocks of queries that see blocks of keys in part
};

// Blocks of queries of one size, one after the other.
typedef struct QueryBlocks {
    double times;        // heads times blocks
    size_t first, count; // of the first, and blocks
    size_t queries;      // in each
    double keys;         // that a block sees, on average
    double fresh;        // keys that all see and no block before has seen
    double next_whole;   // blocks of keys after the first that all queries of a block see, summed
    double next_parts;   // others after the first that any sees
    double part_queries; // that see those
    double seen_by_all;  // blocks of keys of which a block sees everything, summed
} QueryBlocks;

static double visible(const HypAttentionCall *call, size_t query)
{
    return (double)attention_visible(call->args, query);
}

// As hyp_attention_back_written, `times` over; where `cold`, the first time finds nothing.
static void come_over(const HypAttentionCall *call, double lines, double times, bool cold,
                      const HypPlacedWindow *window)
{
    HypTraffic *traffic = &call->account->traffic;
    const HypChances chances = hyp_placed_chances(call->account, window);
    hyp_account_chance(call->account, lines * times, &chances);
    hyp_account_write_back(call->account, lines * times, &chances);
    for (int level = 0; cold && level < call->account->level_count; level++) {
        traffic->misses[level] += lines * (1 - chances.miss[level]);
        traffic->write_backs[level] -= lines * chances.miss[level];
    }
}

// All groups that see the block: the first, some of those that fill a tile, those that do not.
static void add_groups(const HypAttentionCall *call, const HypKeyBlock *block)
{
    const size_t tile = call->tile_rows;
    size_t first = 0;
    HypQueryGroup before = hyp_attention_group(call, block, first);
    while (before.seen <= 0 && first + before.rows < block->queries) {
        first += before.rows;
        before = hyp_attention_group(call, block, first);
    }
    if (before.seen <= 0)
        return;
    const size_t begin = first;
    hyp_attention_step(call, block->times, &before, NULL);
    first += before.rows;
    const size_t full = block->queries / tile;
    const size_t others = full > first / tile ? full - first / tile : 0;
    const bool alike = before.seen_by_first >= block->keys;
    const size_t most = alike && others > MOST_GROUPS ? 1 : alike ? MOST_GROUPS : 2;
    const size_t samples = others < most ? others : most;
    for (size_t i = 0; i < samples; i++) {
        const size_t at = first + (2 * i + 1) * others / (2 * samples) * tile;
        before = hyp_attention_group(call, block, at - tile);
        HypQueryGroup group = hyp_attention_group(call, block, at);
        group.begin = begin;
        group.one_of_many = others > samples;
        hyp_attention_step(call, block->times * (double)others / (double)samples, &group, &before);
    }
    first += others * tile;
    if (others > 0)
        before = hyp_attention_group(call, block, first - tile);
    for (; first < block->queries; first += before.rows) {
        HypQueryGroup group = hyp_attention_group(call, block, first);
        group.begin = begin;
        hyp_attention_step(call, block->times, &group, &before);
        before = group;
    }
}

// Queries and results come back with each block of keys, and so do scores and states.
static void add_rows(const HypAttentionCall *call, const HypKeyBlock *block, double seeing,
                     bool leads)
{
    const double first = (double)block->queries - seeing;
    const double rows = fmin(seeing, (double)call->tile_rows);
    const double states = 1 + 2 * seeing / call->line + rows * (double)ATTENTION_KEYS / call->line;
    for (int i = 0; i < 2; i++) {
        HypPlacedWindow window;
        hyp_placed_start(&window);
        if (i == 0)
            hyp_add_queries(&window.still, call, first, seeing);
        hyp_add_results(&window.still, call, first, seeing);
        if (i == 1)
            hyp_add_queries(&window.still, call, first, seeing);
        hyp_add_keys(&window.still, call, 0, hyp_attention_keys(call, block->keys));
        hyp_add_other_values(&window.still, call, -1, block->keys);
        hyp_add_scores(&window.still, call, rows);
        hyp_add_states(&window.still, call, first, seeing);
        hyp_add_key_rows(&window, call, 0, block->keys);
        hyp_add_value_rows(&window, call, 0, block->keys);
        if (leads)
            hyp_add_head_rows(&window.others, call, seeing / 2, call->position);
        if (i == 0)
            hyp_attention_back(call, block->times * hyp_attention_queries(call, seeing), &window);
        else
            hyp_attention_back_written(call, block->times * (seeing * call->packed_row + states),
                                       &window);
    }
}

// Of the last group of a block.
static double last_rows(const HypAttentionCall *call, size_t queries)
{
    size_t rows = attention_group_rows(queries, call->tile_rows);
    for (size_t i = 0; i < queries; i += rows)
        rows = attention_group_rows(queries - i, call->tile_rows);
    return (double)rows;
}

// A block of keys that is packed after another, or as the first after what lies between blocks of
// queries. Where `cold`, the first time it is the first of all.
typedef struct Packing {
    const HypKeyBlock *block;
    int samples;
    bool leads, cold;
} Packing;

// What came since the last group read the keys and values that are now written over.
static void add_last_group(HypPlacedWindow *window, const HypAttentionCall *call,
                           const Packing *packing, bool queries)
{
    const double all = (double)packing->block->queries;
    const double rows = last_rows(call, packing->block->queries);
    const double first = packing->leads ? 0 : all - rows;
    if (queries || packing->leads)
        hyp_add_queries(&window->still, call, first, all - first);
    hyp_add_results(&window->still, call, first, all - first);
    hyp_add_scores(&window->still, call, rows);
    hyp_add_states(&window->still, call, first, all - first);
    if (packing->leads)
        hyp_add_head_rows(&window->others, call, 2 * all, call->position);
}

static void add_key_packing(const HypAttentionCall *call, const Packing *packing)
{
    const double keys = packing->block->keys;
    const double lines = hyp_attention_keys(call, keys);
    for (int i = 0; i < packing->samples; i++) {
        HypPlacedWindow window;
        hyp_placed_start(&window);
        hyp_add_keys(&window.still, call, 0, lines);
        hyp_add_other_values(&window.still, call, -1, keys);
        add_last_group(&window, call, packing, true);
        hyp_add_key_rows(&window, call, 0, (i + 0.5) / packing->samples * keys);
        come_over(call, lines / packing->samples, packing->block->times, packing->cold, &window);
    }
}

// Values were read panel by panel, and are written row by row: here `from` to `to` of a panel.
static void add_value_packing(const HypAttentionCall *call, const Packing *packing, int panel,
                              double share, double from, double to)
{
    const double keys = packing->block->keys;
    HypPlacedWindow window;
    hyp_placed_start(&window);
    hyp_add_values_of(&window.still, call, panel, from, to);
    hyp_add_values_of(&window.still, call, panel, 0, from);
    hyp_add_values_of(&window.still, call, panel, to, keys);
    hyp_add_keys(&window.still, call, 0, hyp_attention_keys(call, keys));
    for (int other = 0; other < call->value_panels; other++)
        if (other != panel)
            hyp_add_values_of(&window.still, call, other, 0, other < panel ? to : keys);
    add_last_group(&window, call, packing, false);
    hyp_add_key_rows(&window, call, 0, keys);
    hyp_add_value_rows(&window, call, 0, (from + to) / 2);
    come_over(call, (to - from) * call->packed_row * share, packing->block->times, packing->cold,
              &window);
}

// The place of the first values, by way of which keys are transposed: it is touched again before
// values are packed.
static void add_passage(const HypAttentionCall *call, const Packing *packing, double lines)
{
    const double all = packing->block->keys * call->packed_row;
    HypPlacedWindow window;
    hyp_placed_start(&window);
    hyp_pieces_add(&window.still, call->values, lines);
    hyp_pieces_add(&window.still, call->values + lines, all - lines);
    add_last_group(&window, call, packing, false);
    hyp_add_key_rows(&window, call, 0, fmin(packing->block->keys, (double)call->lanes));
    come_over(call, lines, packing->block->times, packing->cold, &window);
}

static void add_packing(const HypAttentionCall *call, const Packing *packing)
{
    add_key_packing(call, packing);
    const double keys = packing->block->keys;
    const double passage = fmin(keys, (double)call->lanes);
    add_passage(call, packing, passage * call->packed_row);
    const int samples = packing->samples;
    const double rows = keys / samples;
    for (int i = 0; i < samples; i++) {
        const HypValueSample sample = hyp_attention_value_sample(call, (i + 1) % samples, samples);
        const double share = sample.share * samples * (1 - passage / keys);
        add_value_packing(call, packing, sample.panel, share, i * rows, (i + 1) * rows);
    }
}

// Rows that come back after `keys` keys and as many values, and a block of queries with its
// results. All arrays are cut into heads alike, and begin at multiples of pages: where rows are as
// far apart, they fall into the same sets.
static HypWindow find_pass(const HypAttentionCall *call, double queries, double keys,
                           bool of_queries)
{
    HypWindow window;
    hyp_window_start(&window);
    if (call->position == call->key_position) {
        hyp_add_head_rows(&window, call, 2 * (queries + keys), call->position);
    } else {
        hyp_add_head_rows(&window, call, 2 * queries, call->position);
        hyp_add_head_rows(&window, call, 2 * keys, call->key_position);
        if (!of_queries && keys > 0)
            hyp_window_put_first(&window, 1);
    }
    const bool alone = attention_taken_alone(call->args->queries);
    hyp_window_add(&window, alone ? hyp_attention_alone_lines(call, queries) : call->end, 1, 0);
    return window;
}

// Queries and results: new, but for lines in which a row begins where one of the head before ends.
static void add_query_sources(const HypAttentionCall *call, const QueryBlocks *blocks)
{
    const double rows = blocks->times * (double)blocks->queries * call->row;
    const HypWindow window = find_pass(call, (double)blocks->queries, blocks->keys, true);
    hyp_account_cold(call->account, 2 * rows * call->own);
    hyp_account(call->account, rows * (1 - call->own), &window);
    hyp_account_written(call->account, rows * (1 - call->own), &window);
}

// Keys and values, of which a head reads those that no block of queries before has seen for the
// first time. The first head that they serve finds no more of them than lines that it has in common
// with the head before.
static void add_key_sources(const HypAttentionCall *call, const QueryBlocks *blocks)
{
    const double queries = (double)blocks->queries;
    const size_t samples = blocks->count < SAMPLES ? blocks->count : SAMPLES;
    const double row = 2 * blocks->times / (double)samples * call->row;
    for (size_t i = 0; i < samples; i++) {
        const size_t index = samples > 1 ? i * (blocks->count - 1) / (samples - 1) : 0;
        const size_t query = blocks->first + index * blocks->queries;
        const double before = query > 0 ? visible(call, query - 1) : 0;
        const HypWindow window = find_pass(call, queries, before, false);
        hyp_account(call->account, row * before, &window);
    }
    const double fresh = 2 * call->heads * blocks->fresh * call->row;
    const double cold = call->fresh * call->own;
    const HypWindow window =
        find_pass(call, queries, visible(call, call->args->queries - 1), false);
    hyp_account_cold(call->account, fresh * cold);
    hyp_account(call->account, fresh * (1 - cold), &window);
}

// Queries are copied by way of their results, which are written over those of the block before.
static void add_ends(const HypAttentionCall *call, const QueryBlocks *blocks)
{
    const double queries = (double)blocks->queries;
    const double rows = fmin(queries, (double)call->tile_rows);
    const double keys = fmin(blocks->keys, (double)ATTENTION_KEYS);
    const bool several = blocks->queries > call->tile_rows;
    const bool cold = blocks->first == 0;
    HypPlacedWindow start;
    hyp_placed_start(&start);
    hyp_add_results(&start.still, call, 0, queries);
    hyp_add_queries(&start.still, call, 0, queries / 2);
    hyp_add_states(&start.still, call, 0, queries);
    hyp_add_head_rows(&start.others, call, 1.5 * queries, call->position);
    come_over(call, queries * call->packed_row, blocks->times, cold, &start);

    HypPlacedWindow packing;
    hyp_placed_start(&packing);
    hyp_add_queries(&packing.still, call, 0, queries);
    hyp_add_results(&packing.still, call, 0, queries);
    if (several)
        hyp_add_keys(&packing.still, call, 0, hyp_attention_keys(call, keys));
    hyp_add_other_values(&packing.still, call, -1, keys);
    hyp_add_scores(&packing.still, call, rows);
    hyp_add_states(&packing.still, call, 0, queries);
    hyp_add_head_rows(&packing.others, call, 1.5 * queries, call->position);
    come_over(call, hyp_attention_queries(call, queries), blocks->times, cold, &packing);

    HypPlacedWindow end;
    hyp_placed_start(&end);
    hyp_add_results(&end.still, call, 0, queries);
    if (several) {
        hyp_add_queries(&end.still, call, queries / 2, queries / 2);
        hyp_add_keys(&end.still, call, 0, hyp_attention_keys(call, keys));
        hyp_add_other_values(&end.still, call, -1, keys);
        hyp_add_scores(&end.still, call, rows);
    }
    hyp_add_states(&end.still, call, 0, queries);
    hyp_add_head_rows(&end.others, call, queries / 2, call->position);
    hyp_attention_back(call, blocks->times * queries * call->packed_row, &end);
    call->account->traffic.accesses += blocks->times * hyp_attention_end_accesses(call, queries);
}

// Packing, and what comes back with a block of keys: the first, others that all queries see, and
// those that some do or that have fewer keys.
static void add_key_blocks(const HypAttentionCall *call, const QueryBlocks *blocks)
{
    const double step = (double)ATTENTION_KEYS;
    const double queries = (double)blocks->queries;
    HypKeyBlock block = {.times = blocks->times,
                         .keys = fmin(blocks->keys, step),
                         .first_query = blocks->first,
                         .queries = blocks->queries};
    call->account->traffic.accesses += blocks->times * blocks->keys / block.keys *
                                       hyp_attention_packing_accesses(call, block.keys);
    // The more there are of a kind, the closer it is looked at.
    const bool first_most = blocks->next_whole < (double)blocks->count;
    const Packing first = {&block, first_most ? SAMPLES : 1, true, blocks->first == 0};
    add_packing(call, &first);
    add_rows(call, &block, queries, true);
    block.times = call->heads * blocks->next_whole;
    if (block.times > 0) {
        add_packing(call, &(Packing){.block = &block, .samples = SAMPLES});
        add_rows(call, &block, queries, false);
    }
    block.times = call->heads * blocks->next_parts;
    if (block.times <= 0)
        return;
    if (!call->args->causal)
        block.keys = blocks->keys - floor(blocks->keys / step) * step;
    add_packing(call, &(Packing){.block = &block, .samples = blocks->next_whole > 0 ? 1 : SAMPLES});
    add_rows(call, &block, blocks->part_queries / blocks->next_parts, false);
}

// Blocks of keys that queries of one block see in part.
static void add_seen_in_part(const HypAttentionCall *call, const QueryBlocks *blocks)
{
    const size_t samples = blocks->count < MOST_BLOCKS ? blocks->count : MOST_BLOCKS;
    for (size_t i = 0; i < samples; i++) {
        const size_t index = (2 * i + 1) * blocks->count / (2 * samples);
        HypKeyBlock block = {.times = blocks->times / (double)samples,
                             .first_query = blocks->first + index * blocks->queries,
                             .queries = blocks->queries};
        const double keys = visible(call, block.first_query + block.queries - 1);
        const double step = (double)ATTENTION_KEYS;
        block.first = floor(visible(call, block.first_query) / step) * step;
        for (; block.first < keys; block.first += step) {
            block.keys = fmin(step, (double)call->args->keys - block.first);
            add_groups(call, &block);
        }
    }
}

// Counts the blocks of keys after the first that queries `first` to `first` + blocks->queries - 1
// see.
static void count_next_blocks(const HypAttentionCall *call, size_t first, QueryBlocks *blocks)
{
    const double step = (double)ATTENTION_KEYS;
    const double queries = (double)blocks->queries;
    const double whole = fmax(1, floor(visible(call, first) / step));
    const double keys = visible(call, first + blocks->queries - 1);
    blocks->next_whole += whole - 1;
    for (int i = 0; (whole + i) * step < keys; i++) { // each query sees one key more
        blocks->next_parts++;
        blocks->part_queries +=
            call->args->causal ? fmin(queries, keys - (whole + i) * step) : queries;
    }
}

static void add_query_blocks(const HypAttentionCall *call, size_t first, size_t count,
                             size_t queries)
{
    QueryBlocks blocks = {
        .times = call->heads * (double)count, .first = first, .count = count, .queries = queries};
    for (size_t i = 0; i < count; i++) {
        const size_t query = first + i * queries;
        blocks.keys += visible(call, query + queries - 1) / (double)count;
        blocks.seen_by_all += floor(visible(call, query) / (double)ATTENTION_KEYS);
        count_next_blocks(call, query, &blocks);
    }
    const size_t last = first + count * queries - 1;
    blocks.fresh = visible(call, last) - (first > 0 ? visible(call, first - 1) : 0);
    add_query_sources(call, &blocks);
    add_key_sources(call, &blocks);
    if (attention_taken_alone(queries)) {
        hyp_attention_alone(call, blocks.times, first, queries);
        return;
    }
    add_ends(call, &blocks);
    if (blocks.keys <= 0)
        return;
    add_key_blocks(call, &blocks);
    const HypKeyBlock seen_by_all = {.times = call->heads * blocks.seen_by_all,
                                     .keys = (double)ATTENTION_KEYS,
                                     .first_query = last + 1 - queries,
                                     .queries = queries};
    if (seen_by_all.times > 0)
        add_groups(call, &seen_by_all);
    add_seen_in_part(call, &blocks);
}

void hyp_attention_traffic(const HypAttentionArgs *args, HyperionSIMDLevel level,
                           HypAccount *account)
{
    if (!args->batch || !args->heads || !args->queries || !args->keys || !args->dim)
        return;
    const HypAttentionCall call = hyp_attention_call(args, level, account);
    size_t whole = 0; // queries of blocks of whole tiles
    const size_t step = attention_block_queries(args->queries, call.tile_rows);
    for (size_t next = step; whole + next < args->queries;) {
        whole += next;
        next = attention_block_queries(args->queries - whole, call.tile_rows);
    }
    if (whole > 0)
        add_query_blocks(&call, 0, whole / step, step);
    add_query_blocks(&call, whole, 1, args->queries - whole);
    if (attention_taken_alone(args->queries)) {
        hyp_account_cold(account, hyp_attention_alone_lines(&call, (double)args->queries));
        return;
    }
    const double most = (double)step;
    const double scores = fmin(most, (double)call.tile_rows) * (double)ATTENTION_KEYS / call.line;
    hyp_account_cold(account, scores + 1 + 2 * ceil(most / call.line));
}
