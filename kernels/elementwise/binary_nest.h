// SPDX-License-Identifier: Apache-2.0
// binary_nest.h - functions of two operands with broadcasting, written once over the vector
// vocabulary of a level. Included by level/<level>/binary_<level>.c after its vec_<level>.h.
#ifndef HYP_BINARY_NEST_H
#define HYP_BINARY_NEST_H

#include "kernel.h"
#include "parallel_for.h"

#include <math.h>

// Lane by lane: powers with other exponents than those below are rare, and libm's are right to a
// unit in the last place for every pair of operands.
VEC_FN vec binary_power(vec a, vec b)
{
    float base[VEC_LANES];
    float exponent[VEC_LANES];
    vec_store(base, a);
    vec_store(exponent, b);
    for (size_t i = 0; i < VEC_LANES; i++)
        one_store(base + i, powf(one_load(base + i), one_load(exponent + i)));
    return vec_load(base);
}

// `function` and `reversed` should be constants where this is called: the switch then disappears.
VEC_FN vec binary_apply(HyperionBinary function, bool reversed, vec repeating, vec repeated)
{
    const vec a = reversed ? repeated : repeating;
    const vec b = reversed ? repeating : repeated;
    switch (function) {
    case HYPERION_BINARY_SUB: return vec_sub(a, b);
    case HYPERION_BINARY_MUL: return vec_mul(a, b);
    case HYPERION_BINARY_DIV: return vec_div(a, b);
    // The second operand where either is NaN, unless it is the first that is.
    case HYPERION_BINARY_MAX: return vec_select_nan(a, a, vec_max(a, b));
    case HYPERION_BINARY_MIN: return vec_select_nan(a, a, vec_min(a, b));
    case HYPERION_BINARY_POW: return binary_power(a, b);
    case HYPERION_BINARY_PRELU: return vec_select_lt(a, vec_zero(), vec_mul(a, b), a);
    default: return vec_add(a, b);
    }
}

// out[i] of a[i] and b[i]
VEC_FN void binary_same(HyperionBinary function, bool reversed, const float *a, const float *b,
                        float *out, size_t count)
{
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(out + i, binary_apply(function, reversed, vec_load(a + i), vec_load(b + i)));
    if (i < count)
        vec_store_part(out + i,
                       binary_apply(function, reversed, vec_load_part(a + i, count - i),
                                    vec_load_part(b + i, count - i)),
                       count - i);
}

// out[i] of a[i] and b
VEC_FN void binary_one(HyperionBinary function, bool reversed, const float *a, float b, float *out,
                       size_t count)
{
    const vec repeated = vec_set(b);
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(out + i, binary_apply(function, reversed, vec_load(a + i), repeated));
    if (i < count)
        vec_store_part(out + i,
                       binary_apply(function, reversed, vec_load_part(a + i, count - i), repeated),
                       count - i);
}

// out[i] = a[i] to the power of 2 or 3
VEC_FN void binary_whole_power(const float *a, bool cube, float *out, size_t count)
{
    for (size_t i = 0; i < count; i += VEC_LANES) {
        const size_t left = count - i;
        const vec x = left < VEC_LANES ? vec_load_part(a + i, left) : vec_load(a + i);
        const vec square = vec_mul(x, x);
        const vec power = cube ? vec_mul(square, x) : square;
        if (left < VEC_LANES)
            vec_store_part(out + i, power, left);
        else
            vec_store(out + i, power);
    }
}

VEC_FN void binary_one_any(HyperionBinary function, bool reversed, const float *a, float b,
                           float *out, size_t count)
{
    // What normalisations and the usual gelu ask for.
    if (function == HYPERION_BINARY_POW && !reversed && (b == 2.0F || b == 3.0F))
        binary_whole_power(a, b == 3.0F, out, count);
    else
        binary_one(function, reversed, a, b, out, count);
}

// The results in `part` of the whole array, row by row: a row is what b is repeated over, or b
// itself.
VEC_FN void binary_range(HyperionBinary function, bool reversed, const HypBinaryArgs *args,
                         HypRange part)
{
    const bool rows_of_b = args->inner == 1;
    const size_t length = rows_of_b ? args->middle : args->inner;
    size_t row = part.first / length;
    size_t column = part.first % length;
    for (size_t i = part.first; i < part.end; row++, column = 0) {
        const size_t left = part.end - i;
        const size_t count = left < length - column ? left : length - column;
        if (rows_of_b)
            binary_same(function, reversed, args->a + i, args->b + column, args->out + i, count);
        else
            binary_one_any(function, reversed, args->a + i, one_load(args->b + row % args->middle),
                           args->out + i, count);
        i += count;
    }
}

// Sums, products, maxima and minima do not care for the order of their operands.
static void binary_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypBinaryArgs *args = call->args;
    const HypRange part = hyp_parallel_part(args->outer * args->middle * args->inner,
                                            HYP_LINE_FLOATS, call->threads, thread);
    if (part.first >= part.end)
        return;
    switch (args->function) {
#define ORDERED(FUNCTION)                                                                          \
    case FUNCTION:                                                                                 \
        if (args->reversed)                                                                        \
            binary_range(FUNCTION, true, args, part);                                              \
        else                                                                                       \
            binary_range(FUNCTION, false, args, part);                                             \
        break;
        ORDERED(HYPERION_BINARY_SUB)
        ORDERED(HYPERION_BINARY_DIV)
        ORDERED(HYPERION_BINARY_POW)
        ORDERED(HYPERION_BINARY_PRELU)
#undef ORDERED
    case HYPERION_BINARY_MUL: binary_range(HYPERION_BINARY_MUL, false, args, part); break;
    case HYPERION_BINARY_MAX: binary_range(HYPERION_BINARY_MAX, false, args, part); break;
    case HYPERION_BINARY_MIN: binary_range(HYPERION_BINARY_MIN, false, args, part); break;
    default: binary_range(HYPERION_BINARY_ADD, false, args, part); break;
    }
}

static void binary_nest(const HypBinaryArgs *args)
{
    const double elements = (double)args->outer * (double)args->middle * (double)args->inner;
    const int work =
        args->function == HYPERION_BINARY_POW ? HYP_WORK_EXPONENTIAL : HYP_WORK_STREAMED;
    hyp_parallel_call(args->parallel, work * elements, binary_part, args);
}

#endif
