// SPDX-License-Identifier: Apache-2.0
// activation_math.h - exp and the activation functions over the vector vocabulary of a level, for
// the activation kernels, softmax, attention and the epilogue of the matrix product. Included after
// a vec_<level>.h. NaN gives NaN; infinities give the limits. Error bounds: check_activation.c.
#ifndef HYP_ACTIVATION_MATH_H
#define HYP_ACTIVATION_MATH_H

#include "hyperion/types.h"

#include <math.h>

// exp(x) = 2^n exp(r) with n integral and |r| <= ln(2)/2.
typedef struct VecExpParts {
    vec n;
    vec tail; // exp(r) - 1, without cancellation near 0
} VecExpParts;

// |x| < 2^21. ln 2 is taken away in two parts, of which n times the first is exact (9 bits). The
// polynomial is a minimax fit of (exp(r) - 1 - r) / r^2; its error is 3.2e-9 of exp(r).
VEC_FN VecExpParts vec_exp_parts(vec x)
{
    const vec n = vec_round(vec_mul(x, vec_set(1.44269504F)));
    const vec high = vec_fnma(n, vec_set(0.693359375F), x);
    const vec r = vec_fnma(n, vec_set(-2.12194440e-4F), high);
    vec p = vec_set(1.39504951e-3F);
    p = vec_fma(p, r, vec_set(8.36889177e-3F));
    p = vec_fma(p, r, vec_set(4.16662057e-2F));
    p = vec_fma(p, r, vec_set(0.166665188F));
    p = vec_fma(p, r, vec_set(0.50000001F));
    return (VecExpParts){n, vec_fma(vec_mul(p, r), r, r)};
}

// exp(x), for every x. Past the limits the result is infinity or 0 in any case: the largest float
// is exp(88.72), half of the smallest denormal exp(-103.97). vec_min and vec_max keep a NaN that is
// their second operand.
VEC_FN vec vec_exp(vec x)
{
    const vec within = vec_max(vec_set(-104.0F), vec_min(vec_set(89.0F), x));
    const VecExpParts parts = vec_exp_parts(within);
    return vec_scale(vec_add(vec_set(1.0F), parts.tail), parts.n);
}

// 1 + exp(-x), which sigmoid and silu divide by.
VEC_FN vec vec_logistic_divisor(vec x)
{
    return vec_add(vec_set(1.0F), vec_exp(vec_sub(vec_zero(), x)));
}

VEC_FN vec vec_sigmoid(vec x)
{
    return vec_div(vec_set(1.0F), vec_logistic_divisor(x));
}

// Below -104 the result is 0; the limit keeps -infinity / infinity away.
VEC_FN vec vec_silu(vec x)
{
    const vec within = vec_max(vec_set(-104.0F), x);
    return vec_div(within, vec_logistic_divisor(within));
}

// With e = exp(-2|x|) - 1: tanh |x| = -e / (2 + e), which loses nothing near 0. tanh 10 rounds
// to 1.
VEC_FN vec vec_tanh(vec x)
{
    const vec magnitude = vec_min(vec_set(10.0F), vec_abs(x));
    const VecExpParts parts = vec_exp_parts(vec_mul(vec_set(-2.0F), magnitude));
    const vec power = vec_pow2(parts.n);
    const vec e = vec_fma(power, parts.tail, vec_sub(power, vec_set(1.0F)));
    return vec_copysign(vec_div(e, vec_add(vec_set(2.0F), e)), x);
}

// x times the normal distribution function. Its lower half is exp(p(|x|)), p a minimax fit of
// log(erfc(t / sqrt 2) / 2) on [0, 5.6] weighted by the result, with error 7.6e-9; the upper half
// is 1 minus it. Past 5.6 p keeps falling: exp(p(10.5)) is 0, so no need to look further, and no
// -infinity * 0.
VEC_FN vec vec_gelu(vec x)
{
    const vec t = vec_min(vec_set(10.5F), vec_abs(x));
    vec p = vec_set(-1.9214361e-6F);
    p = vec_fma(p, t, vec_set(2.67698419e-5F));
    p = vec_fma(p, t, vec_set(-1.26532275e-4F));
    p = vec_fma(p, t, vec_set(-1.01109629e-4F));
    p = vec_fma(p, t, vec_set(4.90434347e-3F));
    p = vec_fma(p, t, vec_set(-3.63937127e-2F));
    p = vec_fma(p, t, vec_set(-0.318296587F));
    p = vec_fma(p, t, vec_set(-0.797885687F));
    p = vec_fma(p, t, vec_set(-0.693147166F));
    const VecExpParts parts = vec_exp_parts(p);
    const vec lower = vec_scale(vec_add(vec_set(1.0F), parts.tail), parts.n);
    const vec upper = vec_sub(vec_set(1.0F), lower);
    return vec_mul(vec_max(vec_set(-10.5F), x), vec_select_lt(x, vec_zero(), lower, upper));
}

// x sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715 x^3). Below -20 the result is 0; the limit keeps
// -infinity * 0 away.
VEC_FN vec vec_gelu_tanh(vec x)
{
    const vec within = vec_max(vec_set(-20.0F), x);
    const vec square = vec_mul(within, within);
    const vec factor = vec_fma(square, vec_set(7.13548163e-2F), vec_set(1.59576912F));
    return vec_div(within, vec_logistic_divisor(vec_mul(within, factor)));
}

// Near 0, x + x p(x^2), p a minimax fit weighted by the result, with error 5.1e-10; elsewhere 1 -
// exp(p(|x|)), p one of log(erfc t) on [0.9375, 4.1], where erf rounds to 1, with error 3.6e-11.
VEC_FN vec vec_erf(vec x)
{
    const vec magnitude = vec_abs(x);
    const vec square = vec_mul(x, x);
    vec near = vec_set(8.26746274e-5F);
    near = vec_fma(near, square, vec_set(-8.11807578e-4F));
    near = vec_fma(near, square, vec_set(5.1988299e-3F));
    near = vec_fma(near, square, vec_set(-2.68584971e-2F));
    near = vec_fma(near, square, vec_set(0.11283679F));
    near = vec_fma(near, square, vec_set(-0.376126326F));
    near = vec_fma(near, square, vec_set(0.128379167F));
    near = vec_fma(near, x, x);
    const vec t = vec_min(vec_set(4.1F), magnitude);
    vec far = vec_set(-2.13059305e-5F);
    far = vec_fma(far, t, vec_set(4.36905848e-4F));
    far = vec_fma(far, t, vec_set(-4.18293045e-3F));
    far = vec_fma(far, t, vec_set(2.51507667e-2F));
    far = vec_fma(far, t, vec_set(-0.108328708F));
    far = vec_fma(far, t, vec_set(-0.63330257F));
    far = vec_fma(far, t, vec_set(-1.12953695F));
    far = vec_fma(far, t, vec_set(1.79283048e-4F));
    far = vec_copysign(vec_sub(vec_set(1.0F), vec_exp(far)), x);
    return vec_select_nan(x, x, vec_select_lt(magnitude, vec_set(0.9375F), near, far));
}

// With x = 2^n m and f = m - 1 in [-1/3, 1/3): n ln 2 + f - f^2/2 + f^3 p(f), p a minimax fit
// weighted by the result, with error 4.7e-9. Numbers below the normal ones are made normal first.
VEC_FN vec vec_log(vec x)
{
    const vec least = vec_set(1.17549435e-38F);
    const vec normal = vec_select_lt(x, least, vec_mul(x, vec_set(0x1p24F)), x);
    const VecSplit split = vec_split(normal);
    const vec n = vec_select_lt(x, least, vec_sub(split.exponent, vec_set(24.0F)), split.exponent);
    const vec f = vec_sub(split.mantissa, vec_set(1.0F));
    const vec square = vec_mul(f, f);
    vec p = vec_set(-0.128916868F);
    p = vec_fma(p, f, vec_set(0.139844357F));
    p = vec_fma(p, f, vec_set(-0.121842609F));
    p = vec_fma(p, f, vec_set(0.140058692F));
    p = vec_fma(p, f, vec_set(-0.166804873F));
    p = vec_fma(p, f, vec_set(0.200104059F));
    p = vec_fma(p, f, vec_set(-0.249997977F));
    p = vec_fma(p, f, vec_set(0.33333216F));
    const vec tail = vec_fma(vec_mul(p, f), square, vec_mul(vec_set(-0.5F), square));
    // ln 2 in two parts, of which n times the first is exact, as in vec_exp_parts.
    const vec small = vec_fma(n, vec_set(-2.12194440e-4F), vec_add(tail, f));
    const vec usual = vec_fma(n, vec_set(0.693359375F), small);
    const vec infinity = vec_set(INFINITY);
    const vec positive = vec_select_lt(x, infinity, usual, x); // infinity and NaN are themselves
    const vec at_most_0 = vec_select_lt(x, vec_zero(), vec_set(NAN), vec_sub(vec_zero(), infinity));
    return vec_select_nan(x, x, vec_select_lt(vec_zero(), x, positive, at_most_0));
}

VEC_FN vec vec_relu(vec x)
{
    return vec_max(vec_zero(), x);
}

// To low .. high; high where low is above it.
VEC_FN vec vec_clip(vec x, vec low, vec high)
{
    return vec_min(high, vec_max(low, x));
}

VEC_FN vec vec_hard_sigmoid(vec x, vec alpha, vec beta)
{
    return vec_clip(vec_fma(alpha, x, beta), vec_zero(), vec_set(1.0F));
}

// Below -3 the result is 0; the limit keeps -infinity * 0 away.
VEC_FN vec vec_hard_swish(vec x)
{
    const vec within = vec_max(vec_set(-3.0F), x);
    return vec_mul(within, vec_hard_sigmoid(within, vec_set(1.0F / 6), vec_set(0.5F)));
}

// `function` should be a constant where this is called: the switch then disappears.
VEC_FN vec vec_activate(HyperionActivation function, vec alpha, vec beta, vec x)
{
    switch (function) {
    case HYPERION_ACTIVATION_RELU: return vec_relu(x);
    case HYPERION_ACTIVATION_GELU: return vec_gelu(x);
    case HYPERION_ACTIVATION_SILU: return vec_silu(x);
    case HYPERION_ACTIVATION_TANH: return vec_tanh(x);
    case HYPERION_ACTIVATION_SIGMOID: return vec_sigmoid(x);
    case HYPERION_ACTIVATION_LEAKY_RELU: return vec_select_lt(x, vec_zero(), vec_mul(alpha, x), x);
    case HYPERION_ACTIVATION_CLIP: return vec_clip(x, alpha, beta);
    case HYPERION_ACTIVATION_HARD_SIGMOID: return vec_hard_sigmoid(x, alpha, beta);
    case HYPERION_ACTIVATION_HARD_SWISH: return vec_hard_swish(x);
    case HYPERION_ACTIVATION_GELU_TANH: return vec_gelu_tanh(x);
    case HYPERION_ACTIVATION_ERF: return vec_erf(x);
    case HYPERION_ACTIVATION_EXP: return vec_exp(x);
    case HYPERION_ACTIVATION_LOG: return vec_log(x);
    case HYPERION_ACTIVATION_SQRT: return vec_sqrt(x);
    case HYPERION_ACTIVATION_RECIPROCAL: return vec_div(vec_set(1.0F), x);
    case HYPERION_ACTIVATION_NEG: return vec_mul(vec_set(-1.0F), x);
    case HYPERION_ACTIVATION_ABS: return vec_abs(x);
    case HYPERION_ACTIVATION_NONE:
    case HYPERION_ACTIVATION_COUNT: break;
    }
    return x;
}

#endif
