// SPDX-License-Identifier: Apache-2.0
// add_nest.h - sum with broadcasting, written once over the vector vocabulary of a level.
// Included by level/<level>/add_<level>.c after its vec_<level>.h.
#ifndef HYP_ADD_NEST_H
#define HYP_ADD_NEST_H

#include "kernel.h"
#include "parallel_for.h"

// out[i] = a[i] + b[i]
VEC_FN void add_same(const float *a, const float *b, float *out, size_t count)
{
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(out + i, vec_add(vec_load(a + i), vec_load(b + i)));
    vec_store_part(out + i,
                   vec_add(vec_load_part(a + i, count - i), vec_load_part(b + i, count - i)),
                   count - i);
}

// out[i] = a[i] + b
VEC_FN void add_one(const float *a, float b, float *out, size_t count)
{
    const vec addend = vec_set(b);
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(out + i, vec_add(vec_load(a + i), addend));
    vec_store_part(out + i, vec_add(vec_load_part(a + i, count - i), addend), count - i);
}

// The sum over `part` of the whole array, row by row: a row is what b is repeated over, or b
// itself.
VEC_FN void add_range(const HypAddArgs *args, HypRange part)
{
    const bool rows_of_b = args->inner == 1;
    const size_t length = rows_of_b ? args->middle : args->inner;
    size_t row = part.first / length;
    size_t column = part.first % length;
    for (size_t i = part.first; i < part.end; row++, column = 0) {
        const size_t left = part.end - i;
        const size_t count = left < length - column ? left : length - column;
        if (rows_of_b)
            add_same(args->a + i, args->b + column, args->out + i, count);
        else
            add_one(args->a + i, args->b[row % args->middle], args->out + i, count);
        i += count;
    }
}

static void add_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypAddArgs *args = call->args;
    const HypRange part = hyp_parallel_part(args->outer * args->middle * args->inner,
                                            HYP_LINE_FLOATS, call->threads, thread);
    if (part.first < part.end)
        add_range(args, part);
}

static void add_nest(const HypAddArgs *args)
{
    const double elements = (double)args->outer * (double)args->middle * (double)args->inner;
    hyp_parallel_call(args->parallel, HYP_WORK_STREAMED * elements, add_part, args);
}

#endif
