// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "reference/reference.h"

#include <math.h>

// Compared elements of a large array.
#define SAMPLE ((size_t)65536)

typedef struct ScaleShiftCase {
    size_t batch, channels, inner;
    bool special; // values that are easily mishandled, else uniform ones
    bool in_place;
    size_t in_offset, parameter_offset, out_offset;
} ScaleShiftCase;

typedef struct ScaleShiftBuffers {
    HypCheckBuffer in, scale, shift, out;
} ScaleShiftBuffers;

// The product and the sum may be rounded apart.
static double find_bound(const HypScaleShiftArgs *args, size_t i, double want)
{
    const double product =
        (double)args->in[i] * (double)args->scale[i / args->inner % args->channels];
    if (!isfinite(want))
        return 0;
    return HYP_CHECK_EPSILON / 2 * (fabs(product) + fabs(want)) + (double)FLT_MIN;
}

static bool compare(HypCheckRun *run, const HypScaleShiftArgs *args)
{
    const size_t total = args->batch * args->channels * args->inner;
    const size_t compared = hyp_check_sample_count(total, SAMPLE);
    for (size_t s = 0; s < compared; s++) {
        const size_t i = hyp_check_sample(run, total, SAMPLE, s);
        const double want = hyp_reference_scale_shift(args, i);
        const double rounded = isinf((float)want) ? (double)(float)want : want;
        if (!hyp_check_value(run, (double)args->out[i], rounded, find_bound(args, i, rounded),
                             "out[%zu]", i))
            return false;
    }
    return true;
}

static bool run_case(HypCheckRun *run, const HypKernelVariant *variant, const ScaleShiftCase *c,
                     ScaleShiftBuffers *buffers)
{
    const size_t total = c->batch * c->channels * c->inner;
    if (!hyp_check_allocate(run, &buffers->in, total, c->in_offset) ||
        !hyp_check_allocate(run, &buffers->scale, c->channels, c->parameter_offset) ||
        !hyp_check_allocate(run, &buffers->shift, c->channels, c->parameter_offset) ||
        !hyp_check_allocate(run, &buffers->out, total, c->out_offset))
        return false;
    hyp_check_fill(run, &buffers->in, -2, 2);
    if (c->special)
        hyp_check_fill_special(run, &buffers->in, true);
    hyp_check_fill(run, &buffers->scale, -1, 1);
    hyp_check_fill(run, &buffers->shift, -1, 1);
    if (c->in_place)
        hyp_check_copy(&buffers->out, &buffers->in);
    HypScaleShiftArgs args = {.batch = c->batch,
                              .channels = c->channels,
                              .inner = c->inner,
                              .in = c->in_place ? buffers->out.data : buffers->in.data,
                              .scale = buffers->scale.data,
                              .shift = buffers->shift.data,
                              .out = buffers->out.data};
    variant->fn.scale_shift(&args);
    args.in = buffers->in.data;
    return hyp_check_guards(run, &buffers->in, "in") &&
           hyp_check_guards(run, &buffers->scale, "scale") &&
           hyp_check_guards(run, &buffers->shift, "shift") &&
           hyp_check_guards(run, &buffers->out, "out") && compare(run, &args) &&
           hyp_check_split(run, variant, &args, &buffers->out, c->in_place ? &buffers->in : NULL);
}

static bool check_case(HypCheckRun *run, const HypKernelVariant *variant, const ScaleShiftCase *c)
{
    hyp_check_begin_case(run, "batch=%zu channels=%zu inner=%zu%s%s offsets=%zu,%zu,%zu", c->batch,
                         c->channels, c->inner, c->special ? " special" : "",
                         c->in_place ? " in place" : "", c->in_offset, c->parameter_offset,
                         c->out_offset);
    ScaleShiftBuffers buffers = {.in = {.count = 0}};
    const bool agrees = run_case(run, variant, c, &buffers);
    hyp_check_release(&buffers.in);
    hyp_check_release(&buffers.scale);
    hyp_check_release(&buffers.shift);
    hyp_check_release(&buffers.out);
    return agrees;
}

bool hyp_check_scale_shift_args(const HypKernelVariant *variant, const HypScaleShiftArgs *args,
                                uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    const ScaleShiftCase c = {
        .batch = args->batch, .channels = args->channels, .inner = args->inner};
    return check_case(&run, variant, &c);
}

// Every misalignment of `in`; the rest at random.
static bool check_shape(HypCheckRun *run, const HypKernelVariant *variant, ScaleShiftCase c)
{
    for (c.in_offset = 0; c.in_offset < HYP_CHECK_WIDEST_LANES; c.in_offset++) {
        c.batch = hyp_check_below(run, 4);
        c.parameter_offset = hyp_check_below(run, HYP_CHECK_WIDEST_LANES);
        c.out_offset = hyp_check_below(run, HYP_CHECK_WIDEST_LANES);
        c.special = hyp_check_below(run, 2);
        c.in_place = hyp_check_below(run, 2);
        if (!check_case(run, variant, &c))
            return false;
    }
    return true;
}

bool hyp_check_scale_shift_all(const HypKernelVariant *variant, uint64_t seed,
                               HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    for (size_t size = 0; size <= 2 * HYP_CHECK_WIDEST_LANES + 1; size++) {
        const ScaleShiftCase rows = {.channels = size, .inner = 1};
        const ScaleShiftCase planes = {.channels = hyp_check_below(&run, 4), .inner = size};
        if (!check_shape(&run, variant, rows) || !check_shape(&run, variant, planes))
            return false;
    }
    return true;
}
