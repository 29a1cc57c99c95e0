// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>

// About how many elements of a large result are compared, in whole rows.
#define SAMPLE ((size_t)65536)

typedef enum SoftmaxInput {
    INPUT_USUAL,
    INPUT_WIDE,    // most results underflow
    INPUT_EQUAL,   // every result 1 / columns
    INPUT_SPECIAL, // infinities and NaN: rows of NaN
    INPUT_COUNT
} SoftmaxInput;

typedef struct SoftmaxCase {
    size_t rows, columns, inner;
    SoftmaxInput input;
    bool in_place;
    size_t in_offset, out_offset;
} SoftmaxCase;

// u = epsilon / 2. exp(x - shift) errs by the rounding of its argument, u (shift - x), and 3 u of
// its own; the sum by the mean of that over the terms and u a term; division and product by 2 u.
// `mean_fall` is the mean of shift - x with the results as weights.
static double softmax_bound(double want, double fall, double mean_fall, size_t columns)
{
    const double least = (double)FLT_MIN; // results below the normal floats may be rounded to 0
    if (!(want > 0))
        return least;
    const double units = fall + mean_fall + (double)columns + 8;
    return HYP_CHECK_EPSILON / 2 * units * want + least;
}

static bool compare_row(HypCheckRun *run, const HypSoftmaxArgs *args, size_t row, double *want)
{
    const size_t first = row / args->inner * args->columns * args->inner + row % args->inner;
    const float *in = args->in + first;
    const float *out = args->out + first;
    hyp_reference_softmax(args, row, want);
    double greatest = -INFINITY;
    for (size_t i = 0; i < args->columns; i++)
        greatest = fmax(greatest, (double)in[i * args->inner]);
    double mean_fall = 0;
    for (size_t i = 0; i < args->columns; i++)
        if (want[i] > 0)
            mean_fall += want[i] * (greatest - (double)in[i * args->inner]);
    for (size_t i = 0; i < args->columns; i++) {
        const double fall = greatest - (double)in[i * args->inner];
        const double bound = softmax_bound(want[i], fall, mean_fall, args->columns);
        if (!hyp_check_value(run, (double)out[i * args->inner], want[i], bound, "out[%zu][%zu]",
                             row, i))
            return false;
    }
    return true;
}

static bool compare(HypCheckRun *run, const HypSoftmaxArgs *args)
{
    double *want = malloc((args->columns + 1) * sizeof *want);
    if (!want)
        return hyp_check_fail(run, "out of memory for %zu columns", args->columns);
    const size_t limit = 1 + SAMPLE / (args->columns + 1);
    const size_t rows = args->rows * args->inner;
    const size_t compared = hyp_check_sample_count(rows, limit);
    bool agrees = true;
    for (size_t s = 0; s < compared && agrees; s++)
        agrees = compare_row(run, args, hyp_check_sample(run, rows, limit, s), want);
    free(want);
    return agrees;
}

static void fill(HypCheckRun *run, SoftmaxInput input, HypCheckBuffer *in)
{
    switch (input) {
    case INPUT_USUAL: hyp_check_fill(run, in, -8, 8); break;
    case INPUT_WIDE: hyp_check_fill(run, in, -1e4F, 1e4F); break;
    case INPUT_EQUAL: hyp_check_fill(run, in, -100, -100); break;
    case INPUT_SPECIAL:
    case INPUT_COUNT: hyp_check_fill_special(run, in, hyp_check_below(run, 2)); break;
    }
}

static bool check_case(HypCheckRun *run, const HypKernelVariant *variant, const SoftmaxCase *c)
{
    hyp_check_begin_case(run, "rows=%zu columns=%zu inner=%zu input=%d%s offsets=%zu,%zu", c->rows,
                         c->columns, c->inner, (int)c->input, c->in_place ? " in place" : "",
                         c->in_offset, c->out_offset);
    HypCheckBuffer in = {.count = 0};
    HypCheckBuffer out = {.count = 0};
    bool agrees = hyp_check_allocate(run, &in, c->rows * c->columns * c->inner, c->in_offset) &&
                  hyp_check_allocate(run, &out, c->rows * c->columns * c->inner, c->out_offset);
    if (agrees) {
        fill(run, c->input, &in);
        if (c->in_place)
            hyp_check_copy(&out, &in);
        HypSoftmaxArgs args = {.rows = c->rows,
                               .columns = c->columns,
                               .inner = c->inner,
                               .in = c->in_place ? out.data : in.data,
                               .out = out.data};
        variant->fn.softmax(&args);
        args.in = in.data;
        agrees = hyp_check_guards(run, &in, "in") && hyp_check_guards(run, &out, "out") &&
                 compare(run, &args) &&
                 hyp_check_split(run, variant, &args, &out, c->in_place ? &in : NULL);
    }
    hyp_check_release(&in);
    hyp_check_release(&out);
    return agrees;
}

bool hyp_check_softmax_args(const HypKernelVariant *variant, const HypSoftmaxArgs *args,
                            uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    const SoftmaxCase c = {.rows = args->rows, .columns = args->columns, .inner = args->inner};
    return check_case(&run, variant, &c);
}

// Every misalignment and kind of input; the rest at random.
static bool check_shape(HypCheckRun *run, const HypKernelVariant *variant, SoftmaxCase c)
{
    for (c.in_offset = 0; c.in_offset < HYP_CHECK_WIDEST_LANES; c.in_offset++)
        for (c.input = INPUT_USUAL; c.input < INPUT_COUNT; c.input++) {
            c.rows = hyp_check_below(run, 4);
            c.out_offset = hyp_check_below(run, HYP_CHECK_WIDEST_LANES);
            c.in_place = hyp_check_below(run, 2);
            if (!check_case(run, variant, &c))
                return false;
        }
    return true;
}

bool hyp_check_softmax_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    for (size_t size = 0; size <= 2 * HYP_CHECK_WIDEST_LANES + 1; size++) {
        const SoftmaxCase last = {.columns = size, .inner = 1};
        const SoftmaxCase inside = {.columns = hyp_check_below(&run, 5), .inner = size};
        if (!check_shape(&run, variant, last) || !check_shape(&run, variant, inside))
            return false;
    }
    const SoftmaxCase c = {.rows = 2, .columns = 1003, .inner = 1};
    return check_case(&run, variant, &c);
}
