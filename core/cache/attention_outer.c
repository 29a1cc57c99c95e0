// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_outer.h"

#include "attention/attention_blocks.h"
#include "cache/gemm_block.h"
#include "common/size_math.h"

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

// Heads whose queries lie alike to their keys.
typedef struct HeadClass {
    size_t offset; // of the queries to the keys, floats, but for whole steps from row to row
    size_t head;   // one of them
    double heads;
} HeadClass;

enum { HEAD_CLASSES = 8 };

// The classes of an image's heads; what is more than there is room for counts with another.
static size_t classify_heads(const HypAttentionWalk *walk, HeadClass classes[HEAD_CLASSES])
{
    const size_t heads = walk->args->heads;
    const size_t sharing = attention_sharing(walk->args);
    const size_t step = hyp_size_divisor(walk->position, walk->key_position);
    size_t count = 0;
    for (size_t head = 0; head < heads; head++) {
        const size_t offset = (head - head / sharing) * walk->args->dim % step;
        size_t at = 0;
        while (at < count && classes[at].offset != offset)
            at++;
        if (at == HEAD_CLASSES)
            at = head % HEAD_CLASSES;
        else if (at == count)
            classes[count++] = (HeadClass){.offset = offset, .head = head};
        classes[at].heads++;
    }
    return count;
}

// A key or value comes back after as many keys and values as are seen, the queries of a block and
// the results of one.
static HypChances find_key_chances(HypAttentionWalk *walk, const HypAccount *account, size_t seen,
                                   size_t queries, size_t results)
{
    HeadClass classes[HEAD_CLASSES];
    const size_t count = classify_heads(walk, classes);
    HypChances mean = {{0}};
    for (size_t i = 0; i < count; i++) {
        HypWindow window;
        hyp_attention_walk_head(walk, classes[i].head);
        hyp_window_start(&window);
        add_rows(&window, walk, walk->head.k, walk->key_position, seen);
        add_rows(&window, walk, walk->head.v, walk->key_position, seen);
        add_rows(&window, walk, walk->head.q, walk->position, queries);
        add_rows(&window, walk, walk->head.out, walk->position, results);
        add_work(&window, walk, walk->keys, walk->end);
        const HypChances chances = hyp_account_chances(account, &window);
        hyp_chances_add(&mean, &chances, classes[i].heads / (double)walk->args->heads);
    }
    return mean;
}

// Queries and results in the workspace come back after so many keys and values.
static HypChances find_work_chances(const HypAttentionWalk *walk, const HypAccount *account,
                                    size_t keys)
{
    HypWindow window;
    hyp_window_start(&window);
    add_work(&window, walk, walk->queries, walk->scores);
    add_work(&window, walk, walk->keys, walk->queries);
    add_work(&window, walk, walk->scores, walk->end);
    add_rows(&window, walk, walk->head.k, walk->key_position, keys);
    add_rows(&window, walk, walk->head.v, walk->key_position, keys);
    return hyp_account_chances(account, &window);
}

// Keys that are read for a block of queries: whole blocks, where they are packed.
static size_t count_read(const HypAttentionWalk *walk, size_t first, size_t queries)
{
    const size_t seen = attention_visible(walk->args, first + queries - 1);
    const size_t blocks = (seen + ATTENTION_KEYS - 1) / ATTENTION_KEYS;
    if (attention_taken_alone(queries) || blocks * ATTENTION_KEYS > walk->args->keys)
        return attention_taken_alone(queries) ? seen : walk->args->keys;
    return blocks * ATTENTION_KEYS;
}

// Touches of rows by one head, in lines, but for those of its queries and results; and how many
// queries pass over a block of keys, summed over those.
typedef struct Rows {
    double all, again; // again: that an earlier block of queries has touched
    double passes;
} Rows;

static double count_passes(const HypAttentionWalk *walk, size_t first, size_t queries)
{
    const size_t seen = attention_visible(walk->args, first + queries - 1);
    double passes = 0;
    for (size_t key = 0; key < seen; key += ATTENTION_KEYS) {
        const bool by_all = !walk->args->causal || seen - key > queries;
        passes += (double)(by_all ? queries : seen - key); // each query sees one key more
    }
    return passes;
}

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
        const size_t seen = count_read(walk, first, count);
        rows.all += row * (double)seen;
        rows.passes += count_passes(walk, first, count);
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
    const size_t read = count_read(walk, args->queries - 1, 1);
    const size_t rest = args->queries % queries;
    const HypChances by_head =
        find_key_chances(walk, account, read, queries, rest > 0 ? rest : queries);
    hyp_account_chance(&outer, fmax(0, touched - arrays), &by_head);
    const size_t keys = args->keys < ATTENTION_KEYS ? args->keys : ATTENTION_KEYS;
    const HypChances by_pass = find_work_chances(walk, account, keys);
    const double work = (double)(args->dim + walk->width) / (double)walk->line_floats;
    hyp_account_written_at(&outer, heads * rows.passes * work, &by_pass);
    if (rest > 0) { // the last block leaves places of more queries alone
        const HypChances by_block = find_work_chances(walk, account, read);
        hyp_account_written_at(&outer, heads * (double)(queries - rest) * work, &by_block);
    }
    for (int level = 1; level < account->level_count; level++) {
        inner = fmin(inner, outer.traffic.misses[level]);
        account->traffic.misses[level] += inner;
        account->traffic.write_backs[level] += outer.traffic.write_backs[level];
        account->traffic.doubt[level] += outer.traffic.doubt[level];
    }
}
