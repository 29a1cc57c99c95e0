// SPDX-License-Identifier: Apache-2.0
// activation_math.h - exp and the activation functions over the vector vocabulary of a level, for
// the activation kernels, softmax, attention and the epilogue of the matrix product. Included after
// a vec_<level>.h. NaN gives NaN; infinities give the limits. Error bounds: check_activation.c.
#ifndef HYP_ACTIVATION_MATH_H
#define HYP_ACTIVATION_MATH_H

#include "hyperion/types.h"

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

VEC_FN vec vec_relu(vec x)
{
    return vec_max(vec_zero(), x);
}

// `function` should be a constant where this is called: the switch then disappears.
VEC_FN vec vec_activate(HyperionActivation function, vec x)
{
    switch (function) {
    case HYPERION_ACTIVATION_RELU: return vec_relu(x);
    case HYPERION_ACTIVATION_GELU: return vec_gelu(x);
    case HYPERION_ACTIVATION_SILU: return vec_silu(x);
    case HYPERION_ACTIVATION_TANH: return vec_tanh(x);
    case HYPERION_ACTIVATION_SIGMOID: return vec_sigmoid(x);
    case HYPERION_ACTIVATION_NONE:
    case HYPERION_ACTIVATION_COUNT: break;
    }
    return x;
}

#endif
