// SPDX-License-Identifier: Apache-2.0
// attention_nest.h - attention with an online softmax over blocks of keys (Milakov and Gimelshein
// 2018), written once over the vector vocabulary of a level. Included by
// level/<level>/attention_<level>.c after its gemm_tile_<level>.h.
//
// For a block of queries and one of keys, a group of queries as large as a register tile has rows
// is multiplied with all keys, the scores become weights, and the weights multiply the values. A
// few queries take keys and values as they lie, since packing them would be most of the work. What
// belongs to one query is computed in the same order whichever group it is in.
#ifndef HYP_ATTENTION_NEST_H
#define HYP_ATTENTION_NEST_H

#include "activation/activation_math.h"
#include "attention/attention_blocks.h"
#include "gemm/gemm_transpose.h"
#include "kernel.h"

#include <math.h>

_Static_assert(GEMM_NV == 2, "the last columns of a panel are one or two vectors");
_Static_assert(GEMM_MR <= ATTENTION_ROWS, "the workspace holds the scores of a tile's rows");

// Sums under way where keys are read from their rows: of eight keys, of which a set of a cache
// holds the lines even where rows are a power of two apart, or of a register of them.
#define ATTENTION_KEY_SUMS (attention_alone_keys(VEC_LANES) / VEC_LANES)

// One head of one image of the batch.
typedef struct AttentionHead {
    const float *q, *k, *v;
    float *out;
    size_t position;     // floats from one query to the next
    size_t key_position; // and from one key to the next
} AttentionHead;

// A group of queries that meets a block of keys.
typedef struct AttentionGroup {
    AttentionWorkspace work; // advanced to the group's queries, results, greatest scores and sums
    size_t dim, width;
    ptrdiff_t seen; // keys of the block that the first query sees, were the block endless both ways
    size_t one_more; // that each next query sees: 1 where causal
    size_t keys;     // in the block
} AttentionGroup;

// Floats of a row of values or results: whole registers.
VEC_FN size_t attention_width(size_t dim)
{
    return (dim + VEC_LANES - 1) / VEC_LANES * VEC_LANES;
}

// Keys of the block that query `row` of the group sees.
VEC_FN size_t attention_seen(const AttentionGroup *group, size_t row)
{
    const ptrdiff_t seen = group->seen + (ptrdiff_t)(row * group->one_more);
    if (seen <= 0)
        return 0;
    return (size_t)seen < group->keys ? (size_t)seen : group->keys;
}

VEC_FN void attention_copy_rows(const float *source, size_t position, size_t rows, size_t dim,
                                float scale, float *to)
{
    const size_t width = attention_width(dim);
    const vec factor = vec_set(scale);
    for (size_t r = 0; r < rows; r++, source += position, to += width)
        for (size_t d = 0; d < dim; d += VEC_LANES)
            vec_store(to + d,
                      vec_mul(load_up_to(source + d, gemm_least(VEC_LANES, dim - d)), factor));
}

// `count` keys, by way of the place of the values, a register of them at a time; zeros where the
// last panel has fewer.
VEC_FN void attention_pack_keys(const AttentionHead *head, size_t dim, size_t first, size_t count,
                                const AttentionWorkspace *work)
{
    for (size_t j = 0; j < count || j % GEMM_NR > 0; j += VEC_LANES) {
        const size_t rows = j < count ? gemm_least(VEC_LANES, count - j) : 0;
        attention_copy_rows(head->k + (first + j) * head->key_position, head->key_position, rows,
                            dim, 1.0F, work->values);
        const size_t column = j % GEMM_NR;
        float *panel = work->keys + (j - column) * dim + column;
        for (size_t k = 0; k < dim; k += VEC_LANES)
            pack_transposed_block(work->values, attention_width(dim), rows, k, dim, panel, GEMM_NR,
                                  GEMM_NR - column);
    }
}

VEC_FN void attention_pack_values(const AttentionHead *head, size_t dim, size_t first, size_t count,
                                  const AttentionWorkspace *work)
{
    const size_t width = attention_width(dim);
    const size_t panel_columns = attention_panel(GEMM_NR);
    for (size_t j = 0; j < count; j++) {
        const float *row = head->v + (first + j) * head->key_position;
        for (size_t d = 0; d < dim; d += VEC_LANES) {
            const size_t panel = d / panel_columns * panel_columns;
            float *to = work->values + panel * ATTENTION_KEYS +
                        j * gemm_least(panel_columns, width - panel) + d - panel;
            vec_store(to, load_up_to(row + d, gemm_least(VEC_LANES, dim - d)));
        }
    }
}

// Scores of `rows` queries with one panel of keys.
VEC_FN void attention_score_panel(const AttentionGroup *group, size_t rows, const float *keys,
                                  float *scores)
{
    vec sums[GEMM_MR][GEMM_NV];
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < GEMM_NV; v++)
            sums[r][v] = vec_zero();
    const float *queries = group->work.queries;
    for (size_t d = group->dim; d > 0; d--, keys += GEMM_NR, queries += rows) {
        const vec first = vec_load(keys);
        const vec second = vec_load(keys + VEC_LANES);
#pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++) {
            const vec component = vec_set(one_load(queries + r));
            sums[r][0] = vec_fma(component, first, sums[r][0]);
            sums[r][1] = vec_fma(component, second, sums[r][1]);
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < GEMM_NV; v++)
            vec_store(scores + r * ATTENTION_KEYS + v * VEC_LANES, sums[r][v]);
}

// Turns a query's scores with the `seen` keys of a block that it sees into exp(score - greatest),
// where `greatest` now covers the block too. Returns the factor that what was summed before is
// worth now.
VEC_FN float attention_weigh(float *scores, size_t seen, float *greatest, float *sum)
{
    if (seen == 0)
        return 1.0F;
    for (size_t j = seen; j % VEC_LANES > 0; j++)
        one_store(scores + j, -INFINITY);
    vec lanes = vec_load(scores);
    for (size_t j = VEC_LANES; j < seen; j += VEC_LANES)
        lanes = vec_max(lanes, vec_load(scores + j));
    const float in_block = vec_greatest(lanes);
    const float before = one_load(greatest);
    const float now = in_block > before ? in_block : before;
    const vec shift = vec_set(now);
    vec total = vec_zero();
    for (size_t j = 0; j < seen; j += VEC_LANES) {
        const vec weight = vec_exp(vec_sub(vec_load(scores + j), shift));
        vec_store(scores + j, weight);
        total = vec_add(total, weight);
    }
    const float factor = vec_greatest(vec_exp(vec_set(before - now)));
    one_store(greatest, now);
    one_store(sum, one_load(sum) * factor + vec_sum(total));
    return factor;
}

// results = results * factor + sum over the keys that each query sees of weight v, in `vectors`
// columns. `panel`: floats from one row of values to the next.
VEC_FN void attention_gather_columns(const AttentionGroup *group, size_t rows, const float *values,
                                     size_t panel, size_t vectors, float *results)
{
    vec sums[GEMM_MR][GEMM_NV];
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++) {
        const vec factor = vec_set(one_load(group->work.factors + r));
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            sums[r][v] = vec_mul(vec_load(results + r * group->width + v * VEC_LANES), factor);
    }
    const size_t all = attention_seen(group, 0); // keys that every query sees
    const size_t any = attention_seen(group, rows - 1);
    const float *weights = group->work.scores;
    for (size_t j = 0; j < any; j++, values += panel, weights++) {
        vec row[GEMM_NV];
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            row[v] = vec_load(values + v * VEC_LANES);
        if (j < all) {
#pragma GCC unroll 16
            for (size_t r = 0; r < rows; r++) {
                const vec weight = vec_set(one_load(weights + r * ATTENTION_KEYS));
#pragma GCC unroll 8
                for (size_t v = 0; v < vectors; v++)
                    sums[r][v] = vec_fma(weight, row[v], sums[r][v]);
            }
            continue;
        }
#pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++) {
            if (j >= attention_seen(group, r))
                continue;
            const vec weight = vec_set(one_load(weights + r * ATTENTION_KEYS));
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                sums[r][v] = vec_fma(weight, row[v], sums[r][v]);
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            vec_store(results + r * group->width + v * VEC_LANES, sums[r][v]);
}

VEC_FN void attention_gather(const AttentionGroup *group, size_t rows)
{
    const size_t panel_columns = attention_panel(GEMM_NR);
    for (size_t d = 0; d < group->width; d += GEMM_NR) {
        const size_t first = d / panel_columns * panel_columns;
        const size_t panel = gemm_least(panel_columns, group->width - first);
        const float *values = group->work.values + first * ATTENTION_KEYS + d - first;
        if (group->width - d >= GEMM_NR)
            attention_gather_columns(group, rows, values, panel, 2, group->work.results + d);
        else
            attention_gather_columns(group, rows, values, panel, 1, group->work.results + d);
    }
}

VEC_FN void attention_group(const AttentionGroup *group, size_t rows)
{
    const AttentionWorkspace *work = &group->work;
    const size_t any = attention_seen(group, rows - 1);
    for (size_t j = 0; j < any; j += GEMM_NR)
        attention_score_panel(group, rows, work->keys + j * group->dim, work->scores + j);
    for (size_t r = 0; r < rows; r++)
        one_store(work->factors + r,
                  attention_weigh(work->scores + r * ATTENTION_KEYS, attention_seen(group, r),
                                  work->greatest + r, work->sum + r));
    attention_gather(group, rows);
}

// One copy for each number of rows, with the group in its own frame.
static __attribute__((noinline)) void attention_group_full(const AttentionGroup *group)
{
    const AttentionGroup own = *group;
    attention_group(&own, GEMM_MR);
}
static __attribute__((noinline)) void attention_group_few(const AttentionGroup *group)
{
    const AttentionGroup own = *group;
    attention_group(&own, ATTENTION_FEW);
}
static __attribute__((noinline)) void attention_group_one(const AttentionGroup *group)
{
    const AttentionGroup own = *group;
    attention_group(&own, 1);
}

// Scores of a query with as many keys as VEC_LANES * `vectors` straight from their rows, of which
// there are `rows`: transposed in registers, so that sums are those of packed keys. `vectors` is
// how many sums are under way.
VEC_FN void attention_score_rows(const AttentionGroup *group, const float *keys, size_t position,
                                 size_t rows, size_t vectors, float *scores)
{
    vec sums[ATTENTION_SUMS];
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; v++)
        sums[v] = vec_zero();
    const float *query = group->work.queries;
    for (size_t d = 0; d < group->dim; d += VEC_LANES) {
        const size_t count = gemm_least(VEC_LANES, group->dim - d);
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++) {
            const float *first = keys + v * VEC_LANES * position + d;
            vec block[VEC_LANES];
#pragma GCC unroll 16
            for (size_t i = 0; i < VEC_LANES; i++)
                block[i] =
                    v * VEC_LANES + i < rows ? load_up_to(first + i * position, count) : vec_zero();
            vec_transpose(block);
#pragma GCC unroll 16
            for (size_t i = 0; i < VEC_LANES; i++)
                if (i < count)
                    sums[v] = vec_fma(vec_set(one_load(query + d + i)), block[i], sums[v]);
        }
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; v++)
        vec_store(scores + v * VEC_LANES, sums[v]);
}

// As attention_gather_columns for one query, from rows of the head of which `count` columns are
// left.
VEC_FN void attention_gather_rows(const AttentionGroup *group, const float *values, size_t position,
                                  size_t vectors, size_t count, float *results)
{
    vec sums[ATTENTION_SUMS];
    const vec factor = vec_set(one_load(group->work.factors));
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; v++)
        sums[v] = vec_mul(vec_load(results + v * VEC_LANES), factor);
    const size_t seen = attention_seen(group, 0);
    for (size_t j = 0; j < seen; j++, values += position) {
        const vec weight = vec_set(one_load(group->work.scores + j));
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            sums[v] =
                vec_fma(weight, load_up_to(values + v * VEC_LANES, count - v * VEC_LANES), sums[v]);
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; v++)
        vec_store(results + v * VEC_LANES, sums[v]);
}

// A query and keys that no other shares with it: nothing is packed.
static __attribute__((noinline)) void attention_alone(const AttentionGroup *group,
                                                      const float *keys, const float *values,
                                                      size_t position)
{
    const AttentionGroup own = *group;
    const AttentionWorkspace *work = &own.work;
    const size_t seen = attention_seen(&own, 0);
    const size_t step = ATTENTION_KEY_SUMS * VEC_LANES;
    size_t j = 0;
    for (; j + step <= seen; j += step)
        attention_score_rows(&own, keys + j * position, position, step, ATTENTION_KEY_SUMS,
                             work->scores + j);
    for (; j < seen; j += VEC_LANES)
        attention_score_rows(&own, keys + j * position, position, gemm_least(VEC_LANES, seen - j),
                             1, work->scores + j);
    one_store(work->factors, attention_weigh(work->scores, seen, work->greatest, work->sum));
    for (size_t d = 0, vectors; d < own.dim; d += vectors * VEC_LANES) {
        const size_t left = own.dim - d;
        vectors = attention_alone_vectors(left, VEC_LANES);
        float *results = work->results + d;
        if (vectors == ATTENTION_SUMS)
            attention_gather_rows(&own, values + d, position, ATTENTION_SUMS,
                                  ATTENTION_SUMS * VEC_LANES, results);
        else if (vectors == ATTENTION_SUMS / 2)
            attention_gather_rows(&own, values + d, position, ATTENTION_SUMS / 2,
                                  ATTENTION_SUMS / 2 * VEC_LANES, results);
        else
            attention_gather_rows(&own, values + d, position, 1, left, results);
    }
}

// The group that begins with query `query` + i, the i-th of its block; still without keys.
VEC_FN AttentionGroup attention_find_group(const HypAttentionArgs *args,
                                           const AttentionWorkspace *work, size_t query, size_t i)
{
    AttentionGroup group = {.work = *work, .dim = args->dim, .width = attention_width(args->dim)};
    group.work.queries += i * group.dim;
    group.work.results += i * group.width;
    group.work.greatest += i;
    group.work.sum += i;
    group.one_more = args->causal ? 1 : 0;
    group.seen = (ptrdiff_t)args->keys;
    if (args->causal)
        group.seen += (ptrdiff_t)(query + i) + 1 - (ptrdiff_t)args->queries;
    return group;
}

// Queries part.first to part.end - 1 against the block of keys that begins at `first`.
VEC_FN void attention_block(const HypAttentionArgs *args, const AttentionHead *head,
                            const AttentionWorkspace *work, HypRange part, size_t first)
{
    const size_t count = gemm_least(ATTENTION_KEYS, args->keys - first);
    const size_t queries = part.end - part.first;
    const bool alone = attention_taken_alone(queries);
    if (!alone) {
        attention_pack_keys(head, args->dim, first, count, work);
        attention_pack_values(head, args->dim, first, count, work);
    }
    for (size_t i = 0, rows; i < queries; i += rows) {
        rows = attention_group_rows(queries - i, GEMM_MR);
        AttentionGroup group = attention_find_group(args, work, part.first, i);
        group.seen -= (ptrdiff_t)first;
        group.keys = count;
        if (attention_seen(&group, rows - 1) == 0)
            continue;
        const size_t at = first * head->key_position;
        if (alone)
            attention_alone(&group, head->k + at, head->v + at, head->key_position);
        else if (rows == GEMM_MR)
            attention_group_full(&group);
        else if (rows == ATTENTION_FEW)
            attention_group_few(&group);
        else
            attention_group_one(&group);
    }
}

// Scaled queries, by way of the place of their results, which begin with zeros.
VEC_FN void attention_start(const HypAttentionArgs *args, const AttentionHead *head,
                            const AttentionWorkspace *work, HypRange part)
{
    const size_t width = attention_width(args->dim);
    const size_t queries = part.end - part.first;
    for (size_t i = 0, rows; i < queries; i += rows) {
        rows = attention_group_rows(queries - i, GEMM_MR);
        float *results = work->results + i * width;
        attention_copy_rows(head->q + (part.first + i) * head->position, head->position, rows,
                            args->dim, args->scale, results);
        pack_transposed(results, width, rows, args->dim, work->queries + i * args->dim, rows);
        for (size_t d = 0; d < rows * width; d += VEC_LANES)
            vec_store(results + d, vec_zero());
    }
    for (size_t i = 0; i < queries; i++) {
        one_store(work->greatest + i, -INFINITY);
        one_store(work->sum + i, 0.0F);
    }
}

VEC_FN void attention_finish(const HypAttentionArgs *args, const AttentionHead *head,
                             const AttentionWorkspace *work, HypRange part)
{
    const size_t width = attention_width(args->dim);
    for (size_t i = 0; i < part.end - part.first; i++) {
        // A query that saw no key has sum 0 and keeps its zeros.
        const float sum = one_load(work->sum + i);
        const vec factor = vec_set(sum == 0.0F ? 0.0F : 1.0F / sum);
        float *out = head->out + (part.first + i) * head->position;
        for (size_t d = 0; d < args->dim; d += VEC_LANES)
            store_up_to(out + d, vec_mul(vec_load(work->results + i * width + d), factor),
                        gemm_least(VEC_LANES, args->dim - d));
    }
}

VEC_FN void attention_head(const HypAttentionArgs *args, const AttentionHead *head,
                           const AttentionWorkspace *work, HypRange part)
{
    for (HypRange block = {part.first, part.first}; block.end < part.end;) {
        block.first = block.end;
        block.end += attention_block_queries(part.end - block.first, GEMM_MR);
        attention_start(args, head, work, block);
        const size_t keys = attention_visible(args, block.end - 1); // the last query sees most
        for (size_t first = 0; first < keys; first += ATTENTION_KEYS)
            attention_block(args, head, work, block, first);
        attention_finish(args, head, work, block);
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
