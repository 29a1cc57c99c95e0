// SPDX-License-Identifier: Apache-2.0
// attention_traffic.c - the nest of attention is walked through simulated caches, but for what
// repeats: of heads, blocks and groups that differ in their places alone a few stand for the
// others. The larger the call, the fewer: a prediction is to take some ten microseconds, and no
// more than some hundred, but for large first levels.
#include "cache/attention_traffic.h"

#include "attention/attention_blocks.h"
#include "cache/attention_outer.h"
#include "cache/attention_share.h"
#include "common/fail.h"

#include <math.h>

// From the finest on; the last for all that are left.
static const HypAttentionSampling samplings[] = {
    {SIZE_MAX, 2, 3, 0.005, 45e3, 0},
    {8, 1, 2, 0.01, 160e3, 0},
    {4, 1, 2, 0.03, 0, 0},
};
enum { SAMPLINGS = sizeof samplings / sizeof samplings[0], LEAST_COUNTED = 3 };

static HypAttentionShare walk_all_heads(HypAttentionPass *pass,
                                        const HypAttentionDivision *division)
{
    const size_t heads = pass->walk.args->batch * pass->walk.args->heads;
    HypAttentionShare sum = {.accesses = 0};
    for (size_t i = 0; i < heads; i++) {
        hyp_attention_walk_head(&pass->walk, i);
        const HypAttentionShares shares = hyp_attention_walk_whole_head(pass, division);
        hyp_attention_add_share(&sum, &shares.all, 1);
    }
    return sum;
}

// As the first heads with the same keys, but for how the next ones begin.
static HypAttentionShare walk_groups_of_heads(HypAttentionPass *pass,
                                              const HypAttentionDivision *division)
{
    const HypAttentionArgs *args = pass->walk.args;
    const size_t sharing = attention_sharing(args);
    const size_t count = args->batch * args->heads / sharing;
    const double groups = (double)count;
    pass->sampling.whole = SIZE_MAX;
    hyp_attention_walk_head(&pass->walk, 0);
    const HypAttentionShares first = hyp_attention_walk_whole_head(pass, division);
    hyp_attention_walk_head(&pass->walk, 1);
    const HypAttentionShare second = hyp_attention_walk_whole_head(pass, division).all;
    HypAttentionShare sum = {.accesses = 0};
    hyp_attention_add_share(&sum, &first.all, groups);
    hyp_attention_add_share(&sum, &second, groups * (double)(sharing - 1));
    if (groups > 1) {
        const HypAttentionShare begin = hyp_attention_walk_first_block(pass, sharing, division);
        hyp_attention_add_share(&sum, &first.begin, 1 - groups);
        hyp_attention_add_share(&sum, &begin, groups - 1);
    }
    return sum;
}

// Few heads all; else as the first head, but for how the next ones begin.
static HypAttentionShare walk_heads(HypAttentionPass *pass, const HypCacheShape *cache)
{
    const HypAttentionArgs *args = pass->walk.args;
    const HypAttentionDivision division = hyp_attention_divide(&pass->walk);
    const size_t sharing = attention_sharing(args);
    const double heads = (double)args->batch * (double)args->heads;
    const double fresh = heads / (double)sharing; // with keys of their own
    if (attention_taken_alone(args->queries))
        return hyp_attention_walk_alone_heads(pass, &division, cache);
    if (heads <= (double)pass->sampling.heads)
        return walk_all_heads(pass, &division);
    if (hyp_attention_may_keep_keys(&pass->walk, cache))
        return walk_groups_of_heads(pass, &division);
    hyp_attention_walk_head(&pass->walk, 0);
    const HypAttentionShares cold = hyp_attention_walk_whole_head(pass, &division);
    HypAttentionShare sum = {.accesses = 0};
    hyp_attention_add_share(&sum, &cold.all, heads);
    hyp_attention_add_share(&sum, &cold.begin, 1 - heads);
    if (cold.next_walked) {
        hyp_attention_add_share(&sum, &cold.next, heads - 1);
        return sum;
    }
    if (sharing > 1) {
        const HypAttentionShare begin = hyp_attention_walk_first_block(pass, 1, &division);
        hyp_attention_add_share(&sum, &begin, heads - fresh);
    }
    if (fresh > 1) {
        const HypAttentionShare begin = hyp_attention_walk_first_block(pass, sharing, &division);
        hyp_attention_add_share(&sum, &begin, fresh - 1);
    }
    return sum;
}

static double count_groups(const HypAttentionPass *pass, size_t queries,
                           const HypAttentionSampling *sampling)
{
    const double groups = ceil((double)queries / (double)pass->walk.tile_rows);
    return fmin(groups, (double)sampling->groups + 2);
}

// How long a sampling takes, near enough: as measured on a Zen 5 with AVX2.
static double estimate_ns(const HypAttentionPass *pass, const HypAttentionSampling *sampling)
{
    const HypAttentionArgs *args = pass->walk.args;
    const double dim = (double)args->dim;
    const double group_ns = 520 + 10 * dim;
    const double packing_ns = 2400 + 30 * dim;
    const double query_ns = 30 + 0.3 * dim;
    const HypAttentionDivision division = hyp_attention_divide(&pass->walk);
    const double blocks = fmin((double)division.blocks, (double)sampling->blocks);
    const double rest = division.rest > 0 ? 1 : 0;
    const double most_steps = (double)sampling->whole + (args->causal ? 3 : 2);
    const double steps = fmin(ceil((double)args->keys / (double)ATTENTION_KEYS), most_steps);
    const double groups = blocks * count_groups(pass, division.queries, sampling) +
                          rest * count_groups(pass, division.rest, sampling);
    return steps * (groups * group_ns + (blocks + rest) * packing_ns) + packing_ns +
           (blocks * (double)division.queries + (double)division.rest) * query_ns;
}

// A first level of 64 KiB and more holds what passes of several groups and heads leave, so that few
// do not stand for all.
static HypAttentionSampling choose_sampling(const HypAttentionPass *pass,
                                            const HypCacheShape *cache)
{
    enum { LARGE_BYTES = 65536 };
    static const double heads_ns = 45e3;
    static const double heads_of_large_ns = 200e3;
    const bool large =
        cache->sets * cache->ways * cache->line_floats * sizeof(float) >= LARGE_BYTES;
    int i = 0;
    while (!large && i + 1 < SAMPLINGS && estimate_ns(pass, &samplings[i]) > samplings[i].most_ns)
        i++;
    HypAttentionSampling sampling = samplings[i];
    const double most_ns = large ? heads_of_large_ns : heads_ns;
    sampling.heads = (size_t)(most_ns / estimate_ns(pass, &sampling));
    return sampling;
}

// Not many groups more, nor less: what they touch of their own comes to lie as often in any set of
// the cache.
static size_t find_counted(const HypAttentionPass *pass, const HypCacheShape *cache)
{
    const HypAttentionWalk *walk = &pass->walk;
    const double lines = (double)(walk->tile_rows * walk->width) / (double)walk->line_floats;
    if (pass->sampling.groups == SIZE_MAX)
        return SIZE_MAX;
    size_t best = pass->sampling.groups;
    double least = 1;
    for (size_t groups = LEAST_COUNTED; groups <= pass->sampling.groups; groups++) {
        const double rounds = (double)groups * lines / cache->sets;
        const double off = fabs(rounds - fmax(1, floor(rounds + 0.5))) / rounds;
        if (off <= least) {
            least = off;
            best = groups;
        }
    }
    return best;
}

void hyp_attention_traffic(const HypAttentionArgs *args, HyperionSIMDLevel level,
                           HypAccount *account)
{
    if (!args->batch || !args->heads || !args->queries || !args->keys || !args->dim)
        return;
    HypAttentionPass pass;
    const HypCacheShape *first = &account->caches[0];
    hyp_attention_walk_start(&pass.walk, args, level, (size_t)first->line_floats);
    const double lines =
        hyp_attention_array_lines(&pass.walk) + hyp_attention_work_lines(&pass.walk);
    const HypCacheShape cache = hyp_stacks_shape(*first, lines);
    pass.sampling = choose_sampling(&pass, first);
    pass.walk.counted_groups = find_counted(&pass, &cache);
    if (!hyp_stacks_open(&pass.walk.stacks, &cache)) {
        account->failed = true;
        (void)hyp_fail(HYPERION_ERROR_MEMORY,
                       "predict attention: out of memory for a cache of "
                       "%.0f sets and %.0f ways",
                       cache.sets, cache.ways);
        return;
    }
    const HypAttentionShare share = walk_heads(&pass, &cache);
    hyp_stacks_close(&pass.walk.stacks);
    HypTraffic *traffic = &account->traffic;
    traffic->accesses += share.accesses;
    traffic->misses[0] += share.misses.all;
    traffic->doubt[0] += pass.sampling.doubt * share.misses.all;
    traffic->write_backs[0] += hyp_attention_write_backs(&pass.walk, &share.misses, &cache);
    hyp_attention_add_outer(&pass.walk, share.misses.all, account);
}
