// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "reference/reference.h"

#include <math.h>

// Compared elements of a large array.
#define SAMPLE ((size_t)65536)

typedef struct BinaryCase {
    HyperionBinary function;
    bool reversed;
    size_t outer, middle, inner;
    bool any_bits; // else uniform values
    bool in_place;
    size_t a_offset, b_offset, out_offset;
} BinaryCase;

// All but powers have one rounding, so there is nothing to allow for: rounding the double, which
// holds more than twice the digits, gives the same float. Cubes have two; glibc's powf errs by
// less.
static double find_bound(HyperionBinary function, double want)
{
    if (function != HYPERION_BINARY_POW || !isfinite(want))
        return 0;
    return 2 * HYP_CHECK_EPSILON * fabs(want) + (double)FLT_MIN;
}

static bool compare(HypCheckRun *run, const HypBinaryArgs *args, const float *out)
{
    const size_t total = args->outer * args->middle * args->inner;
    const size_t compared = hyp_check_sample_count(total, SAMPLE);
    for (size_t s = 0; s < compared; s++) {
        const size_t i = hyp_check_sample(run, total, SAMPLE, s);
        const float want = (float)hyp_reference_binary_element(args, i);
        if (!hyp_check_value(run, (double)out[i], (double)want,
                             find_bound(args->function, (double)want), "out[%zu]", i))
            return false;
    }
    return true;
}

// A signalling NaN to the power of 0 is NaN, a quiet one 1; widening makes them quiet.
static void quiet_nans(HypCheckBuffer *buffer)
{
    for (size_t i = 0; i < buffer->count; i++)
        if (isnan(buffer->data[i]))
            buffer->data[i] = NAN;
}

// Small whole ones: some have a path of their own.
static void fill_exponents(HypCheckRun *run, HypCheckBuffer *exponents)
{
    for (size_t i = 0; i < exponents->count; i++)
        exponents->data[i] = (float)hyp_check_below(run, 5);
}

static bool run_case(HypCheckRun *run, const HypKernelVariant *variant, const BinaryCase *c,
                     HypCheckBuffer buffers[3])
{
    HypCheckBuffer *a = &buffers[0];
    HypCheckBuffer *b = &buffers[1];
    HypCheckBuffer *out = &buffers[2];
    const size_t total = c->outer * c->middle * c->inner;
    if (!hyp_check_allocate(run, a, total, c->a_offset) ||
        !hyp_check_allocate(run, b, c->middle, c->b_offset) ||
        !hyp_check_allocate(run, out, total, c->out_offset))
        return false;
    for (HypCheckBuffer *in = a; in <= b; in++)
        if (c->any_bits)
            hyp_check_fill_bits(run, in);
        else
            hyp_check_fill(run, in, -1, 1);
    if (c->function == HYPERION_BINARY_POW) {
        quiet_nans(a);
        quiet_nans(b);
    }
    if (c->function == HYPERION_BINARY_POW && hyp_check_below(run, 2))
        fill_exponents(run, c->reversed ? a : b);
    if (c->in_place)
        hyp_check_copy(out, a);
    HypBinaryArgs args = {.function = c->function,
                          .reversed = c->reversed,
                          .outer = c->outer,
                          .middle = c->middle,
                          .inner = c->inner,
                          .a = c->in_place ? out->data : a->data,
                          .b = b->data,
                          .out = out->data};
    variant->fn.binary(&args);
    args.a = a->data;
    return hyp_check_guards(run, a, "a") && hyp_check_guards(run, b, "b") &&
           hyp_check_guards(run, out, "out") && compare(run, &args, out->data) &&
           hyp_check_split(run, variant, &args, out, c->in_place ? a : NULL);
}

static bool check_case(HypCheckRun *run, const HypKernelVariant *variant, const BinaryCase *c)
{
    hyp_check_begin_case(run,
                         "function=%d%s outer=%zu middle=%zu inner=%zu%s%s offsets=%zu,%zu,%zu",
                         (int)c->function, c->reversed ? " reversed" : "", c->outer, c->middle,
                         c->inner, c->any_bits ? " any bits" : "", c->in_place ? " in place" : "",
                         c->a_offset, c->b_offset, c->out_offset);
    HypCheckBuffer buffers[3] = {{.count = 0}};
    const bool agrees = run_case(run, variant, c, buffers);
    for (size_t i = 0; i < 3; i++)
        hyp_check_release(&buffers[i]);
    return agrees;
}

bool hyp_check_binary_args(const HypKernelVariant *variant, const HypBinaryArgs *args,
                           uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    const BinaryCase c = {.function = args->function,
                          .reversed = args->reversed,
                          .outer = args->outer,
                          .middle = args->middle,
                          .inner = args->inner};
    return check_case(&run, variant, &c);
}

// Every misalignment of `a`; the rest at random.
static bool check_shape(HypCheckRun *run, const HypKernelVariant *variant, BinaryCase c)
{
    for (c.a_offset = 0; c.a_offset < HYP_CHECK_WIDEST_LANES; c.a_offset++) {
        c.b_offset = hyp_check_below(run, HYP_CHECK_WIDEST_LANES);
        c.out_offset = hyp_check_below(run, HYP_CHECK_WIDEST_LANES);
        c.any_bits = hyp_check_below(run, 2);
        c.in_place = hyp_check_below(run, 2);
        if (!check_case(run, variant, &c))
            return false;
    }
    return true;
}

static bool check_function(HypCheckRun *run, const HypKernelVariant *variant,
                           HyperionBinary function, bool reversed)
{
    for (size_t size = 0; size <= 2 * HYP_CHECK_WIDEST_LANES + 1; size++)
        for (size_t outer = 0; outer <= 2; outer++) {
            const BinaryCase rows = {.function = function,
                                     .reversed = reversed,
                                     .outer = outer,
                                     .middle = size,
                                     .inner = 1};
            BinaryCase columns = rows;
            columns.middle = hyp_check_below(run, 4);
            columns.inner = size;
            if (!check_shape(run, variant, rows) || !check_shape(run, variant, columns))
                return false;
        }
    return true;
}

bool hyp_check_binary_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    for (int function = 0; function < HYP_BINARY_COUNT; function++)
        if (!check_function(&run, variant, (HyperionBinary)function, false) ||
            !check_function(&run, variant, (HyperionBinary)function, true))
            return false;
    return true;
}
