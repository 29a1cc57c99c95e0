// SPDX-License-Identifier: Apache-2.0
// attention_blocks.h - how attention divides the keys and, among threads, the queries, and what
// lies where in its workspace.
#ifndef HYP_ATTENTION_BLOCKS_H
#define HYP_ATTENTION_BLOCKS_H

#include "kernel.h"
#include "parallel_for.h"

// Keys a block: four vectors of the widest level, and with dim 64 16 KiB of packed keys, which stay
// in the first-level cache beside as many values.
#define ATTENTION_KEYS ((size_t)64)

// Of one thread.
typedef struct AttentionWorkspace {
    float *packed;   // dim x ATTENTION_KEYS: a block of keys, transposed
    float *scores;   // ATTENTION_KEYS, of one query
    float *greatest; // queries: the greatest score so far
    float *sum;      // queries: the sum of exp(score - greatest) so far
} AttentionWorkspace;

// Floats of one thread's workspace: whole cache lines.
static inline size_t attention_workspace_floats(const HypAttentionArgs *args)
{
    const size_t floats = (args->dim + 1) * ATTENTION_KEYS + 2 * args->queries;
    return (floats + HYP_LINE_FLOATS - 1) / HYP_LINE_FLOATS * HYP_LINE_FLOATS;
}

static inline AttentionWorkspace attention_workspace(const HypAttentionArgs *args, size_t thread)
{
    float *packed = (float *)args->workspace + thread * attention_workspace_floats(args);
    float *scores = packed + args->dim * ATTENTION_KEYS;
    float *greatest = scores + ATTENTION_KEYS;
    return (AttentionWorkspace){packed, scores, greatest, greatest + args->queries};
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
