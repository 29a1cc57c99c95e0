// SPDX-License-Identifier: Apache-2.0
#include "check/check_product.h"

#include "reference/reference.h"

#include <math.h>

// Greatest slope of each function: what an error of its argument can become.
static double steepest_slope(HyperionActivation activation)
{
    switch (activation) {
    case HYPERION_ACTIVATION_GELU: return 1.13;
    case HYPERION_ACTIVATION_SILU: return 1.1;
    case HYPERION_ACTIVATION_SIGMOID: return 0.25;
    case HYPERION_ACTIVATION_NONE:
    case HYPERION_ACTIVATION_RELU:
    case HYPERION_ACTIVATION_TANH:
    case HYPERION_ACTIVATION_COUNT: break;
    }
    return 1;
}

bool hyp_check_product(HypCheckRun *run, float got, const HypReferenceSum *sum, size_t terms,
                       HyperionActivation activation, const char *place)
{
    // Each product is rounded once and passes through at most one addition a term; two biases and
    // the second order make 4 (Higham 2002, section 3.1: n u / (1 - n u)).
    const double sum_error = (double)(terms + 4) * (HYP_CHECK_EPSILON / 2) * sum->magnitude;
    const double want = hyp_reference_activate(activation, sum->value);
    double bound = sum_error * steepest_slope(activation) + (double)FLT_MIN;
    // What the function itself may err by; check_activation.c holds it to less, for every argument.
    if (activation != HYPERION_ACTIVATION_NONE && activation != HYPERION_ACTIVATION_RELU)
        bound += 8 * HYP_CHECK_EPSILON * fabs(want);
    return hyp_check_value(run, (double)got, want, bound, "%s", place);
}

bool hyp_check_tile(HypCheckRun *run, const HypKernelVariant *variant,
                    const HyperionGemmBlocking *blocking)
{
    if (blocking->mr == variant->mr && blocking->nr == variant->nr && blocking->kc > 0 &&
        blocking->mc > 0 && blocking->mc % variant->mr == 0 && blocking->nc > 0 &&
        blocking->nc % variant->nr == 0)
        return true;
    return hyp_check_fail(
        run, "blocking %zux%zux%zu of tile %zux%zu, expected multiples of %zux%zu", blocking->mc,
        blocking->kc, blocking->nc, blocking->mr, blocking->nr, variant->mr, variant->nr);
}

HyperionGemmBlocking hyp_check_random_blocking(HypCheckRun *run, const HypKernelVariant *variant)
{
    return (HyperionGemmBlocking){.mc = variant->mr * (1 + hyp_check_below(run, 3)),
                                  .kc = 1 + hyp_check_below(run, 40),
                                  .nc = variant->nr * (1 + hyp_check_below(run, 3)),
                                  .mr = variant->mr,
                                  .nr = variant->nr,
                                  .prefetch_lines = hyp_check_below(run, 2) * 8};
}
