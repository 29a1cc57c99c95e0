// SPDX-License-Identifier: Apache-2.0
// attention_blocks.h - how attention divides the keys, and what lies where in its workspace.
#ifndef HYP_ATTENTION_BLOCKS_H
#define HYP_ATTENTION_BLOCKS_H

#include "kernel.h"

// Keys a block: four vectors of the widest level, and with dim 64 16 KiB of packed keys, which stay
// in the first-level cache beside as many values.
#define ATTENTION_KEYS ((size_t)64)

typedef struct AttentionWorkspace {
    float *packed;   // dim x ATTENTION_KEYS: a block of keys, transposed
    float *scores;   // ATTENTION_KEYS, of one query
    float *greatest; // queries: the greatest score so far
    float *sum;      // queries: the sum of exp(score - greatest) so far
} AttentionWorkspace;

static inline size_t attention_workspace_floats(const HypAttentionArgs *args)
{
    return (args->dim + 1) * ATTENTION_KEYS + 2 * args->queries;
}

static inline AttentionWorkspace attention_workspace(const HypAttentionArgs *args)
{
    float *packed = args->workspace;
    float *scores = packed + args->dim * ATTENTION_KEYS;
    float *greatest = scores + ATTENTION_KEYS;
    return (AttentionWorkspace){packed, scores, greatest, greatest + args->queries};
}

#endif
