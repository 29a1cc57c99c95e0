// SPDX-License-Identifier: Apache-2.0
// vec_scalar.h - the vector vocabulary at level scalar: one lane. Contract: level/README.md.
#ifndef HYP_VEC_SCALAR_H
#define HYP_VEC_SCALAR_H

#include "trace/trace_note.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VEC_LEVEL scalar
#define VEC_LANES ((size_t)1)
#define VEC_FN static inline __attribute__((always_inline))

#include "level/one_float.h" // after VEC_FN

typedef float vec;
typedef struct VecSplit {
    vec mantissa, exponent;
} VecSplit;

VEC_FN vec vec_load(const float *p)
{
    return *p;
}
VEC_FN vec vec_load_even(const float *p)
{
    return *p;
}
VEC_FN vec vec_load_part(const float *p, size_t count)
{
    return count ? *p : 0.0F;
}
VEC_FN void vec_store(float *p, vec v)
{
    *p = v;
}
VEC_FN void vec_store_part(float *p, vec v, size_t count)
{
    if (count)
        *p = v;
}
VEC_FN vec vec_keep(vec v, size_t count)
{
    return count ? v : 0.0F;
}
VEC_FN vec vec_set(float x)
{
    return x;
}
VEC_FN vec vec_zero(void)
{
    return 0.0F;
}
VEC_FN vec vec_add(vec a, vec b)
{
    return a + b;
}
VEC_FN vec vec_sub(vec a, vec b)
{
    return a - b;
}
VEC_FN vec vec_mul(vec a, vec b)
{
    return a * b;
}
VEC_FN vec vec_div(vec a, vec b)
{
    return a / b;
}
VEC_FN vec vec_fma(vec a, vec b, vec c)
{
    return a * b + c;
}
VEC_FN vec vec_fnma(vec a, vec b, vec c)
{
    return c - a * b;
}
VEC_FN vec vec_max(vec a, vec b)
{
    return a > b ? a : b;
}
VEC_FN vec vec_min(vec a, vec b)
{
    return a < b ? a : b;
}
VEC_FN vec vec_abs(vec a)
{
    return fabsf(a);
}
VEC_FN vec vec_copysign(vec magnitude, vec sign)
{
    return copysignf(magnitude, sign);
}
VEC_FN vec vec_sqrt(vec a)
{
    return sqrtf(a);
}
VEC_FN vec vec_select_lt(vec a, vec b, vec yes, vec no)
{
    return a < b ? yes : no;
}
VEC_FN vec vec_select_nan(vec x, vec yes, vec no)
{
    return isnan(x) ? yes : no;
}
// 0x3f2aaaab: the bits of 2/3. A place below them has a negative exponent, rounded down; whatever
// comes in, nothing overflows.
VEC_FN VecSplit vec_split(vec x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t places = bits - 0x3f2aaaabU;
    const int32_t exponent = (int32_t)(places >> 23) - (places >> 31 ? 512 : 0);
    bits -= (uint32_t)exponent << 23;
    VecSplit split = {.exponent = (float)exponent};
    memcpy(&split.mantissa, &bits, sizeof bits);
    return split;
}
// Adding and taking away 1.5 * 2^23 leaves the nearest integer: rintf without a call.
VEC_FN vec vec_round(vec a)
{
    return a + 12582912.0F - 12582912.0F;
}
// The same sum has n in its low bits, whatever n is: converting a NaN to int is undefined.
VEC_FN vec vec_pow2(vec n)
{
    const float sum = n + 12582912.0F;
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    bits = (bits + 127U) << 23;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}
// In two steps: 2^n itself may be past the range of normal floats.
VEC_FN vec vec_scale(vec a, vec n)
{
    const float half = vec_round(0.5F * n);
    return a * vec_pow2(half) * vec_pow2(n - half);
}
VEC_FN float vec_sum(vec a)
{
    return a;
}
VEC_FN float vec_greatest(vec a)
{
    return a;
}
VEC_FN void vec_prefetch(const void *p)
{
    VEC_NOTE_PREFETCH(p);
    __builtin_prefetch(p, 0, 3);
}

#endif
