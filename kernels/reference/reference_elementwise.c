// SPDX-License-Identifier: Apache-2.0
#include "reference/reference.h"

#include <math.h>

static double clip(double x, double low, double high)
{
    const double raised = x < low ? low : x;
    return raised > high ? high : raised;
}

double hyp_reference_activate(const HypEpilogue *epilogue, double x)
{
    static const double pi = 3.14159265358979323846;
    const double alpha = (double)epilogue->alpha;
    const double beta = (double)epilogue->beta;
    const bool at_lower_limit = x == -INFINITY;
    switch (epilogue->activation) {
    case HYPERION_ACTIVATION_RELU: return x < 0 ? 0 : x;
    case HYPERION_ACTIVATION_GELU: return at_lower_limit ? 0 : x / 2 * erfc(-x / sqrt(2));
    case HYPERION_ACTIVATION_SILU: return at_lower_limit ? 0 : x / (1 + exp(-x));
    case HYPERION_ACTIVATION_TANH: return tanh(x);
    case HYPERION_ACTIVATION_SIGMOID: return 1 / (1 + exp(-x));
    case HYPERION_ACTIVATION_LEAKY_RELU: return x < 0 ? alpha * x : x;
    case HYPERION_ACTIVATION_CLIP: return clip(x, alpha, beta);
    case HYPERION_ACTIVATION_HARD_SIGMOID: return clip(alpha * x + beta, 0, 1);
    case HYPERION_ACTIVATION_HARD_SWISH: return at_lower_limit ? 0 : x * clip(x / 6 + 0.5, 0, 1);
    case HYPERION_ACTIVATION_GELU_TANH:
        // 1 + tanh u = 2 / (1 + exp(-2u)), which loses nothing where tanh u is near -1.
        return at_lower_limit ? 0 : x / (1 + exp(-2 * sqrt(2 / pi) * (x + 0.044715 * x * x * x)));
    case HYPERION_ACTIVATION_ERF: return erf(x);
    case HYPERION_ACTIVATION_EXP: return exp(x);
    case HYPERION_ACTIVATION_LOG: return log(x);
    case HYPERION_ACTIVATION_SQRT: return sqrt(x);
    case HYPERION_ACTIVATION_RECIPROCAL: return 1 / x;
    case HYPERION_ACTIVATION_NEG: return -x;
    case HYPERION_ACTIVATION_ABS: return fabs(x);
    case HYPERION_ACTIVATION_NONE:
    case HYPERION_ACTIVATION_COUNT: break;
    }
    return x;
}

double hyp_reference_binary_element(const HypBinaryArgs *args, size_t i)
{
    const double repeated = (double)args->b[i / args->inner % args->middle];
    const double a = args->reversed ? repeated : (double)args->a[i];
    const double b = args->reversed ? (double)args->a[i] : repeated;
    const bool unordered = isnan(a) || isnan(b);
    switch (args->function) {
    case HYPERION_BINARY_SUB: return a - b;
    case HYPERION_BINARY_MUL: return a * b;
    case HYPERION_BINARY_DIV: return a / b;
    case HYPERION_BINARY_MAX: return unordered ? NAN : fmax(a, b);
    case HYPERION_BINARY_MIN: return unordered ? NAN : fmin(a, b);
    case HYPERION_BINARY_POW: return pow(a, b);
    case HYPERION_BINARY_PRELU: return a < 0 ? a * b : a;
    default: return a + b;
    }
}

double hyp_reference_scale_shift(const HypScaleShiftArgs *args, size_t i)
{
    const size_t channel = i / args->inner % args->channels;
    return (double)args->in[i] * (double)args->scale[channel] + (double)args->shift[channel];
}
