// SPDX-License-Identifier: Apache-2.0
// size_math.h - sums and products of sizes that say when they overflow, divisors.
#ifndef HYP_SIZE_MATH_H
#define HYP_SIZE_MATH_H

#include <stdbool.h>
#include <stddef.h>

// True, and *result set, unless the mathematical result does not fit.
static inline bool hyp_size_add(size_t a, size_t b, size_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}

static inline bool hyp_size_multiply(size_t a, size_t b, size_t *result)
{
    return !__builtin_mul_overflow(a, b, result);
}

// `value` rounded up to a multiple of `step` (> 0).
static inline bool hyp_size_round_up(size_t value, size_t step, size_t *result)
{
    size_t raised;
    if (!hyp_size_add(value, step - 1, &raised))
        return false;
    *result = raised - raised % step;
    return true;
}

// The greatest number that divides both; the other one where one is 0.
static inline size_t hyp_size_divisor(size_t a, size_t b)
{
    while (b != 0) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#endif
