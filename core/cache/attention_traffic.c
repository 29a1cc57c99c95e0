// SPDX-License-Identifier: Apache-2.0
// attention_traffic.c - the nest of attention is walked through simulated caches, but for what
// repeats: of heads, blocks and groups that differ in their places alone a few stand for the
// others. The larger the call, the fewer: a prediction is to take some ten microseconds, and no
// more than some hundred, but for large first levels.
#include "cache/attention_traffic.h"

#include "attention/attention_blocks.h"
#include "cache/attention_lines.h"
#include "cache/attention_outer.h"
#include "cache/attention_walk.h"
#include "cache/gemm_block.h"
#include "common/fail.h"
#include "common/size_math.h"

#include <math.h>

// What is walked of a call.
typedef struct Sampling {
    size_t groups;  // of a block of queries that see a whole block of keys
    size_t whole;   // blocks of keys that a block of queries sees in whole, after the first
    size_t blocks;  // blocks of queries of one size
    double doubt;   // share of the misses of the first level
    double most_ns; // it is taken for calls of which it takes no longer
    size_t heads;   // all, if there are no more
} Sampling;

// From the finest on; the last for all that are left.
static const Sampling samplings[] = {
    {SIZE_MAX, 2, 3, 0.005, 45e3, 0},
    {8, 1, 2, 0.01, 160e3, 0},
    {4, 1, 2, 0.03, 0, 0},
};
enum { SAMPLINGS = sizeof samplings / sizeof samplings[0], LEAST_COUNTED = 3 };

// What a part of the nest adds to the traffic.
typedef struct Share {
    HypStackMisses misses;
    double accesses;
} Share;

static void add_share(Share *sum, const Share *share, double times)
{
    sum->misses.all += times * share->misses.all;
    for (int kind = 0; kind < HYP_STACK_KINDS; kind++)
        sum->misses.of[kind] += times * share->misses.of[kind];
    sum->accesses += times * share->accesses;
}

typedef struct Pass {
    HypAttentionWalk walk;
    Sampling sampling;
} Pass;

// What was walked since the last time.
static Share take_share(HypAttentionWalk *walk)
{
    const Share share = {hyp_stacks_take(&walk->stacks), walk->accesses};
    walk->accesses = 0;
    return share;
}

// The share of a block of queries or of a head, of how it begins, which depends on what was before:
// up to the first groups, and of copying its queries. `next`: of how the next one begins, where
// that was walked.
typedef struct Shares {
    Share all, begin, copying, next;
    bool next_walked;
} Shares;

// Copies the queries of a block, and begins with their first keys.
static Share walk_begin(HypAttentionWalk *walk, HypAttentionStep *step, Share *copying)
{
    enum { FIRST_GROUPS = 2 };
    hyp_attention_walk_queries(walk, step->first_query, step->queries);
    *copying = take_share(walk);
    if (attention_taken_alone(step->queries)) {
        hyp_attention_walk_alone(walk, step);
    } else if (attention_visible(walk->args, step->first_query + step->queries - 1) > 0) {
        hyp_attention_walk_packing(walk, step->first_key, step->keys);
        hyp_attention_walk_groups(walk, step, FIRST_GROUPS);
    }
    Share share = take_share(walk);
    add_share(&share, copying, 1);
    return share;
}

static Share walk_keys(HypAttentionWalk *walk, size_t first_query, size_t queries, size_t first_key)
{
    HypAttentionStep step = hyp_attention_step(walk, first_query, queries, first_key);
    if (attention_taken_alone(queries)) {
        hyp_attention_walk_alone(walk, &step);
    } else {
        hyp_attention_walk_packing(walk, step.first_key, step.keys);
        hyp_attention_walk_groups(walk, &step, SIZE_MAX);
    }
    return take_share(walk);
}

// The blocks of keys after the first.
static Share walk_other_keys(Pass *pass, size_t first_query, size_t queries)
{
    HypAttentionWalk *walk = &pass->walk;
    const size_t keys = attention_visible(walk->args, first_query + queries - 1);
    const size_t whole = attention_visible(walk->args, first_query) / ATTENTION_KEYS;
    Share sum = {.accesses = 0};
    Share walked = {.accesses = 0};
    for (size_t i = 1; i * ATTENTION_KEYS < keys; i++) {
        if (i <= pass->sampling.whole || i >= whole)
            walked = walk_keys(walk, first_query, queries, i * ATTENTION_KEYS);
        add_share(&sum, &walked, 1);
    }
    return sum;
}

static Shares walk_queries(Pass *pass, size_t first, size_t queries)
{
    HypAttentionWalk *walk = &pass->walk;
    HypAttentionStep step = hyp_attention_step(walk, first, queries, 0);
    Shares shares = {.next_walked = false};
    shares.begin = walk_begin(walk, &step, &shares.copying);
    shares.all = shares.begin;
    if (!attention_taken_alone(queries))
        hyp_attention_walk_groups(walk, &step, SIZE_MAX);
    const Share groups = take_share(walk);
    add_share(&shares.all, &groups, 1);
    const Share keys = walk_other_keys(pass, first, queries);
    add_share(&shares.all, &keys, 1);
    hyp_attention_walk_results(walk, first, queries);
    const Share end = take_share(walk);
    add_share(&shares.all, &end, 1);
    return shares;
}

static size_t first_queries(const HypAttentionDivision *division)
{
    return division->blocks > 0 ? division->queries : division->rest;
}

// Adds the blocks of queries between the first and the last, which do what the first did, but for
// how one begins behind another.
static void add_middle(Pass *pass, const HypAttentionDivision *division, Shares *sum)
{
    const double count = (double)division->blocks - 1;
    const size_t queries = division->queries;
    const Share first = sum->all;
    HypAttentionStep step =
        hyp_attention_step(&pass->walk, division->blocks / 2 * queries, queries, 0);
    Share copying;
    sum->next = walk_begin(&pass->walk, &step, &copying);
    sum->next_walked = true;
    add_share(&sum->all, &first, count);
    add_share(&sum->all, &sum->begin, -count);
    add_share(&sum->all, &sum->next, count);
}

// Likewise of causal attention: each sees so many keys more than the first as there are queries
// before it. Of blocks of keys that all of its queries see, the first and the next are walked.
static void add_causal_middle(Pass *pass, const HypAttentionDivision *division, Shares *sum)
{
    HypAttentionWalk *walk = &pass->walk;
    const double count = (double)division->blocks - 1;
    const size_t queries = division->queries;
    const size_t middle = division->blocks / 2 * queries;
    const double more_steps = count * (double)(division->blocks * queries) / 2 / ATTENTION_KEYS;
    const Share first = sum->all;
    hyp_attention_walk_queries(walk, middle, queries);
    const Share copying = take_share(walk);
    (void)walk_keys(walk, middle, queries, 0); // which the first did with its first keys
    const Share whole = walk_keys(walk, middle, queries, ATTENTION_KEYS);
    add_share(&sum->all, &first, count);
    add_share(&sum->all, &sum->copying, -count);
    add_share(&sum->all, &copying, count);
    add_share(&sum->all, &whole, more_steps);
}

// A whole head.
static Shares walk_head(Pass *pass, const HypAttentionDivision *division)
{
    const size_t queries = division->queries;
    const size_t blocks = division->blocks;
    const bool all = blocks <= pass->sampling.blocks || attention_visible(pass->walk.args, 0) == 0;
    Shares sum = walk_queries(pass, 0, first_queries(division));
    for (size_t i = 1; all && i < blocks; i++) {
        const Shares shares = walk_queries(pass, i * queries, queries);
        add_share(&sum.all, &shares.all, 1);
    }
    if (!all && pass->walk.args->causal)
        add_causal_middle(pass, division, &sum);
    else if (!all)
        add_middle(pass, division, &sum);
    if (division->rest > 0 && blocks > 0) {
        const Shares shares = walk_queries(pass, blocks * queries, division->rest);
        add_share(&sum.all, &shares.all, 1);
    }
    return sum;
}

static Share walk_first_block(Pass *pass, size_t head, const HypAttentionDivision *division)
{
    hyp_attention_walk_head(&pass->walk, head);
    HypAttentionStep step = hyp_attention_step(&pass->walk, 0, first_queries(division), 0);
    Share copying;
    return walk_begin(&pass->walk, &step, &copying);
}

// A head that packs nothing, of which one whole block of keys stands for all.
static Share walk_alone_block(Pass *pass, size_t index)
{
    HypAttentionWalk *walk = &pass->walk;
    const size_t queries = walk->args->queries;
    const size_t keys = attention_visible(walk->args, queries - 1);
    const size_t blocks = keys / ATTENTION_KEYS;
    const HypAttentionStep whole =
        hyp_attention_step(walk, 0, queries, index % blocks * ATTENTION_KEYS);
    hyp_attention_walk_queries(walk, 0, queries);
    if (keys > blocks * ATTENTION_KEYS) {
        const HypAttentionStep rest = hyp_attention_step(walk, 0, queries, blocks * ATTENTION_KEYS);
        hyp_attention_walk_alone(walk, &rest);
    }
    Share sum = take_share(walk);
    hyp_attention_walk_alone(walk, &whole);
    const Share walked = take_share(walk);
    add_share(&sum, &walked, (double)blocks);
    hyp_attention_walk_results(walk, 0, queries);
    const Share results = take_share(walk);
    add_share(&sum, &results, 1);
    return sum;
}

enum { MOST_ALONE_KEYS = 1600, MOST_ALONE_GROUPS = 7 };

// Whether heads that pack nothing are walked over all keys: where these are few, and where a level
// may keep some from one head to the next with the same, more than there is room for, as sets are
// not filled evenly.
static bool walks_all_keys(const Pass *pass, const HypCacheShape *cache, size_t groups)
{
    static const double more = 1.3;
    const HypAttentionArgs *args = pass->walk.args;
    const double most = (double)pass->walk.key_position / (double)pass->walk.line_floats;
    const double row = fmin(hyp_attention_row_lines(&pass->walk), most);
    const double lines = 2 * (double)args->keys * row;
    const size_t sharing = attention_sharing(args);
    const size_t heads = gemm_least(groups, MOST_ALONE_GROUPS) * (sharing > 1 ? 2 : 1);
    return args->keys < 2 * ATTENTION_KEYS ||
           args->keys * args->queries * heads <= MOST_ALONE_KEYS ||
           (sharing > 1 && lines < more * cache->sets * cache->ways);
}

// Heads with the same keys, of which the second stands for all but the first.
static Share walk_sharing_heads(Pass *pass, const HypAttentionDivision *division, size_t head)
{
    const size_t sharing = attention_sharing(pass->walk.args);
    hyp_attention_walk_head(&pass->walk, head);
    Share sum = walk_head(pass, division).all;
    if (sharing == 1)
        return sum;
    hyp_attention_walk_head(&pass->walk, head + 1);
    const Share next = walk_head(pass, division).all;
    add_share(&sum, &next, (double)(sharing - 1));
    return sum;
}

// Groups of heads with the same keys that pack nothing.
typedef struct Alone {
    const HypAttentionDivision *division;
    size_t groups, sharing;
    bool all_keys;
} Alone;

// No two groups walk the same keys.
static Share walk_alone_group(Pass *pass, const Alone *alone, size_t group)
{
    Share share = {.accesses = 0};
    if (alone->all_keys)
        return walk_sharing_heads(pass, alone->division, group * alone->sharing);
    hyp_attention_walk_head(&pass->walk, group * alone->sharing);
    const Share first = walk_alone_block(pass, group);
    add_share(&share, &first, (double)alone->sharing);
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
static Share walk_alone_class(Pass *pass, const Alone *alone, bool crowded, size_t most)
{
    const size_t step = find_step(alone->groups, alone->groups / gemm_least(most, alone->groups));
    Share sum = {.accesses = 0};
    size_t walked = 0;
    size_t count = 0;
    for (size_t i = 0; i < alone->groups; i++) {
        const size_t group = i * step % alone->groups;
        hyp_attention_walk_head(&pass->walk, group * alone->sharing);
        if (hyp_attention_meets_query(&pass->walk) != crowded)
            continue;
        count++;
        if (walked == most)
            continue;
        walked++;
        const Share share = walk_alone_group(pass, alone, group);
        add_share(&sum, &share, 1);
    }
    Share all = {.accesses = 0};
    add_share(&all, &sum, walked > 0 ? (double)count / (double)walked : 0);
    return all;
}

static Share walk_alone_heads(Pass *pass, const HypAttentionDivision *division,
                              const HypCacheShape *cache)
{
    const HypAttentionArgs *args = pass->walk.args;
    const size_t sharing = attention_sharing(args);
    const size_t groups = args->batch * args->heads / sharing;
    const bool all_keys = walks_all_keys(pass, cache, groups);
    const Alone alone = {division, groups, sharing, all_keys};
    const size_t keys = args->queries * (all_keys ? 2 * args->keys : ATTENTION_KEYS);
    const size_t most = gemm_least(2 + MOST_ALONE_KEYS / keys, MOST_ALONE_GROUPS);
    pass->sampling.whole = SIZE_MAX;
    Share sum = walk_alone_class(pass, &alone, false, most);
    const Share crowded = walk_alone_class(pass, &alone, true, 1);
    add_share(&sum, &crowded, 1);
    return sum;
}

static Share walk_all_heads(Pass *pass, const HypAttentionDivision *division)
{
    const size_t heads = pass->walk.args->batch * pass->walk.args->heads;
    Share sum = {.accesses = 0};
    for (size_t i = 0; i < heads; i++) {
        hyp_attention_walk_head(&pass->walk, i);
        const Shares shares = walk_head(pass, division);
        add_share(&sum, &shares.all, 1);
    }
    return sum;
}

// Few heads all; else as the first head, but for how the next ones begin.
static Share walk_heads(Pass *pass, const HypCacheShape *cache)
{
    const HypAttentionArgs *args = pass->walk.args;
    const HypAttentionDivision division = hyp_attention_divide(&pass->walk);
    const size_t sharing = attention_sharing(args);
    const double heads = (double)args->batch * (double)args->heads;
    const double fresh = heads / (double)sharing; // with keys of their own
    if (attention_taken_alone(args->queries))
        return walk_alone_heads(pass, &division, cache);
    if (heads <= (double)pass->sampling.heads)
        return walk_all_heads(pass, &division);
    hyp_attention_walk_head(&pass->walk, 0);
    const Shares cold = walk_head(pass, &division);
    Share sum = {.accesses = 0};
    add_share(&sum, &cold.all, heads);
    add_share(&sum, &cold.begin, 1 - heads);
    if (cold.next_walked) {
        add_share(&sum, &cold.next, heads - 1);
        return sum;
    }
    if (sharing > 1) {
        const Share begin = walk_first_block(pass, 1, &division);
        add_share(&sum, &begin, heads - fresh);
    }
    if (fresh > 1) {
        const Share begin = walk_first_block(pass, sharing, &division);
        add_share(&sum, &begin, fresh - 1);
    }
    return sum;
}

static double count_groups(const Pass *pass, size_t queries, const Sampling *sampling)
{
    const double groups = ceil((double)queries / (double)pass->walk.tile_rows);
    return fmin(groups, (double)sampling->groups + 2);
}

// How long a sampling takes, near enough: as measured on a Zen 5 with AVX2.
static double estimate_ns(const Pass *pass, const Sampling *sampling)
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
static Sampling choose_sampling(const Pass *pass, const HypCacheShape *cache)
{
    enum { LARGE_BYTES = 65536 };
    static const double heads_ns = 45e3;
    static const double heads_of_large_ns = 200e3;
    const bool large =
        cache->sets * cache->ways * cache->line_floats * sizeof(float) >= LARGE_BYTES;
    int i = 0;
    while (!large && i + 1 < SAMPLINGS && estimate_ns(pass, &samplings[i]) > samplings[i].most_ns)
        i++;
    Sampling sampling = samplings[i];
    const double most_ns = large ? heads_of_large_ns : heads_ns;
    sampling.heads = (size_t)(most_ns / estimate_ns(pass, &sampling));
    return sampling;
}

// Not many groups more, nor less: what they touch of their own comes to lie as often in any set of
// the cache.
static size_t find_counted(const Pass *pass, const HypCacheShape *cache)
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
    Pass pass;
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
    const Share share = walk_heads(&pass, &cache);
    hyp_stacks_close(&pass.walk.stacks);
    HypTraffic *traffic = &account->traffic;
    traffic->accesses += share.accesses;
    traffic->misses[0] += share.misses.all;
    traffic->doubt[0] += pass.sampling.doubt * share.misses.all;
    traffic->write_backs[0] += hyp_attention_write_backs(&pass.walk, &share.misses, &cache);
    hyp_attention_add_outer(&pass.walk, share.misses.all, account);
}
