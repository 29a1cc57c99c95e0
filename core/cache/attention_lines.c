// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_lines.h"

#include "attention/attention_blocks.h"
#include "cache/gemm_block.h"

#include <math.h>

double hyp_attention_row_lines(const HypAttentionWalk *walk)
{
    const size_t dim = walk->args->dim;
    return hyp_lines_of_run(dim, dim, walk->line_floats);
}

static double whole_lines(const HypAttentionWalk *walk, size_t floats)
{
    const size_t lines = (floats + walk->line_floats - 1) / walk->line_floats;
    return (double)lines;
}

double hyp_attention_array_lines(const HypAttentionWalk *walk)
{
    const HypAttentionArgs *args = walk->args;
    const size_t queries = args->batch * args->queries * walk->position;
    const size_t keys = args->batch * args->keys * walk->key_position;
    return 2 * (whole_lines(walk, queries) + whole_lines(walk, keys));
}

double hyp_attention_work_lines(const HypAttentionWalk *walk)
{
    const HypAttentionArgs *args = walk->args;
    const size_t queries = attention_block_queries(args->queries, walk->tile_rows);
    const double own = 3 + whole_lines(walk, queries * (args->dim + walk->width));
    if (attention_taken_alone(args->queries))
        return own + whole_lines(walk, ATTENTION_KEYS);
    const size_t keys = gemm_least(args->keys, ATTENTION_KEYS);
    const size_t columns = (keys + walk->tile_keys - 1) / walk->tile_keys * walk->tile_keys;
    const size_t rows = gemm_least(queries, walk->tile_rows);
    return own + whole_lines(walk, columns * args->dim + keys * walk->width) +
           whole_lines(walk, rows * ATTENTION_KEYS);
}

HypAttentionDivision hyp_attention_divide(const HypAttentionWalk *walk)
{
    HypAttentionDivision division = {
        .queries = attention_block_queries(walk->args->queries, walk->tile_rows),
        .rest = walk->args->queries};
    for (size_t next = division.queries; next < division.rest;
         next = attention_block_queries(division.rest, walk->tile_rows)) {
        division.blocks++;
        division.rest -= next;
    }
    return division;
}

size_t hyp_attention_keys_read(const HypAttentionWalk *walk, size_t first, size_t queries)
{
    const size_t seen = attention_visible(walk->args, first + queries - 1);
    const size_t blocks = (seen + ATTENTION_KEYS - 1) / ATTENTION_KEYS;
    if (attention_taken_alone(queries))
        return seen;
    return gemm_least(blocks * ATTENTION_KEYS, walk->args->keys);
}

// Lines of copies in the workspace, by all heads: made of keys and values, made of queries, and
// read of those, once by each block of keys.
typedef struct Copies {
    double keys, queries, queries_read;
} Copies;

static Copies count_copies(const HypAttentionWalk *walk)
{
    const HypAttentionArgs *args = walk->args;
    const double heads = (double)args->batch * (double)args->heads;
    const double lines = heads / (double)walk->line_floats; // of one float
    Copies copies = {0};
    for (size_t first = 0, count; first < args->queries; first += count) {
        count = attention_block_queries(args->queries - first, walk->tile_rows);
        const double read = (double)hyp_attention_keys_read(walk, first, count);
        const double queries = (double)(count * args->dim) * lines;
        copies.queries += queries;
        copies.queries_read += queries * ceil(read / (double)ATTENTION_KEYS);
        if (!attention_taken_alone(count))
            copies.keys += read * (double)(args->dim + walk->width) * lines;
    }
    return copies;
}

// What is dirty is written back when it is evicted, but not what is left in the end: of the
// workspace all, of the rows of results their share of the rest of the cache. Copies become dirty
// once, read as often as they may be.
double hyp_attention_write_backs(const HypAttentionWalk *walk, const HypStackMisses *misses,
                                 const HypCacheShape *cache)
{
    const HypAttentionArgs *args = walk->args;
    const double work = hyp_attention_work_lines(walk);
    const double rows = (double)args->batch * (double)(args->queries * args->heads);
    const double room = fmax(0, cache->sets * cache->ways - work);
    const double left = fmin(1, room / hyp_attention_array_lines(walk));
    const Copies copies = count_copies(walk);
    const double copied = misses->of[HYP_ATTENTION_READ] + misses->of[HYP_ATTENTION_PACKED];
    const double of_keys = fmax(0, copied - copies.queries - copies.queries_read);
    const double of_work = misses->of[HYP_ATTENTION_WRITTEN] + fmin(copied, copies.queries) +
                           fmin(of_keys, copies.keys) - work;
    return fmax(0, of_work) + (1 - left) * rows * hyp_attention_row_lines(walk);
}
