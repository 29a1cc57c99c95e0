// SPDX-License-Identifier: Apache-2.0
// reduce_nest.h - sums, means, products and extremes over one axis, written once over the vector
// vocabulary of a level. Included by level/<level>/reduce_<level>.c after its vec_<level>.h.
#ifndef HYP_REDUCE_NEST_H
#define HYP_REDUCE_NEST_H

#include "kernel.h"
#include "parallel_for.h"

#include <math.h>

// Vectors that are summed in f32 before the sum goes into a double: rounding stays that of a short
// sum, however long the row.
enum { REDUCE_BLOCK = 64 };

// Neighbouring columns that are reduced together: rows are read in order, some lines at a time, and
// the sums stay in the first level.
enum { REDUCE_COLUMNS = 16 * HYP_LINE_FLOATS };

VEC_FN float reduce_start(HyperionReduce function)
{
    switch (function) {
    case HYPERION_REDUCE_MAX: return -INFINITY;
    case HYPERION_REDUCE_MIN: return INFINITY;
    case HYPERION_REDUCE_PROD: return 1.0F;
    default: return 0.0F;
    }
}

// `function` should be a constant where this is called.
VEC_FN vec reduce_join(HyperionReduce function, vec so_far, vec x)
{
    switch (function) {
    case HYPERION_REDUCE_MAX: return vec_select_nan(so_far, so_far, vec_max(so_far, x));
    case HYPERION_REDUCE_MIN: return vec_select_nan(so_far, so_far, vec_min(so_far, x));
    case HYPERION_REDUCE_PROD: return vec_mul(so_far, x);
    default: return vec_add(so_far, x);
    }
}

VEC_FN double reduce_join_one(HyperionReduce function, double so_far, double x)
{
    switch (function) {
    case HYPERION_REDUCE_MAX: return so_far > x || isnan(so_far) ? so_far : x;
    case HYPERION_REDUCE_MIN: return so_far < x || isnan(so_far) ? so_far : x;
    case HYPERION_REDUCE_PROD: return so_far * x;
    default: return so_far + x;
    }
}

// Four vectors at a time: a chain of one would wait for each result.
VEC_FN double reduce_block(HyperionReduce function, const float *in, size_t vectors)
{
    vec sums[4];
    for (size_t s = 0; s < 4; s++)
        sums[s] = vec_set(reduce_start(function));
    for (size_t i = 0; i < vectors; i += 4)
        for (size_t s = 0; s < 4; s++)
            sums[s] = reduce_join(function, sums[s], vec_load(in + (i + s) * VEC_LANES));
    const vec sum = reduce_join(function, reduce_join(function, sums[0], sums[1]),
                                reduce_join(function, sums[2], sums[3]));
    float lanes[VEC_LANES];
    vec_store(lanes, sum);
    double total = (double)reduce_start(function);
    for (size_t i = 0; i < VEC_LANES; i++)
        total = reduce_join_one(function, total, (double)one_load(lanes + i));
    return total;
}

// One row to one number.
VEC_FN float reduce_row(HyperionReduce function, const float *in, size_t count)
{
    double total = (double)reduce_start(function);
    size_t i = 0;
    while (count - i >= 4 * VEC_LANES) {
        const size_t left = (count - i) / (4 * VEC_LANES) * 4;
        const size_t vectors = left < REDUCE_BLOCK ? left : REDUCE_BLOCK;
        total = reduce_join_one(function, total, reduce_block(function, in + i, vectors));
        i += vectors * VEC_LANES;
    }
    for (; i < count; i++)
        total = reduce_join_one(function, total, (double)one_load(in + i));
    return (float)(function == HYPERION_REDUCE_MEAN ? total / (double)count : total);
}

// `count` <= REDUCE_COLUMNS neighbouring columns, `middle` values each, `inner` apart.
VEC_FN void reduce_columns(HyperionReduce function, const HypReduceArgs *args, const float *in,
                           float *out, size_t count)
{
    float sums[REDUCE_COLUMNS];
    for (size_t i = 0; i < count; i += VEC_LANES)
        vec_store(sums + i, vec_set(reduce_start(function)));
    for (size_t m = 0; m < args->middle; m++) {
        const float *row = in + m * args->inner;
        size_t i = 0;
        for (; i + VEC_LANES <= count; i += VEC_LANES)
            vec_store(sums + i, reduce_join(function, vec_load(sums + i), vec_load(row + i)));
        if (i < count)
            vec_store(sums + i,
                      reduce_join(function, vec_load(sums + i), vec_load_part(row + i, count - i)));
    }
    const vec divisor = vec_set((float)args->middle);
    for (size_t i = 0; i < count; i += VEC_LANES) {
        const vec sum = vec_load(sums + i);
        vec_store_part(out + i, function == HYPERION_REDUCE_MEAN ? vec_div(sum, divisor) : sum,
                       count - i);
    }
}

VEC_FN void reduce_range(HyperionReduce function, const HypReduceArgs *args, HypRange part)
{
    if (args->inner == 0)
        return; // nothing to write, and nothing to divide by
    if (args->inner == 1) {
        for (size_t row = part.first; row < part.end; row++)
            one_store(args->out + row,
                      reduce_row(function, args->in + row * args->middle, args->middle));
        return;
    }
    for (size_t i = part.first; i < part.end;) {
        const size_t row = i / args->inner;
        const size_t column = i % args->inner;
        const size_t left =
            part.end - i < args->inner - column ? part.end - i : args->inner - column;
        const size_t count = left < REDUCE_COLUMNS ? left : REDUCE_COLUMNS;
        reduce_columns(function, args, args->in + row * args->middle * args->inner + column,
                       args->out + i, count);
        i += count;
    }
}

static void reduce_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypReduceArgs *args = call->args;
    const HypRange part = hyp_parallel_part(
        args->outer * args->inner, args->inner == 1 ? 1 : HYP_LINE_FLOATS, call->threads, thread);
    switch (args->function) {
    case HYPERION_REDUCE_MEAN: reduce_range(HYPERION_REDUCE_MEAN, args, part); break;
    case HYPERION_REDUCE_SUM: reduce_range(HYPERION_REDUCE_SUM, args, part); break;
    case HYPERION_REDUCE_MAX: reduce_range(HYPERION_REDUCE_MAX, args, part); break;
    case HYPERION_REDUCE_MIN: reduce_range(HYPERION_REDUCE_MIN, args, part); break;
    case HYPERION_REDUCE_PROD: reduce_range(HYPERION_REDUCE_PROD, args, part); break;
    case HYPERION_REDUCE_COUNT: break;
    }
}

static void reduce_nest(const HypReduceArgs *args)
{
    const double elements = (double)args->outer * (double)args->middle * (double)args->inner;
    hyp_parallel_call(args->parallel, HYP_WORK_STREAMED * elements, reduce_part, args);
}

#endif
