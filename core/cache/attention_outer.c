// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_outer.h"

#include "attention/attention_blocks.h"
#include "cache/attention_lines.h"
#include "common/fail.h"

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

static void add_rows(HypWindow *window, const HypAttentionWalk *walk, size_t array, size_t position,
                     size_t count)
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
        add_rows(&window, walk, walk->head.q, walk->position, args->queries);
        add_rows(&window, walk, walk->head.out, walk->position, args->queries);
    }
    add_rows(&window, walk, walk->head.k, walk->key_position, args->keys);
    add_rows(&window, walk, walk->head.v, walk->key_position, args->keys);
    hyp_window_put_first(&window, window.count - 1);
    if (hyp_window_miss(&window, cache) > 0)
        return false;
    hyp_window_put_first(&window, window.count - 2);
    return hyp_window_miss(&window, cache) <= 0;
}

// Heads one after another in one level.
typedef struct Pass {
    HypAttentionWalk *walk;
    size_t seen; // keys that were read by heads that share them
    double met;  // lines of rows that were taken for met for the first time
} Pass;

// Counts `times`.
static void walk_block(Pass *pass, size_t first, size_t queries, double times)
{
    HypAttentionWalk *walk = pass->walk;
    const size_t read = hyp_attention_keys_read(walk, first, queries);
    hyp_stacks_weigh(&walk->stacks, times);
    hyp_attention_walk_queries(walk, first, queries);
    for (size_t key = 0; key < read; key += ATTENTION_KEYS) {
        const HypAttentionStep step = hyp_attention_step(walk, first, queries, key);
        if (attention_taken_alone(queries)) {
            hyp_attention_walk_alone(walk, &step);
        } else {
            hyp_attention_walk_packing(walk, key, step.keys);
            hyp_attention_walk_pass(walk, &step);
        }
    }
    hyp_attention_walk_results(walk, first, queries);
    const size_t fresh = queries + (read > pass->seen ? read - pass->seen : 0);
    pass->seen = read > pass->seen ? read : pass->seen;
    pass->met += times * 2 * (double)fresh * hyp_attention_row_lines(walk);
}

static size_t count_blocks(const HypAttentionWalk *walk)
{
    return hyp_attention_divide(walk).blocks + 1; // and the last
}

// Of many blocks of queries the middle one, behind the one before it, stands for all but the first
// and the last.
static void walk_head(Pass *pass, size_t head, double times)
{
    enum { MOST_BLOCKS = 5 };
    const HypAttentionArgs *args = pass->walk->args;
    const size_t blocks = count_blocks(pass->walk);
    const size_t middle = blocks / 2;
    hyp_attention_walk_head(pass->walk, head);
    for (size_t first = 0, i = 0, count; first < args->queries; first += count, i++) {
        const bool alike = blocks > MOST_BLOCKS && i > 0 && i + 1 < blocks;
        count = attention_block_queries(args->queries - first, pass->walk->tile_rows);
        if (!alike)
            walk_block(pass, first, count, times);
        else if (i == middle)
            walk_block(pass, first, count, times * (double)(blocks - 2));
        else if (i + 1 == middle)
            walk_block(pass, first, count, 0);
    }
}

// Heads that share keys, from the first of them on: of many, some behind the first stand for all.
static void walk_sharing_heads(Pass *pass, size_t first, double times)
{
    enum { MOST_HEADS = 4 };
    const size_t others = attention_sharing(pass->walk->args) - 1;
    const size_t walked = others < MOST_HEADS ? others : MOST_HEADS - 1;
    pass->seen = 0;
    walk_head(pass, first, times);
    for (size_t i = 1; i <= walked; i++)
        walk_head(pass, first + i, times * (double)others / (double)walked);
}

// Groups of heads that share keys, behind the first.
static size_t count_others(const HypAttentionWalk *walk)
{
    return walk->args->batch * walk->args->heads / attention_sharing(walk->args) - 1;
}

// Of those as many as there is time for, or as differ: in where queries lie to their keys, if these
// are shared, but not from image to image.
static size_t count_walked(const HypAttentionWalk *walk)
{
    enum { MOST_ROWS = 20000, ALIKE = 2 };
    const HypAttentionArgs *args = walk->args;
    const size_t sharing = attention_sharing(args);
    const size_t rows = 2 * sharing * (args->queries + count_blocks(walk) * args->keys);
    const size_t most = 1 + MOST_ROWS / (1 + rows);
    const bool alike = sharing == 1 && !neighbours_share_lines(walk);
    const size_t of_image = alike ? ALIKE : args->heads / sharing;
    const size_t others = count_others(walk);
    const size_t unlike = others < of_image ? others : of_image;
    return unlike < most ? unlike : most;
}

static void walk_heads(Pass *pass)
{
    const HypAttentionWalk *walk = pass->walk;
    const size_t others = count_others(walk);
    const size_t walked = count_walked(walk);
    const size_t step = neighbours_share_lines(walk) || walked == 0 ? 1 : others / walked;
    walk_sharing_heads(pass, 0, 1);
    for (size_t i = 0; i < walked; i++)
        walk_sharing_heads(pass, (1 + i * step) * attention_sharing(walk->args),
                           (double)others / (double)walked);
}

// What a level misses and writes back.
typedef struct Level {
    double misses, write_backs;
} Level;

// Empty at first.
static bool walk_level(HypAttentionWalk *walk, const HypCacheShape *cache, Level *level)
{
    enum { SHIFT = 4 }; // one of sixteen sets
    const HypAttentionArgs *args = walk->args;
    const double lines = hyp_attention_array_lines(walk) + hyp_attention_work_lines(walk);
    const HypCacheShape shape = hyp_stacks_shape(*cache, lines);
    const HypStackMisses none = {.all = 0};
    *level = (Level){.misses = lines};
    if (keeps_all(walk, &shape))
        return true;
    level->write_backs = hyp_attention_write_backs(walk, &none, &shape);
    if (keeps_heads(walk, &shape))
        return true;
    if (!hyp_stacks_open(&walk->stacks, &shape, SHIFT))
        return hyp_fail(HYPERION_ERROR_MEMORY,
                        "predict attention: out of memory for a cache of %.0f sets and %.0f ways",
                        shape.sets, shape.ways);
    Pass pass = {.walk = walk};
    walk->coarse = true;
    walk_heads(&pass);
    const HypStackMisses misses = hyp_stacks_take(&walk->stacks);
    const double rows =
        (double)args->batch * (double)args->heads *
        ((double)args->keys / (double)attention_sharing(args) + (double)args->queries); // each once
    const double met = 2 * rows * hyp_attention_row_lines(walk);
    level->misses = fmax(lines, misses.all - pass.met + met);
    level->write_backs = hyp_attention_write_backs(walk, &misses, &shape);
    hyp_stacks_close(&walk->stacks);
    return true;
}

void hyp_attention_add_outer(HypAttentionWalk *walk, double inner, HypAccount *account)
{
    static const double doubt = 0.03; // of lines that come back
    const double cold = hyp_attention_array_lines(walk) + hyp_attention_work_lines(walk);
    HypTraffic *traffic = &account->traffic;
    for (int i = 1; i < account->level_count && !account->failed; i++) {
        Level level;
        account->failed = !walk_level(walk, &account->caches[i], &level);
        inner = fmin(inner, level.misses);
        traffic->misses[i] += inner;
        traffic->write_backs[i] += level.write_backs;
        traffic->doubt[i] += doubt * fmax(0, inner - cold);
    }
}
