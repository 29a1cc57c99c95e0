// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>

// About how many multiplications of the reference a large problem is worth.
#define SAMPLE_WORK ((size_t)20 * 1000 * 1000)

typedef struct AttentionBuffers {
    HypCheckBuffer q, k, v, out, workspace;
} AttentionBuffers;

// Room for one query of the reference.
typedef struct AttentionRow {
    double *weights; // keys
    double *want;    // dim
} AttentionRow;

// Floats from one key to the next.
static size_t key_position(const HypAttentionArgs *args)
{
    return (args->kv_heads ? args->kv_heads : args->heads) * args->dim;
}

// Largest sum over d of |scale q[d] k[d]| of the keys the query sees: what errors of the scores are
// relative to.
static double score_size(const HypAttentionArgs *args, const float *q, const float *k,
                         size_t visible)
{
    double greatest = 0;
    for (size_t j = 0; j < visible; j++) {
        double size = 0;
        for (size_t d = 0; d < args->dim; d++)
            size += fabs((double)q[d] * (double)k[j * key_position(args) + d]);
        greatest = fmax(greatest, size);
    }
    return greatest * fabs((double)args->scale);
}

// u = epsilon / 2, s the size of the scores. A score errs by (dim + 2) u s and its difference to
// the maximum, at most 2 s, by a rounding; the maxima it was rescaled by add no more than that
// again, and the normaliser errs as much as the weights do. The sums over the keys err by u a key,
// the exponentials, rescalings (one for 64 keys) and the division by a few u.
static double attention_bound(const HypAttentionArgs *args, double size, size_t visible,
                              const double *weights, const float *v)
{
    double weighed = 0; // sum of weight |v|
    double total = 0;   // sum of |v|, for weights that are rounded to 0
    for (size_t j = 0; j < visible; j++) {
        weighed += weights[j] * fabs((double)v[j * key_position(args)]);
        total += fabs((double)v[j * key_position(args)]);
    }
    const double units = 2 * ((double)args->dim + 8) * size + 2 * (double)visible + 16;
    return HYP_CHECK_EPSILON / 2 * units * weighed + (double)FLT_MIN * (1 + total);
}

static bool compare_query(HypCheckRun *run, const HypAttentionArgs *args, size_t index,
                          const AttentionRow *row)
{
    const size_t query = index % args->queries;
    const size_t head = index / args->queries % args->heads;
    const size_t batch = index / args->queries / args->heads;
    const size_t position = args->heads * args->dim;
    const float *q = args->q + (batch * args->queries + query) * position + head * args->dim;
    const float *out = args->out + (q - args->q);
    const size_t sharing = args->kv_heads ? args->heads / args->kv_heads : 1;
    const float *k = args->k + batch * args->keys * key_position(args) + head / sharing * args->dim;
    const float *v = args->v + (k - args->k);
    const size_t visible = hyp_reference_visible_keys(args, query);
    const double size = score_size(args, q, k, visible);
    hyp_reference_attention(args, batch, head, query, row->weights, row->want);
    for (size_t d = 0; d < args->dim; d++) {
        const double bound = attention_bound(args, size, visible, row->weights, v + d);
        if (!hyp_check_value(run, (double)out[d], row->want[d], bound, "out[%zu][%zu][%zu][%zu]",
                             batch, query, head, d))
            return false;
    }
    return true;
}

static bool compare(HypCheckRun *run, const HypAttentionArgs *args)
{
    const AttentionRow row = {malloc((args->keys + 1) * sizeof(double)),
                              malloc((args->dim + 1) * sizeof(double))};
    bool agrees = row.weights && row.want;
    if (!agrees)
        (void)hyp_check_fail(run, "out of memory for %zu keys", args->keys);
    const size_t total = args->batch * args->heads * args->queries;
    const size_t limit = 2 + SAMPLE_WORK / (args->keys * args->dim + 1);
    const size_t compared = hyp_check_sample_count(total, limit);
    for (size_t s = 0; s < compared && agrees; s++)
        agrees = compare_query(run, args, hyp_check_sample(run, total, limit, s), &row);
    free(row.weights);
    free(row.want);
    return agrees;
}

static bool run_case(HypCheckRun *run, const HypKernelVariant *variant, HypAttentionArgs *args,
                     size_t offset, AttentionBuffers *buffers)
{
    const size_t position = args->heads * args->dim;
    const size_t q_floats = args->batch * args->queries * position;
    const size_t k_floats = args->batch * args->keys * key_position(args);
    if (!hyp_check_allocate(run, &buffers->q, q_floats, offset) ||
        !hyp_check_allocate(run, &buffers->k, k_floats, (offset + 5) % HYP_CHECK_WIDEST_LANES) ||
        !hyp_check_allocate(run, &buffers->v, k_floats, (offset + 10) % HYP_CHECK_WIDEST_LANES) ||
        !hyp_check_allocate(run, &buffers->out, q_floats, (offset + 3) % HYP_CHECK_WIDEST_LANES) ||
        !hyp_check_allocate(run, &buffers->workspace,
                            hyp_attention_workspace_bytes(args) / sizeof(float), 0))
        return false;
    hyp_check_fill(run, &buffers->q, -2, 2);
    hyp_check_fill(run, &buffers->k, -2, 2);
    hyp_check_fill(run, &buffers->v, -1, 1);
    args->q = buffers->q.data;
    args->k = buffers->k.data;
    args->v = buffers->v.data;
    args->out = buffers->out.data;
    args->workspace = buffers->workspace.data;
    variant->fn.attention(args);
    return hyp_check_guards(run, &buffers->q, "q") && hyp_check_guards(run, &buffers->k, "k") &&
           hyp_check_guards(run, &buffers->v, "v") && hyp_check_guards(run, &buffers->out, "out") &&
           hyp_check_guards(run, &buffers->workspace, "workspace") && compare(run, args) &&
           hyp_check_split(run, variant, args, &buffers->out, NULL);
}

static bool check_case(HypCheckRun *run, const HypKernelVariant *variant,
                       const HypAttentionArgs *problem, size_t offset)
{
    HypAttentionArgs args = *problem;
    args.parallel = NULL;
    hyp_check_begin_case(
        run, "batch=%zu heads=%zu/%zu queries=%zu keys=%zu dim=%zu scale=%g%s offset=%zu",
        args.batch, args.heads, args.kv_heads, args.queries, args.keys, args.dim,
        (double)args.scale, args.causal ? " causal" : "", offset);
    AttentionBuffers buffers = {.q = {.count = 0}};
    const bool agrees = run_case(run, variant, &args, offset, &buffers);
    hyp_check_release(&buffers.q);
    hyp_check_release(&buffers.k);
    hyp_check_release(&buffers.v);
    hyp_check_release(&buffers.out);
    hyp_check_release(&buffers.workspace);
    return agrees;
}

bool hyp_check_attention_args(const HypKernelVariant *variant, const HypAttentionArgs *args,
                              uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    return check_case(&run, variant, args, 0);
}

static bool check_sizes(HypCheckRun *run, const HypKernelVariant *variant, size_t queries,
                        size_t keys, size_t dim)
{
    // Usual, flat, and so steep that most weights vanish.
    static const float scales[] = {0.125F, 0.0F, 8.0F};
    for (size_t offset = 0; offset < HYP_CHECK_WIDEST_LANES; offset++) {
        const size_t kv_heads = hyp_check_below(run, 3);
        const HypAttentionArgs args = {.batch = 1 + hyp_check_below(run, 2),
                                       .heads = (kv_heads ? kv_heads : 1) *
                                                (1 + hyp_check_below(run, 3)),
                                       .kv_heads = kv_heads,
                                       .queries = queries,
                                       .keys = keys,
                                       .dim = dim,
                                       .scale = scales[hyp_check_below(run, 3)],
                                       .causal = hyp_check_below(run, 2)};
        if (!check_case(run, variant, &args, offset))
            return false;
    }
    return true;
}

bool hyp_check_attention_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    // 64 keys are a block, and four vectors of dim a turn of the inner loop.
    const size_t last = 2 * 4 * HYP_CHECK_WIDEST_LANES + 1;
    for (size_t size = 0; size <= last; size++) {
        const size_t queries = hyp_check_below(&run, 6);
        const size_t other = hyp_check_below(&run, 20);
        if (!check_sizes(&run, variant, queries, size, other) ||
            !check_sizes(&run, variant, queries, other, size))
            return false;
    }
    // More queries than keys and as many, over several blocks.
    return check_sizes(&run, variant, 7, 3, 8) && check_sizes(&run, variant, 150, 150, 33);
}
