// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "reference/reference.h"

#include <math.h>

// About how many elements are read for the comparison of a large result.
#define SAMPLE ((size_t)262144)

typedef struct ReduceCase {
    HyperionReduce function;
    size_t outer, middle, inner;
    bool special; // values that are easily mishandled, else uniform ones
    size_t in_offset, out_offset;
} ReduceCase;

// Extremes are exact. A sum of n terms errs by at most n u of the sum of their sizes, a product by
// n u of itself (Higham 2002, section 3.1), whatever the order; u = epsilon / 2.
static double find_bound(const HypReduceArgs *args, size_t i, double want)
{
    const double unit = HYP_CHECK_EPSILON / 2 * (double)(args->middle + 2);
    if (!isfinite(want) || args->function == HYPERION_REDUCE_MAX ||
        args->function == HYPERION_REDUCE_MIN)
        return 0;
    if (args->function == HYPERION_REDUCE_PROD)
        return unit * fabs(want) + (double)args->middle * (double)FLT_MIN;
    const size_t plane = i / args->inner * args->middle;
    double size = 0;
    for (size_t m = 0; m < args->middle; m++)
        size += fabs((double)args->in[(plane + m) * args->inner + i % args->inner]);
    if (args->function == HYPERION_REDUCE_MEAN)
        size /= (double)args->middle;
    return unit * size + (double)FLT_MIN;
}

static bool compare(HypCheckRun *run, const HypReduceArgs *args)
{
    const size_t total = args->outer * args->inner;
    const size_t limit = 1 + SAMPLE / (args->middle + 1);
    const size_t compared = hyp_check_sample_count(total, limit);
    for (size_t s = 0; s < compared; s++) {
        const size_t i = hyp_check_sample(run, total, limit, s);
        const double want = hyp_reference_reduce(args, i);
        if (!hyp_check_value(run, (double)args->out[i], want, find_bound(args, i, want), "out[%zu]",
                             i))
            return false;
    }
    return true;
}

// Infinities and NaN for extremes; sums and products of such values depend on their order.
static void fill(HypCheckRun *run, const ReduceCase *c, HypCheckBuffer *in)
{
    const bool extreme = c->function == HYPERION_REDUCE_MAX || c->function == HYPERION_REDUCE_MIN;
    if (c->special && extreme)
        hyp_check_fill_special(run, in, hyp_check_below(run, 2));
    else
        hyp_check_fill(run, in, -1.5F, 1.5F);
}

static bool check_case(HypCheckRun *run, const HypKernelVariant *variant, const ReduceCase *c)
{
    hyp_check_begin_case(run, "function=%d outer=%zu middle=%zu inner=%zu%s offsets=%zu,%zu",
                         (int)c->function, c->outer, c->middle, c->inner,
                         c->special ? " special" : "", c->in_offset, c->out_offset);
    HypCheckBuffer in = {.count = 0};
    HypCheckBuffer out = {.count = 0};
    bool agrees = hyp_check_allocate(run, &in, c->outer * c->middle * c->inner, c->in_offset) &&
                  hyp_check_allocate(run, &out, c->outer * c->inner, c->out_offset);
    if (agrees) {
        fill(run, c, &in);
        const HypReduceArgs args = {.function = c->function,
                                    .outer = c->outer,
                                    .middle = c->middle,
                                    .inner = c->inner,
                                    .in = in.data,
                                    .out = out.data};
        variant->fn.reduce(&args);
        agrees = hyp_check_guards(run, &in, "in") && hyp_check_guards(run, &out, "out") &&
                 compare(run, &args) && hyp_check_split(run, variant, &args, &out, NULL);
    }
    hyp_check_release(&in);
    hyp_check_release(&out);
    return agrees;
}

bool hyp_check_reduce_args(const HypKernelVariant *variant, const HypReduceArgs *args,
                           uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    const ReduceCase c = {.function = args->function,
                          .outer = args->outer,
                          .middle = args->middle,
                          .inner = args->inner};
    return check_case(&run, variant, &c);
}

// Every misalignment of `in`; the rest at random.
static bool check_shape(HypCheckRun *run, const HypKernelVariant *variant, ReduceCase c)
{
    for (c.in_offset = 0; c.in_offset < HYP_CHECK_WIDEST_LANES; c.in_offset++) {
        c.outer = hyp_check_below(run, 4);
        c.out_offset = hyp_check_below(run, HYP_CHECK_WIDEST_LANES);
        c.special = hyp_check_below(run, 2);
        if (!check_case(run, variant, &c))
            return false;
    }
    return true;
}

bool hyp_check_reduce_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    for (int f = 0; f < HYPERION_REDUCE_COUNT; f++) {
        ReduceCase rows = {.function = (HyperionReduce)f, .inner = 1};
        // Four vectors are one turn of the loop.
        for (rows.middle = 0; rows.middle <= 2 * 4 * HYP_CHECK_WIDEST_LANES + 1; rows.middle++) {
            ReduceCase columns = rows;
            columns.middle = hyp_check_below(&run, 5);
            columns.inner = rows.middle;
            if (!check_shape(&run, variant, rows) || !check_shape(&run, variant, columns))
                return false;
        }
        rows.middle = 5003; // several blocks
        if (!check_shape(&run, variant, rows))
            return false;
    }
    return true;
}
