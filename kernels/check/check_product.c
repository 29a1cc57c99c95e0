// SPDX-License-Identifier: Apache-2.0
#include "check/check_product.h"

#include "reference/reference.h"

#include <math.h>

// Greatest slope of each function: what an error of its argument can become. Infinite: there is
// none.
static double steepest_slope(const HypEpilogue *epilogue)
{
    switch (epilogue->activation) {
    case HYPERION_ACTIVATION_GELU:
    case HYPERION_ACTIVATION_GELU_TANH:
    case HYPERION_ACTIVATION_ERF: return 1.13;
    case HYPERION_ACTIVATION_SILU: return 1.1;
    case HYPERION_ACTIVATION_SIGMOID: return 0.25;
    case HYPERION_ACTIVATION_HARD_SWISH: return 1.5;
    case HYPERION_ACTIVATION_HARD_SIGMOID: return fabs((double)epilogue->alpha);
    case HYPERION_ACTIVATION_LEAKY_RELU: return fmax(1, fabs((double)epilogue->alpha));
    case HYPERION_ACTIVATION_EXP:
    case HYPERION_ACTIVATION_LOG:
    case HYPERION_ACTIVATION_SQRT:
    case HYPERION_ACTIVATION_RECIPROCAL: return INFINITY;
    default: return 1;
    }
}

// What an error of `sum` in either direction becomes. All functions without a steepest slope are
// monotonic where they are defined.
static double find_spread(const HypEpilogue *epilogue, double sum, double error)
{
    const double slope = steepest_slope(epilogue);
    if (isfinite(slope))
        return slope * error;
    const double want = hyp_reference_activate(epilogue, sum);
    return fmax(fabs(hyp_reference_activate(epilogue, sum + error) - want),
                fabs(hyp_reference_activate(epilogue, sum - error) - want));
}

// Whether an error of `sum` can take it to where the function is not defined or has a pole.
static bool is_undecided(const HypEpilogue *epilogue, double sum, double error)
{
    return !isfinite(steepest_slope(epilogue)) && epilogue->activation != HYPERION_ACTIVATION_EXP &&
           fabs(sum) <= error;
}

bool hyp_check_product(HypCheckRun *run, float got, const HypReferenceSum *sum, size_t terms,
                       const HypEpilogue *epilogue, const char *place)
{
    // Each product is rounded once and passes through at most one addition a term; two biases and
    // the second order make 4 (Higham 2002, section 3.1: n u / (1 - n u)).
    const double sum_error = (double)(terms + 4) * (HYP_CHECK_EPSILON / 2) * sum->magnitude;
    const double want = hyp_reference_activate(epilogue, sum->value);
    if (is_undecided(epilogue, sum->value, sum_error))
        return true;
    double bound = find_spread(epilogue, sum->value, sum_error) + (double)FLT_MIN;
    // What the function itself may err by; check_activation.c holds it to less, for every argument.
    if (epilogue->activation != HYPERION_ACTIVATION_NONE &&
        epilogue->activation != HYPERION_ACTIVATION_RELU)
        bound += 8 * HYP_CHECK_EPSILON * fabs(want);
    if (epilogue->activation == HYPERION_ACTIVATION_HARD_SIGMOID)
        bound += HYP_CHECK_EPSILON;
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
