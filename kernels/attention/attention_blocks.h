// SPDX-License-Identifier: Apache-2.0
// attention_blocks.h - how attention divides the keys and, among threads, the queries, and what
// lies where in its workspace.
#ifndef HYP_ATTENTION_BLOCKS_H
#define HYP_ATTENTION_BLOCKS_H

#include "kernel.h"
#include "parallel_for.h"

// Keys a block: with dim 64 16 KiB of packed keys and as much of values, which stay in a first
// level of 48 KiB while the queries pass.
#define ATTENTION_KEYS ((size_t)64)

// Queries a block: so many share the packing of keys and values, which is then a twentieth of the
// work, and fit into the second level.
#define ATTENTION_QUERIES ((size_t)128)

// No level has register tiles of more rows.
#define ATTENTION_ROWS ((size_t)16)

// Of one thread, one after another in this order. All that loops pass over is copied here: rows of
// a head can be a power of two apart and would compete for few sets of a cache.
typedef struct AttentionWorkspace {
    float *keys;     // dim x ATTENTION_KEYS, transposed: panels of a register tile's columns
    float *values;   // ATTENTION_KEYS x dim: panels of attention_panel() columns
    float *queries;  // of a block, transposed: panels of a register tile's rows
    float *results;  // likewise, row by row: the sum of exp(score - greatest) v so far
    float *scores;   // ATTENTION_ROWS x ATTENTION_KEYS
    float *factors;  // ATTENTION_ROWS: what the results so far are worth now
    float *greatest; // of a block's queries: the greatest score so far
    float *sum;      // the sum of exp(score - greatest) so far
} AttentionWorkspace;

// Columns of a panel of values: at least a line, so that rows are copied line by line.
static inline size_t attention_panel(size_t tile_columns)
{
    return tile_columns > HYP_LINE_FLOATS ? tile_columns : HYP_LINE_FLOATS;
}

// Rows of the tile for queries that do not fill one; the last are taken singly.
#define ATTENTION_FEW ((size_t)4)

// Queries that are taken together where `left` are left.
static inline size_t attention_group_rows(size_t left, size_t tile_rows)
{
    if (left >= tile_rows)
        return tile_rows;
    return left >= ATTENTION_FEW ? ATTENTION_FEW : 1;
}

// Whether the queries of a block take keys and values as they lie, one query at a time.
static inline bool attention_taken_alone(size_t queries)
{
    return queries < ATTENTION_FEW;
}

// Vectors of a value that are summed together then, as many as hide the latency of a sum.
#define ATTENTION_SUMS ((size_t)8)

// Keys of which such a query is multiplied with one after the other, component by component.
static inline size_t attention_alone_keys(size_t lanes)
{
    return lanes < ATTENTION_SUMS ? ATTENTION_SUMS : lanes;
}

// Of those, where `left` columns are left.
static inline size_t attention_alone_vectors(size_t left, size_t lanes)
{
    if (left >= ATTENTION_SUMS * lanes)
        return ATTENTION_SUMS;
    return left >= ATTENTION_SUMS / 2 * lanes ? ATTENTION_SUMS / 2 : 1;
}

// Queries of the next block where `left` are left: whole tiles, but in the last.
static inline size_t attention_block_queries(size_t left, size_t tile_rows)
{
    return left > ATTENTION_QUERIES ? ATTENTION_QUERIES / tile_rows * tile_rows : left;
}

static inline size_t attention_whole_lines(size_t floats)
{
    return (floats + HYP_LINE_FLOATS - 1) / HYP_LINE_FLOATS * HYP_LINE_FLOATS;
}

// Queries a block has room for.
static inline size_t attention_room(const HypAttentionArgs *args)
{
    return args->queries < ATTENTION_QUERIES ? attention_whole_lines(args->queries)
                                             : ATTENTION_QUERIES;
}

// Floats of one thread's workspace: whole cache lines.
static inline size_t attention_workspace_floats(const HypAttentionArgs *args)
{
    const size_t columns = args->dim + attention_whole_lines(args->dim);
    return columns * (ATTENTION_KEYS + attention_room(args)) +
           ATTENTION_ROWS * (ATTENTION_KEYS + 1) + 2 * attention_room(args);
}

static inline AttentionWorkspace attention_workspace(const HypAttentionArgs *args, size_t thread)
{
    const size_t columns = attention_whole_lines(args->dim);
    const size_t room = attention_room(args);
    AttentionWorkspace work;
    work.keys = (float *)args->workspace + thread * attention_workspace_floats(args);
    work.values = work.keys + args->dim * ATTENTION_KEYS;
    work.queries = work.values + columns * ATTENTION_KEYS;
    work.results = work.queries + room * args->dim;
    work.scores = work.results + room * columns;
    work.factors = work.scores + ATTENTION_ROWS * ATTENTION_KEYS;
    work.greatest = work.factors + ATTENTION_ROWS;
    work.sum = work.greatest + room;
    return work;
}

// Heads that one head of the keys and values serves.
static inline size_t attention_sharing(const HypAttentionArgs *args)
{
    return args->kv_heads ? args->heads / args->kv_heads : 1;
}

// Two products over every pair of a query and a key.
static inline double attention_work(const HypAttentionArgs *args)
{
    return 4 * (double)args->batch * (double)args->heads * (double)args->queries *
           (double)args->keys * (double)args->dim;
}

// How many keys a query sees.
static inline size_t attention_visible(const HypAttentionArgs *args, size_t query)
{
    if (!args->causal)
        return args->keys;
    const size_t end = query + 1 + args->keys;
    return end > args->queries ? end - args->queries : 0;
}

// Where the part of a thread begins, counting the queries of all heads of all images on end. Parts
// are equal by the keys that their queries see.
static inline size_t attention_cut(const HypAttentionArgs *args, size_t threads, size_t thread)
{
    size_t head_keys = 0;
    for (size_t i = 0; i < args->queries; i++)
        head_keys += attention_visible(args, i) + 1; // 1: a query without keys is work too
    const size_t total = args->batch * args->heads * head_keys;
    const size_t share = (total + threads - 1) / threads;
    const size_t before = share * thread < total ? share * thread : total;
    if (before == 0)
        return 0;
    size_t query = before / head_keys * args->queries;
    size_t rest = before % head_keys;
    for (size_t i = 0; rest > 0; i++, query++) {
        const size_t keys = attention_visible(args, i) + 1;
        rest = rest > keys ? rest - keys : 0;
    }
    return query;
}

#endif
