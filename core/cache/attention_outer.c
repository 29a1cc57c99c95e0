// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_outer.h"

#include "attention/attention_blocks.h"
#include "cache/gemm_block.h"

#include <math.h>

// Rows of a head in an array: `count` from the beginning.
static void add_rows(HypWindow *window, const HypAttentionWalk *walk, size_t array, size_t position,
                     size_t count)
{
    const size_t dim = walk->args->dim;
    const double row = hyp_lines_of_run(dim, dim, walk->line_floats);
    const HypPlace place = {.known = true, .start = array, .width = dim};
    hyp_window_add(window, (double)count * row, count, position);
    if (count > 0)
        hyp_window_place(window, &place);
}

// Of the workspace.
static void add_work(HypWindow *window, const HypAttentionWalk *walk, size_t from, size_t to)
{
    const HypPlace place = {.known = true, .start = from, .width = to - from};
    hyp_window_add(window, ceil((double)(to - from) / (double)walk->line_floats), 1, 0);
    hyp_window_place(window, &place);
}

// A key or value comes back after as many keys and values as are seen, the queries of a block and
// the results of one. Where heads share keys, their queries lie differently to these: looked at for
// some heads.
static HypChances find_key_chances(HypAttentionWalk *walk, const HypAccount *account, size_t seen,
                                   size_t queries, size_t results)
{
    enum { SAMPLES = 4 };
    const size_t heads = walk->args->heads;
    const size_t most = attention_sharing(walk->args) > 1 ? SAMPLES : 1;
    const size_t samples = heads < most ? heads : most;
    HypChances mean = {{0}};
    for (size_t i = 0; i < samples; i++) {
        HypWindow window;
        hyp_attention_walk_head(walk, samples > 1 ? i * (heads - 1) / (samples - 1) : 0);
        hyp_window_start(&window);
        add_rows(&window, walk, walk->head.k, walk->key_position, seen);
        add_rows(&window, walk, walk->head.v, walk->key_position, seen);
        add_rows(&window, walk, walk->head.q, walk->position, queries);
        add_rows(&window, walk, walk->head.out, walk->position, results);
        add_work(&window, walk, walk->keys, walk->end);
        const HypChances chances = hyp_account_chances(account, &window);
        hyp_chances_add(&mean, &chances, 1 / (double)samples);
    }
    return mean;
}

// Queries and results in the workspace come back after a block of keys and values.
static HypChances find_work_chances(const HypAttentionWalk *walk, const HypAccount *account)
{
    const size_t keys = walk->args->keys < ATTENTION_KEYS ? walk->args->keys : ATTENTION_KEYS;
    HypWindow window;
    hyp_window_start(&window);
    add_work(&window, walk, walk->queries, walk->scores);
    add_work(&window, walk, walk->keys, walk->queries);
    add_rows(&window, walk, walk->head.k, walk->key_position, keys);
    add_rows(&window, walk, walk->head.v, walk->key_position, keys);
    return hyp_account_chances(account, &window);
}

// Touches of rows by one head, in lines, but for those of its queries and results; and how often
// it passes over a block of keys.
typedef struct Rows {
    double all, again; // again: that an earlier block of queries has touched
    double passes;
} Rows;

// One head, block of queries after block. What is missed depends on how many keys are seen: looked
// at for some.
static Rows pass_over_keys(HypAttentionWalk *walk, HypAccount *account, double heads)
{
    enum { SAMPLES = 3 };
    const HypAttentionArgs *args = walk->args;
    const double row = 2 * hyp_attention_row_lines(walk);
    const size_t step = attention_block_queries(args->queries, walk->tile_rows);
    const size_t every = args->queries / step / SAMPLES + 1;
    Rows rows = {0, 0, 0};
    HypChances chances = {{0}};
    size_t before = 0;
    for (size_t first = 0, i = 0, count; first < args->queries; first += count, i++) {
        count = attention_block_queries(args->queries - first, walk->tile_rows);
        const size_t seen = attention_visible(args, first + count - 1);
        rows.all += row * (double)seen;
        rows.passes += ceil((double)seen / (double)ATTENTION_KEYS);
        if (before > 0) {
            if (i % every == 0 || i == 1 || count < step)
                chances = find_key_chances(walk, account, before, count, step);
            rows.again += row * (double)before;
            hyp_account_chance(account, heads * row * (double)before, &chances);
        }
        before = seen;
    }
    return rows;
}

void hyp_attention_add_outer(HypAttentionWalk *walk, double inner, HypAccount *account)
{
    const HypAttentionArgs *args = walk->args;
    const double heads = (double)args->batch * (double)args->heads;
    const size_t queries = attention_block_queries(args->queries, walk->tile_rows);
    const double arrays = hyp_attention_array_lines(walk);
    HypAccount outer = *account;
    outer.traffic = (HypTraffic){.accesses = 0};
    hyp_account_cold(&outer, arrays + hyp_attention_work_lines(walk));
    const Rows rows = pass_over_keys(walk, &outer, heads);
    // What is left of the touches is of a head whose keys another has read, or of lines in which
    // rows of two heads meet.
    const double own_rows = 2 * (double)args->queries * hyp_attention_row_lines(walk);
    const double touched = heads * (rows.all - rows.again + own_rows);
    const size_t seen = attention_visible(args, args->queries - 1);
    const size_t rest = args->queries % queries;
    const HypChances by_head =
        find_key_chances(walk, account, seen, queries, rest > 0 ? rest : queries);
    hyp_account_chance(&outer, fmax(0, touched - arrays), &by_head);
    const HypChances by_pass = find_work_chances(walk, account);
    const double work = (double)(queries * (args->dim + walk->width)) / (double)walk->line_floats;
    hyp_account_written_at(&outer, heads * rows.passes * work, &by_pass);
    for (int level = 1; level < account->level_count; level++) {
        inner = fmin(inner, outer.traffic.misses[level]);
        account->traffic.misses[level] += inner;
        account->traffic.write_backs[level] += outer.traffic.write_backs[level];
        account->traffic.doubt[level] += outer.traffic.doubt[level];
    }
}
