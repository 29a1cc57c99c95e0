// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "reference/reference.h"

#include <math.h>

// Compared elements of a large array.
#define SAMPLE ((size_t)65536)

typedef enum ActivationInput { INPUT_USUAL, INPUT_SPECIAL, INPUT_BITS } ActivationInput;

// Against libm in double, at every 97th float there is and at every level, the largest errors were
// 1.4 epsilon |result| for silu, 1.5 for tanh, 1.3 for sigmoid. For gelu, whose polynomial is exact
// to a part of 1 and not of the result, it was 0.9 epsilon |x|; for its approximation 1.0. At every
// 397th float, they were 0.76 epsilon |result| for erf, 0.70 for exp, 0.69 for log. Results below
// the normal floats may be rounded to 0.
static double find_bound(const HypEpilogue *epilogue, double x)
{
    const double want = fabs(hyp_reference_activate(epilogue, x));
    const double least = (double)FLT_MIN;
    if (!isfinite(want) || !isfinite(x))
        return 0;
    switch (epilogue->activation) {
    case HYPERION_ACTIVATION_GELU:
    case HYPERION_ACTIVATION_GELU_TANH:
    case HYPERION_ACTIVATION_HARD_SWISH: return 2 * HYP_CHECK_EPSILON * fabs(x) + least;
    case HYPERION_ACTIVATION_SILU: return 2 * HYP_CHECK_EPSILON * want + least * (1 + fabs(x));
    case HYPERION_ACTIVATION_TANH:
    case HYPERION_ACTIVATION_SIGMOID: return 2 * HYP_CHECK_EPSILON * want + least;
    case HYPERION_ACTIVATION_ERF:
    case HYPERION_ACTIVATION_EXP:
    case HYPERION_ACTIVATION_LOG: return HYP_CHECK_EPSILON * want + least;
    case HYPERION_ACTIVATION_LEAKY_RELU:
    case HYPERION_ACTIVATION_SQRT:
    case HYPERION_ACTIVATION_RECIPROCAL: return HYP_CHECK_EPSILON / 2 * want + least;
    case HYPERION_ACTIVATION_HARD_SIGMOID:
        return HYP_CHECK_EPSILON *
               fmin(1, fabs((double)epilogue->alpha * x) + fabs((double)epilogue->beta));
    case HYPERION_ACTIVATION_NONE:
    case HYPERION_ACTIVATION_RELU:
    case HYPERION_ACTIVATION_CLIP:
    case HYPERION_ACTIVATION_NEG:
    case HYPERION_ACTIVATION_ABS:
    case HYPERION_ACTIVATION_COUNT: break;
    }
    return 0;
}

typedef struct ActivationCase {
    HypEpilogue function;
    size_t count;
    ActivationInput input;
    bool in_place;
    size_t in_offset, out_offset;
} ActivationCase;

// A result past the largest float is infinite.
static double round_overflow(double want)
{
    return isinf((float)want) ? (double)(float)want : want;
}

static bool compare(HypCheckRun *run, const ActivationCase *c, const float *in, const float *out)
{
    const size_t compared = hyp_check_sample_count(c->count, SAMPLE);
    for (size_t s = 0; s < compared; s++) {
        const size_t i = hyp_check_sample(run, c->count, SAMPLE, s);
        const double x = (double)in[i];
        const double want = round_overflow(hyp_reference_activate(&c->function, x));
        if (!hyp_check_value(run, (double)out[i], want, find_bound(&c->function, x),
                             "out[%zu] of %.9g", i, x))
            return false;
        if (x == 0 && want == 0 && !signbit(out[i]) != !signbit(want))
            return hyp_check_fail(run, "out[%zu] of %.9g is %.9g, want %.9g", i, x, (double)out[i],
                                  want);
    }
    return true;
}

static void fill(HypCheckRun *run, ActivationInput input, HypCheckBuffer *in)
{
    switch (input) {
    case INPUT_USUAL: hyp_check_fill(run, in, -12, 12); break;
    case INPUT_SPECIAL: hyp_check_fill_special(run, in, true); break;
    case INPUT_BITS: hyp_check_fill_bits(run, in); break;
    }
}

static bool check_case(HypCheckRun *run, const HypKernelVariant *variant, const ActivationCase *c)
{
    hyp_check_begin_case(run, "function=%d alpha=%g beta=%g count=%zu input=%d%s offsets=%zu,%zu",
                         (int)c->function.activation, (double)c->function.alpha,
                         (double)c->function.beta, c->count, (int)c->input,
                         c->in_place ? " in place" : "", c->in_offset, c->out_offset);
    HypCheckBuffer in = {.count = 0};
    HypCheckBuffer out = {.count = 0};
    bool agrees = hyp_check_allocate(run, &in, c->count, c->in_offset) &&
                  hyp_check_allocate(run, &out, c->count, c->out_offset);
    if (agrees) {
        fill(run, c->input, &in);
        if (c->in_place)
            hyp_check_copy(&out, &in);
        const HypActivationArgs args = {.function = c->function.activation,
                                        .alpha = c->function.alpha,
                                        .beta = c->function.beta,
                                        .in = c->in_place ? out.data : in.data,
                                        .out = out.data,
                                        .count = c->count};
        variant->fn.activation(&args);
        agrees = hyp_check_guards(run, &in, "in") && hyp_check_guards(run, &out, "out") &&
                 compare(run, c, in.data, out.data) &&
                 hyp_check_split(run, variant, &args, &out, c->in_place ? &in : NULL);
    }
    hyp_check_release(&in);
    hyp_check_release(&out);
    return agrees;
}

bool hyp_check_activation_args(const HypKernelVariant *variant, const HypActivationArgs *args,
                               uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    const ActivationCase c = {
        .function = {.activation = args->function, .alpha = args->alpha, .beta = args->beta},
        .count = args->count};
    return check_case(&run, variant, &c);
}

static bool check_sizes(HypCheckRun *run, const HypKernelVariant *variant, ActivationCase c)
{
    // Four vectors are one turn of the loop.
    for (c.count = 0; c.count <= 2 * 4 * HYP_CHECK_WIDEST_LANES + 1; c.count++)
        for (size_t offset = 0; offset < HYP_CHECK_WIDEST_LANES; offset++) {
            c.in_offset = offset;
            c.out_offset = hyp_check_below(run, HYP_CHECK_WIDEST_LANES);
            c.in_place = hyp_check_below(run, 2);
            if (!check_case(run, variant, &c))
                return false;
        }
    return true;
}

bool hyp_check_activation_all(const HypKernelVariant *variant, uint64_t seed,
                              HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    for (int f = 0; f < HYPERION_ACTIVATION_COUNT; f++) {
        ActivationCase c = {.function = {.activation = (HyperionActivation)f,
                                         .alpha = HYP_CHECK_ALPHA,
                                         .beta = HYP_CHECK_BETA}};
        if (!check_sizes(&run, variant, c))
            return false;
        c.count = 4099;
        for (c.input = INPUT_USUAL; c.input <= INPUT_BITS; c.input++)
            if (!check_case(&run, variant, &c))
                return false;
    }
    return true;
}
