// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>

// About how many elements of a large result are compared, in whole rows.
#define SAMPLE ((size_t)65536)

typedef enum LayernormInput {
    INPUT_USUAL,
    INPUT_FAR,   // the mean is 10^4 deviations away from 0
    INPUT_EQUAL, // no variance
    INPUT_NAN,   // one in the first row
    INPUT_COUNT
} LayernormInput;

typedef struct LayernormCase {
    size_t rows, columns;
    LayernormInput input;
    bool with_bias, rms, in_place;
    float epsilon;
    size_t in_offset, out_offset, parameter_offset;
} LayernormCase;

typedef struct LayernormBuffers {
    HypCheckBuffer in, scale, bias, out;
} LayernormBuffers;

// What errors of a row are relative to.
typedef struct RowFacts {
    double mean, size, spread; // mean of x, of |x|, of |x - mean|
    double inverse;            // 1 / sqrt(variance + epsilon)
} RowFacts;

static RowFacts describe_row(const HypLayernormArgs *args, const float *in)
{
    const double n = (double)args->columns;
    RowFacts row = {.mean = 0};
    for (size_t i = 0; i < args->columns; i++) {
        row.mean += (double)in[i] / n;
        row.size += fabs((double)in[i]) / n;
    }
    if (args->rms)
        row.mean = 0;
    double variance = 0;
    for (size_t i = 0; i < args->columns; i++) {
        row.spread += fabs((double)in[i] - row.mean) / n;
        variance += pow((double)in[i] - row.mean, 2) / n;
    }
    row.inverse = 1 / sqrt(variance + (double)args->epsilon);
    return row;
}

// u = epsilon / 2. The first mean is off by at most missed = n u mean |x|, which is then measured
// from the differences d = x - mean: d errs by u |d|, the correction by (n + 1) u mean |d|, and so
// their difference. The variance errs by (n + 8) u of itself and of missed^2, the deviation by half
// of that; the last steps by a u each.
static double layernorm_bound(const RowFacts *row, size_t columns, double x, double scale,
                              double want)
{
    const double u = HYP_CHECK_EPSILON / 2;
    const double n = (double)columns;
    const double missed = (n + 1) * u * row->size;
    const double distance = fabs(x - row->mean);
    const double shifted = 2 * u * (distance + missed) + (n + 2) * u * (row->spread + missed);
    const double variance = (n + 8) / 2 * (1 + 2 * pow(missed * row->inverse, 2));
    const double steps = (variance + 6) * u * distance;
    return fabs(scale) * row->inverse * (shifted + steps) + 2 * u * fabs(want) + (double)FLT_MIN;
}

static bool compare_row(HypCheckRun *run, const HypLayernormArgs *args, size_t row, double *want)
{
    const float *in = args->in + row * args->columns;
    hyp_reference_layernorm(args, row, want);
    const RowFacts facts = describe_row(args, in);
    for (size_t i = 0; i < args->columns; i++) {
        const double got = (double)args->out[row * args->columns + i];
        const double bound =
            layernorm_bound(&facts, args->columns, (double)in[i], (double)args->scale[i], want[i]);
        if (!hyp_check_value(run, got, want[i], bound, "out[%zu][%zu]", row, i))
            return false;
    }
    return true;
}

static bool compare(HypCheckRun *run, const HypLayernormArgs *args)
{
    double *want = malloc((args->columns + 1) * sizeof *want);
    if (!want)
        return hyp_check_fail(run, "out of memory for %zu columns", args->columns);
    const size_t limit = 1 + SAMPLE / (args->columns + 1);
    const size_t compared = hyp_check_sample_count(args->rows, limit);
    bool agrees = true;
    for (size_t s = 0; s < compared && agrees; s++)
        agrees = compare_row(run, args, hyp_check_sample(run, args->rows, limit, s), want);
    free(want);
    return agrees;
}

static void fill(HypCheckRun *run, LayernormInput input, HypCheckBuffer *in)
{
    switch (input) {
    case INPUT_FAR: hyp_check_fill(run, in, 1e4F - 1, 1e4F + 1); break;
    case INPUT_EQUAL: hyp_check_fill(run, in, 0.3F, 0.3F); break;
    case INPUT_USUAL:
    case INPUT_NAN:
    case INPUT_COUNT: hyp_check_fill(run, in, -3, 3); break;
    }
    if (input == INPUT_NAN && in->count > 0)
        in->data[0] = NAN;
}

static bool run_case(HypCheckRun *run, const HypKernelVariant *variant, const LayernormCase *c,
                     LayernormBuffers *buffers)
{
    const size_t total = c->rows * c->columns;
    if (!hyp_check_allocate(run, &buffers->in, total, c->in_offset) ||
        !hyp_check_allocate(run, &buffers->out, total, c->out_offset) ||
        !hyp_check_allocate(run, &buffers->scale, c->columns, c->parameter_offset) ||
        !hyp_check_allocate(run, &buffers->bias, c->columns, c->parameter_offset))
        return false;
    fill(run, c->input, &buffers->in);
    hyp_check_fill(run, &buffers->scale, -2, 2);
    hyp_check_fill(run, &buffers->bias, -2, 2);
    if (c->in_place)
        hyp_check_copy(&buffers->out, &buffers->in);
    HypLayernormArgs args = {.rows = c->rows,
                             .columns = c->columns,
                             .in = c->in_place ? buffers->out.data : buffers->in.data,
                             .scale = buffers->scale.data,
                             .bias = c->with_bias ? buffers->bias.data : NULL,
                             .epsilon = c->epsilon,
                             .rms = c->rms,
                             .out = buffers->out.data};
    variant->fn.layernorm(&args);
    args.in = buffers->in.data;
    return hyp_check_guards(run, &buffers->in, "in") &&
           hyp_check_guards(run, &buffers->out, "out") &&
           hyp_check_guards(run, &buffers->scale, "scale") &&
           hyp_check_guards(run, &buffers->bias, "bias") && compare(run, &args) &&
           hyp_check_split(run, variant, &args, &buffers->out, c->in_place ? &buffers->in : NULL);
}

static bool check_case(HypCheckRun *run, const HypKernelVariant *variant, const LayernormCase *c)
{
    hyp_check_begin_case(run, "rows=%zu columns=%zu input=%d%s%s%s offsets=%zu,%zu,%zu", c->rows,
                         c->columns, (int)c->input, c->with_bias ? " bias" : "",
                         c->rms ? " rms" : "", c->in_place ? " in place" : "", c->in_offset,
                         c->out_offset, c->parameter_offset);
    LayernormBuffers buffers = {.in = {.count = 0}};
    const bool agrees = run_case(run, variant, c, &buffers);
    hyp_check_release(&buffers.in);
    hyp_check_release(&buffers.out);
    hyp_check_release(&buffers.scale);
    hyp_check_release(&buffers.bias);
    return agrees;
}

bool hyp_check_layernorm_args(const HypKernelVariant *variant, const HypLayernormArgs *args,
                              uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    const LayernormCase c = {.rows = args->rows,
                             .columns = args->columns,
                             .with_bias = args->bias != NULL,
                             .rms = args->rms,
                             .epsilon = args->epsilon};
    return check_case(&run, variant, &c);
}

bool hyp_check_layernorm_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    LayernormCase c = {.epsilon = 1e-5F};
    for (c.columns = 0; c.columns <= 2 * HYP_CHECK_WIDEST_LANES + 1; c.columns++)
        for (c.in_offset = 0; c.in_offset < HYP_CHECK_WIDEST_LANES; c.in_offset++)
            for (c.input = INPUT_USUAL; c.input < INPUT_COUNT; c.input++) {
                c.rows = hyp_check_below(&run, 4);
                c.out_offset = hyp_check_below(&run, HYP_CHECK_WIDEST_LANES);
                c.parameter_offset = hyp_check_below(&run, HYP_CHECK_WIDEST_LANES);
                c.with_bias = hyp_check_below(&run, 2);
                c.rms = hyp_check_below(&run, 2);
                c.in_place = hyp_check_below(&run, 2);
                if (!check_case(&run, variant, &c))
                    return false;
            }
    c = (LayernormCase){.rows = 2, .columns = 1003, .with_bias = true, .epsilon = 1e-5F};
    return check_case(&run, variant, &c);
}
