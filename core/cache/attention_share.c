// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_share.h"

#include "attention/attention_blocks.h"

#include <math.h>

void hyp_attention_add_share(HypAttentionShare *sum, const HypAttentionShare *share, double times)
{
    sum->misses.all += times * share->misses.all;
    for (int kind = 0; kind < HYP_STACK_KINDS; kind++)
        sum->misses.of[kind] += times * share->misses.of[kind];
    sum->accesses += times * share->accesses;
}

HypAttentionShare hyp_attention_take_share(HypAttentionWalk *walk)
{
    const HypAttentionShare share = {hyp_stacks_take(&walk->stacks), walk->accesses};
    walk->accesses = 0;
    return share;
}

// Copies the queries of a block, and begins with their first keys.
static HypAttentionShare walk_begin(HypAttentionWalk *walk, HypAttentionStep *step,
                                    HypAttentionShare *copying)
{
    enum { FIRST_GROUPS = 2 };
    hyp_attention_walk_queries(walk, step->first_query, step->queries);
    *copying = hyp_attention_take_share(walk);
    if (attention_taken_alone(step->queries)) {
        hyp_attention_walk_alone(walk, step);
    } else if (attention_visible(walk->args, step->first_query + step->queries - 1) > 0) {
        hyp_attention_walk_packing(walk, step->first_key, step->keys);
        hyp_attention_walk_groups(walk, step, FIRST_GROUPS);
    }
    HypAttentionShare share = hyp_attention_take_share(walk);
    hyp_attention_add_share(&share, copying, 1);
    return share;
}

static HypAttentionShare walk_keys(HypAttentionWalk *walk, size_t first_query, size_t queries,
                                   size_t first_key)
{
    HypAttentionStep step = hyp_attention_step(walk, first_query, queries, first_key);
    if (attention_taken_alone(queries)) {
        hyp_attention_walk_alone(walk, &step);
    } else {
        hyp_attention_walk_packing(walk, step.first_key, step.keys);
        hyp_attention_walk_groups(walk, &step, SIZE_MAX);
    }
    return hyp_attention_take_share(walk);
}

// The blocks of keys after the first.
static HypAttentionShare walk_other_keys(HypAttentionPass *pass, size_t first_query, size_t queries)
{
    HypAttentionWalk *walk = &pass->walk;
    const size_t keys = attention_visible(walk->args, first_query + queries - 1);
    const size_t whole = attention_visible(walk->args, first_query) / ATTENTION_KEYS;
    HypAttentionShare sum = {.accesses = 0};
    HypAttentionShare walked = {.accesses = 0};
    for (size_t i = 1; i * ATTENTION_KEYS < keys; i++) {
        if (i <= pass->sampling.whole || i >= whole)
            walked = walk_keys(walk, first_query, queries, i * ATTENTION_KEYS);
        hyp_attention_add_share(&sum, &walked, 1);
    }
    return sum;
}

static HypAttentionShares walk_queries(HypAttentionPass *pass, size_t first, size_t queries)
{
    HypAttentionWalk *walk = &pass->walk;
    HypAttentionStep step = hyp_attention_step(walk, first, queries, 0);
    HypAttentionShares shares = {.next_walked = false};
    shares.begin = walk_begin(walk, &step, &shares.copying);
    shares.all = shares.begin;
    if (!attention_taken_alone(queries))
        hyp_attention_walk_groups(walk, &step, SIZE_MAX);
    const HypAttentionShare groups = hyp_attention_take_share(walk);
    hyp_attention_add_share(&shares.all, &groups, 1);
    const HypAttentionShare keys = walk_other_keys(pass, first, queries);
    hyp_attention_add_share(&shares.all, &keys, 1);
    hyp_attention_walk_results(walk, first, queries);
    const HypAttentionShare end = hyp_attention_take_share(walk);
    hyp_attention_add_share(&shares.all, &end, 1);
    return shares;
}

static size_t first_queries(const HypAttentionDivision *division)
{
    return division->blocks > 0 ? division->queries : division->rest;
}

// Adds the blocks of queries between the first and the last, which do what the first did, but for
// how one begins behind another.
static void add_middle(HypAttentionPass *pass, const HypAttentionDivision *division,
                       HypAttentionShares *sum)
{
    const double count = (double)division->blocks - 1;
    const size_t queries = division->queries;
    const HypAttentionShare first = sum->all;
    HypAttentionStep step =
        hyp_attention_step(&pass->walk, division->blocks / 2 * queries, queries, 0);
    HypAttentionShare copying;
    sum->next = walk_begin(&pass->walk, &step, &copying);
    sum->next_walked = true;
    hyp_attention_add_share(&sum->all, &first, count);
    hyp_attention_add_share(&sum->all, &sum->begin, -count);
    hyp_attention_add_share(&sum->all, &sum->next, count);
}

// Likewise of causal attention: each sees so many keys more than the first as there are queries
// before it. Of blocks of keys that all of its queries see, the first and the next are walked.
static void add_causal_middle(HypAttentionPass *pass, const HypAttentionDivision *division,
                              HypAttentionShares *sum)
{
    HypAttentionWalk *walk = &pass->walk;
    const double count = (double)division->blocks - 1;
    const size_t queries = division->queries;
    const size_t middle = division->blocks / 2 * queries;
    const double more_steps = count * (double)(division->blocks * queries) / 2 / ATTENTION_KEYS;
    const HypAttentionShare first = sum->all;
    hyp_attention_walk_queries(walk, middle, queries);
    const HypAttentionShare copying = hyp_attention_take_share(walk);
    (void)walk_keys(walk, middle, queries, 0); // which the first did with its first keys
    const HypAttentionShare whole = walk_keys(walk, middle, queries, ATTENTION_KEYS);
    hyp_attention_add_share(&sum->all, &first, count);
    hyp_attention_add_share(&sum->all, &sum->copying, -count);
    hyp_attention_add_share(&sum->all, &copying, count);
    hyp_attention_add_share(&sum->all, &whole, more_steps);
}

HypAttentionShares hyp_attention_walk_whole_head(HypAttentionPass *pass,
                                                 const HypAttentionDivision *division)
{
    const size_t queries = division->queries;
    const size_t blocks = division->blocks;
    const bool all = blocks <= pass->sampling.blocks || attention_visible(pass->walk.args, 0) == 0;
    HypAttentionShares sum = walk_queries(pass, 0, first_queries(division));
    for (size_t i = 1; all && i < blocks; i++) {
        const HypAttentionShares shares = walk_queries(pass, i * queries, queries);
        hyp_attention_add_share(&sum.all, &shares.all, 1);
    }
    if (!all && pass->walk.args->causal)
        add_causal_middle(pass, division, &sum);
    else if (!all)
        add_middle(pass, division, &sum);
    if (division->rest > 0 && blocks > 0) {
        const HypAttentionShares shares = walk_queries(pass, blocks * queries, division->rest);
        hyp_attention_add_share(&sum.all, &shares.all, 1);
    }
    return sum;
}

HypAttentionShare hyp_attention_walk_first_block(HypAttentionPass *pass, size_t head,
                                                 const HypAttentionDivision *division)
{
    hyp_attention_walk_head(&pass->walk, head);
    HypAttentionStep step = hyp_attention_step(&pass->walk, 0, first_queries(division), 0);
    HypAttentionShare copying;
    return walk_begin(&pass->walk, &step, &copying);
}

bool hyp_attention_may_keep_keys(const HypAttentionWalk *walk, const HypCacheShape *cache)
{
    static const double more = 1.3;
    const double most = (double)walk->key_position / (double)walk->line_floats;
    const double row = fmin(hyp_attention_row_lines(walk), most);
    return attention_sharing(walk->args) > 1 &&
           2 * (double)walk->args->keys * row < more * cache->sets * cache->ways;
}
