// SPDX-License-Identifier: Apache-2.0
// integer_math.h - arithmetic on integers from a model file: it wraps where C leaves overflow open,
// and integers of any type as 64 bits, whose low bits are right for 32.
#ifndef HYP_INTEGER_MATH_H
#define HYP_INTEGER_MATH_H

#include "hyperion/types.h"

#include <assert.h>

static inline int64_t hyp_integer_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t hyp_integer_subtract(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t hyp_integer_multiply(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

// Towards 0; by 0: 0.
static inline int64_t hyp_integer_divide(int64_t a, int64_t b)
{
    if (b == 0)
        return 0;
    return b == -1 ? hyp_integer_subtract(0, a) : a / b;
}

// Rounded towards 0 where b is negative; 0 to a negative power: 0.
static inline int64_t hyp_integer_power(int64_t a, int64_t b)
{
    if (b < 0)
        return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
    int64_t power = 1;
    for (; b > 0; b >>= 1) {
        if (b & 1)
            power = hyp_integer_multiply(power, a);
        a = hyp_integer_multiply(a, a);
    }
    return power;
}

// Element `i` of an array of i64, i32 or bool.
static inline int64_t hyp_integer_load(HyperionType type, const void *array, size_t i)
{
    switch (type) {
    case HYPERION_TYPE_I64: return ((const int64_t *)array)[i];
    case HYPERION_TYPE_I32: return ((const int32_t *)array)[i];
    default: assert(type == HYPERION_TYPE_BOOL); return ((const uint8_t *)array)[i] != 0;
    }
}

static inline void hyp_integer_store(HyperionType type, void *array, size_t i, int64_t value)
{
    switch (type) {
    case HYPERION_TYPE_I64: ((int64_t *)array)[i] = value; break;
    case HYPERION_TYPE_I32: ((int32_t *)array)[i] = (int32_t)(uint32_t)(uint64_t)value; break;
    default:
        assert(type == HYPERION_TYPE_BOOL);
        ((uint8_t *)array)[i] = value != 0;
        break;
    }
}

#endif
