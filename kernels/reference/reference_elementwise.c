// SPDX-License-Identifier: Apache-2.0
#include "reference/reference.h"

#include <math.h>

double hyp_reference_activate(HyperionActivation function, double x)
{
    const bool at_lower_limit = x == -INFINITY;
    switch (function) {
    case HYPERION_ACTIVATION_RELU: return x < 0 ? 0 : x;
    case HYPERION_ACTIVATION_GELU: return at_lower_limit ? 0 : x / 2 * erfc(-x / sqrt(2));
    case HYPERION_ACTIVATION_SILU: return at_lower_limit ? 0 : x / (1 + exp(-x));
    case HYPERION_ACTIVATION_TANH: return tanh(x);
    case HYPERION_ACTIVATION_SIGMOID: return 1 / (1 + exp(-x));
    case HYPERION_ACTIVATION_NONE:
    case HYPERION_ACTIVATION_COUNT: break;
    }
    return x;
}

double hyp_reference_add_element(const HypAddArgs *args, size_t i)
{
    return (double)args->a[i] + (double)args->b[i / args->inner % args->middle];
}
