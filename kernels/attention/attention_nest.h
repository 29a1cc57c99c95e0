// SPDX-License-Identifier: Apache-2.0
// attention_nest.h - attention with an online softmax over blocks of keys (Milakov and Gimelshein
// 2018), written once over the vector vocabulary of a level. Until the last block, `out` holds the
// sum of exp(score - greatest) v. Included by level/<level>/attention_<level>.c after its
// vec_<level>.h.
#ifndef HYP_ATTENTION_NEST_H
#define HYP_ATTENTION_NEST_H

#include "activation/activation_math.h"
#include "attention/attention_blocks.h"
#include "kernel.h"

#include <math.h>

// One head of one image of the batch.
typedef struct AttentionHead {
    const float *q, *k, *v;
    float *out;
    size_t position;     // floats from one query to the next
    size_t key_position; // and from one key to the next
} AttentionHead;

// Keys first .. first + count - 1, transposed so that a vector holds one component of many keys;
// zeros where the block has fewer.
VEC_FN void attention_pack(const AttentionHead *head, size_t dim, size_t first, size_t count,
                           float *packed)
{
    const float *keys = head->k + first * head->key_position;
    for (size_t d = 0; d < dim; d++, packed += ATTENTION_KEYS)
        for (size_t j = 0; j < ATTENTION_KEYS; j++)
            one_store(packed + j, j < count ? one_load(keys + j * head->key_position + d) : 0.0F);
}

// Scores of one query with the first `visible` keys of the block; -infinity for the others.
VEC_FN void attention_score(const HypAttentionArgs *args, const float *q, const float *packed,
                            size_t visible, float *scores)
{
    const vec scale = vec_set(args->scale);
    for (size_t j = 0; j < visible; j += 4 * VEC_LANES) {
        vec s0 = vec_zero();
        vec s1 = vec_zero();
        vec s2 = vec_zero();
        vec s3 = vec_zero();
        const float *keys = packed + j;
        for (size_t d = 0; d < args->dim; d++, keys += ATTENTION_KEYS) {
            const vec component = vec_set(one_load(q + d));
            s0 = vec_fma(component, vec_load(keys), s0);
            s1 = vec_fma(component, vec_load(keys + VEC_LANES), s1);
            s2 = vec_fma(component, vec_load(keys + 2 * VEC_LANES), s2);
            s3 = vec_fma(component, vec_load(keys + 3 * VEC_LANES), s3);
        }
        vec_store(scores + j, vec_mul(s0, scale));
        vec_store(scores + j + VEC_LANES, vec_mul(s1, scale));
        vec_store(scores + j + 2 * VEC_LANES, vec_mul(s2, scale));
        vec_store(scores + j + 3 * VEC_LANES, vec_mul(s3, scale));
    }
    for (size_t j = visible; j < ATTENTION_KEYS; j++)
        one_store(scores + j, -INFINITY);
}

// Turns the scores of a block into exp(score - greatest), where `greatest` now covers the block
// too. Returns the factor that what was summed before is worth now.
VEC_FN float attention_weigh(float *scores, float *greatest, float *sum)
{
    vec lanes = vec_load(scores);
    for (size_t j = VEC_LANES; j < ATTENTION_KEYS; j += VEC_LANES)
        lanes = vec_max(lanes, vec_load(scores + j));
    const float in_block = vec_greatest(lanes);
    const float before = one_load(greatest);
    const float now = in_block > before ? in_block : before;
    const vec shift = vec_set(now);
    vec total = vec_zero();
    for (size_t j = 0; j < ATTENTION_KEYS; j += VEC_LANES) {
        const vec weight = vec_exp(vec_sub(vec_load(scores + j), shift));
        vec_store(scores + j, weight);
        total = vec_add(total, weight);
    }
    const float factor = vec_greatest(vec_exp(vec_set(before - now)));
    one_store(greatest, now);
    one_store(sum, one_load(sum) * factor + vec_sum(total));
    return factor;
}

// out = out * factor + sum over the visible keys of weight v
VEC_FN void attention_gather(const float *weights, const AttentionHead *head, const float *v,
                             size_t visible, float factor, float *out, size_t dim)
{
    const vec factors = vec_set(factor);
    size_t d = 0;
    for (; d + 4 * VEC_LANES <= dim; d += 4 * VEC_LANES) {
        vec o0 = vec_mul(vec_load(out + d), factors);
        vec o1 = vec_mul(vec_load(out + d + VEC_LANES), factors);
        vec o2 = vec_mul(vec_load(out + d + 2 * VEC_LANES), factors);
        vec o3 = vec_mul(vec_load(out + d + 3 * VEC_LANES), factors);
        const float *row = v + d;
        for (size_t j = 0; j < visible; j++, row += head->key_position) {
            const vec weight = vec_set(one_load(weights + j));
            o0 = vec_fma(weight, vec_load(row), o0);
            o1 = vec_fma(weight, vec_load(row + VEC_LANES), o1);
            o2 = vec_fma(weight, vec_load(row + 2 * VEC_LANES), o2);
            o3 = vec_fma(weight, vec_load(row + 3 * VEC_LANES), o3);
        }
        vec_store(out + d, o0);
        vec_store(out + d + VEC_LANES, o1);
        vec_store(out + d + 2 * VEC_LANES, o2);
        vec_store(out + d + 3 * VEC_LANES, o3);
    }
    for (; d < dim; d += VEC_LANES) {
        const size_t count = dim - d < VEC_LANES ? dim - d : VEC_LANES;
        vec o = vec_mul(vec_load_part(out + d, count), factors);
        const float *row = v + d;
        for (size_t j = 0; j < visible; j++, row += head->key_position)
            o = vec_fma(vec_set(one_load(weights + j)), vec_load_part(row, count), o);
        vec_store_part(out + d, o, count);
    }
}

// Queries part.first to part.end - 1 against the block of keys that begins at `first`.
VEC_FN void attention_block(const HypAttentionArgs *args, const AttentionHead *head,
                            const AttentionWorkspace *work, HypRange part, size_t first)
{
    const size_t left = args->keys - first;
    attention_pack(head, args->dim, first, left < ATTENTION_KEYS ? left : ATTENTION_KEYS,
                   work->packed);
    for (size_t i = part.first; i < part.end; i++) {
        const size_t seen = attention_visible(args, i);
        if (seen <= first)
            continue;
        const size_t visible = seen - first < ATTENTION_KEYS ? seen - first : ATTENTION_KEYS;
        attention_score(args, head->q + i * head->position, work->packed, visible, work->scores);
        const float factor = attention_weigh(work->scores, work->greatest + i, work->sum + i);
        attention_gather(work->scores, head, head->v + first * head->key_position, visible, factor,
                         head->out + i * head->position, args->dim);
    }
}

VEC_FN void attention_head(const HypAttentionArgs *args, const AttentionHead *head,
                           const AttentionWorkspace *work, HypRange part)
{
    for (size_t i = part.first; i < part.end; i++) {
        one_store(work->greatest + i, -INFINITY);
        one_store(work->sum + i, 0.0F);
        for (size_t d = 0; d < args->dim; d++)
            one_store(head->out + i * head->position + d, 0.0F);
    }
    // The last query sees most.
    const size_t keys = attention_visible(args, part.end - 1);
    for (size_t first = 0; first < keys; first += ATTENTION_KEYS)
        attention_block(args, head, work, part, first);
    for (size_t i = part.first; i < part.end; i++) {
        // A query that saw no key has sum 0 and keeps its zeros.
        const float sum = one_load(work->sum + i);
        const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;
        for (size_t d = 0; d < args->dim; d++)
            one_store(head->out + i * head->position + d,
                      one_load(head->out + i * head->position + d) * factor);
    }
}

static void attention_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypAttentionArgs *args = call->args;
    const AttentionWorkspace work = attention_workspace(args, thread);
    const size_t sharing = attention_sharing(args);
    const size_t position = args->heads * args->dim;
    const size_t key_position = position / sharing;
    const size_t end = attention_cut(args, call->threads, thread + 1);
    for (size_t i = attention_cut(args, call->threads, thread); i < end;) {
        const size_t batch = i / args->queries / args->heads;
        const size_t head_index = i / args->queries % args->heads;
        const size_t at_head = head_index * args->dim;
        const size_t at_query = batch * args->queries * position + at_head;
        const size_t at_key = batch * args->keys * key_position + head_index / sharing * args->dim;
        const AttentionHead head = {args->q + at_query,   args->k + at_key, args->v + at_key,
                                    args->out + at_query, position,         key_position};
        const size_t query = i % args->queries;
        const size_t left = args->queries - query;
        const size_t count = left < end - i ? left : end - i;
        attention_head(args, &head, &work, (HypRange){query, query + count});
        i += count;
    }
}

// With arguments in the kernel's own frame, where they are read at every query: no line of the
// caller's competes with keys and values.
static void attention_nest(const HypAttentionArgs *args)
{
    const HypAttentionArgs own = *args;
    hyp_parallel_call(own.parallel, attention_work(&own), attention_part, &own);
}

#endif
