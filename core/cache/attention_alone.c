// SPDX-License-Identifier: Apache-2.0
// attention_alone.c - heads of attention whose few queries pack nothing. Their keys lie in other
// sets from head to head, so that some of all heads are walked, of each some of the keys.
#include "attention/attention_blocks.h"
#include "cache/attention_share.h"
#include "cache/gemm_block.h"
#include "common/size_math.h"

#include <assert.h>

// A head that packs nothing, of which one whole block of keys stands for all.
static HypAttentionShare walk_alone_block(HypAttentionPass *pass, size_t index)
{
    HypAttentionWalk *walk = &pass->walk;
    const size_t queries = walk->args->queries;
    const size_t keys = attention_visible(walk->args, queries - 1);
    const size_t blocks = keys / ATTENTION_KEYS;
    assert(blocks > 0); // else all keys are walked
    const HypAttentionStep whole =
        hyp_attention_step(walk, 0, queries, index % blocks * ATTENTION_KEYS);
    hyp_attention_walk_queries(walk, 0, queries);
    if (keys > blocks * ATTENTION_KEYS) {
        const HypAttentionStep rest = hyp_attention_step(walk, 0, queries, blocks * ATTENTION_KEYS);
        hyp_attention_walk_alone(walk, &rest);
    }
    HypAttentionShare sum = hyp_attention_take_share(walk);
    hyp_attention_walk_alone(walk, &whole);
    const HypAttentionShare walked = hyp_attention_take_share(walk);
    hyp_attention_add_share(&sum, &walked, (double)blocks);
    hyp_attention_walk_results(walk, 0, queries);
    const HypAttentionShare results = hyp_attention_take_share(walk);
    hyp_attention_add_share(&sum, &results, 1);
    return sum;
}

enum { MOST_ALONE_KEYS = 1600, MOST_ALONE_GROUPS = 7 };

// Whether heads that pack nothing are walked over all keys: where these are few, or can be kept.
static bool walks_all_keys(const HypAttentionPass *pass, const HypCacheShape *cache, size_t groups)
{
    const HypAttentionArgs *args = pass->walk.args;
    const size_t walked = attention_sharing(args) > 1 ? 2 : 1; // of a group
    const size_t heads = gemm_least(groups, MOST_ALONE_GROUPS) * walked;
    return args->keys < 2 * ATTENTION_KEYS ||
           args->keys * args->queries * heads <= MOST_ALONE_KEYS ||
           hyp_attention_may_keep_keys(&pass->walk, cache);
}

// Heads with the same keys, of which the second stands for all but the first.
static HypAttentionShare walk_sharing_heads(HypAttentionPass *pass,
                                            const HypAttentionDivision *division, size_t head)
{
    const size_t sharing = attention_sharing(pass->walk.args);
    hyp_attention_walk_head(&pass->walk, head);
    HypAttentionShare sum = hyp_attention_walk_whole_head(pass, division).all;
    if (sharing == 1)
        return sum;
    hyp_attention_walk_head(&pass->walk, head + 1);
    const HypAttentionShare next = hyp_attention_walk_whole_head(pass, division).all;
    hyp_attention_add_share(&sum, &next, (double)(sharing - 1));
    return sum;
}

// Groups of heads with the same keys that pack nothing.
typedef struct Alone {
    const HypAttentionDivision *division;
    size_t groups, sharing;
    bool all_keys;
    bool unlike; // some may meet their query in crowded sets
} Alone;

// No two groups walk the same keys.
static HypAttentionShare walk_alone_group(HypAttentionPass *pass, const Alone *alone, size_t group)
{
    HypAttentionShare share = {.accesses = 0};
    if (alone->all_keys)
        return walk_sharing_heads(pass, alone->division, group * alone->sharing);
    hyp_attention_walk_head(&pass->walk, group * alone->sharing);
    const HypAttentionShare first = walk_alone_block(pass, group);
    hyp_attention_add_share(&share, &first, (double)alone->sharing);
    return share;
}

// An odd number that has no factor in common with `count`: so far apart, groups meet all sets where
// these are a power of two, and none comes twice.
static size_t find_step(size_t count, size_t least)
{
    size_t step = least | 1;
    while (hyp_size_divisor(step, count) > 1)
        step += 2;
    return step;
}

// Of those whose query meets keys in crowded sets, or does not, some stand for all.
static HypAttentionShare walk_alone_class(HypAttentionPass *pass, const Alone *alone, bool crowded,
                                          size_t most)
{
    const size_t step = find_step(alone->groups, alone->groups / gemm_least(most, alone->groups));
    HypAttentionShare sum = {.accesses = 0};
    size_t walked = 0;
    size_t count = 0;
    for (size_t i = 0; i < alone->groups && (alone->unlike || walked < most); i++) {
        const size_t group = i * step % alone->groups;
        hyp_attention_walk_head(&pass->walk, group * alone->sharing);
        if (hyp_attention_meets_query(&pass->walk) != crowded)
            continue;
        count++;
        if (walked == most)
            continue;
        walked++;
        const HypAttentionShare share = walk_alone_group(pass, alone, group);
        hyp_attention_add_share(&sum, &share, 1);
    }
    count = alone->unlike ? count : alone->groups;
    HypAttentionShare all = {.accesses = 0};
    hyp_attention_add_share(&all, &sum, walked > 0 ? (double)count / (double)walked : 0);
    return all;
}

HypAttentionShare hyp_attention_walk_alone_heads(HypAttentionPass *pass,
                                                 const HypAttentionDivision *division,
                                                 const HypCacheShape *cache)
{
    const HypAttentionArgs *args = pass->walk.args;
    const size_t sharing = attention_sharing(args);
    const size_t groups = args->batch * args->heads / sharing;
    const bool all_keys = walks_all_keys(pass, cache, groups);
    const Alone alone = {division, groups, sharing, all_keys,
                         hyp_attention_fills_sets(&pass->walk)};
    const size_t keys = args->queries * (all_keys ? 2 * args->keys : ATTENTION_KEYS);
    const size_t most = gemm_least(2 + MOST_ALONE_KEYS / keys, MOST_ALONE_GROUPS);
    pass->sampling.whole = SIZE_MAX;
    HypAttentionShare sum = walk_alone_class(pass, &alone, false, most);
    if (alone.unlike) {
        const HypAttentionShare crowded = walk_alone_class(pass, &alone, true, 1);
        hyp_attention_add_share(&sum, &crowded, 1);
    }
    return sum;
}
