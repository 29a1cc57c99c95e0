// SPDX-License-Identifier: Apache-2.0
// layernorm_nest.h - layer normalisation of rows by the corrected two-pass algorithm (Chan, Golub
// and LeVeque 1983), written once over the vector vocabulary of a level: a mean far from 0 costs no
// accuracy. Included by level/<level>/layernorm_<level>.c after its vec_<level>.h.
#ifndef HYP_LAYERNORM_NEST_H
#define HYP_LAYERNORM_NEST_H

#include "kernel.h"
#include "parallel_for.h"

#include <math.h>

VEC_FN float layernorm_sum(const float *in, size_t count)
{
    vec sum = vec_zero();
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        sum = vec_add(sum, vec_load(in + i));
    return vec_sum(vec_add(sum, vec_load_part(in + i, count - i)));
}

typedef struct LayernormSums {
    float values, squares;
} LayernormSums;

// out[i] = in[i] - shift, and the sums over that.
VEC_FN LayernormSums layernorm_shift(const float *in, float shift, float *out, size_t count)
{
    const vec shifts = vec_set(shift);
    vec values = vec_zero();
    vec squares = vec_zero();
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        const vec value = vec_sub(vec_load(in + i), shifts);
        vec_store(out + i, value);
        values = vec_add(values, value);
        squares = vec_fma(value, value, squares);
    }
    if (i < count) {
        const vec value = vec_keep(vec_sub(vec_load_part(in + i, count - i), shifts), count - i);
        vec_store_part(out + i, value, count - i);
        values = vec_add(values, value);
        squares = vec_fma(value, value, squares);
    }
    return (LayernormSums){vec_sum(values), vec_sum(squares)};
}

// out[i] = (out[i] - shift) * factor * scale[i] + bias[i]
VEC_FN void layernorm_finish(const HypLayernormArgs *args, float shift, float factor, float *out)
{
    const vec shifts = vec_set(shift);
    const vec factors = vec_set(factor);
    const float *bias = args->bias;
    const size_t count = args->columns;
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        const vec unit = vec_mul(vec_sub(vec_load(out + i), shifts), factors);
        vec_store(out + i,
                  vec_fma(unit, vec_load(args->scale + i), bias ? vec_load(bias + i) : vec_zero()));
    }
    if (i < count) {
        const size_t rest = count - i;
        const vec unit = vec_mul(vec_sub(vec_load_part(out + i, rest), shifts), factors);
        vec_store_part(out + i,
                       vec_fma(unit, vec_load_part(args->scale + i, rest),
                               bias ? vec_load_part(bias + i, rest) : vec_zero()),
                       rest);
    }
}

static void layernorm_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypLayernormArgs *args = call->args;
    const size_t columns = args->columns;
    const float n = (float)columns;
    const HypRange rows = hyp_parallel_part(args->rows, 1, call->threads, thread);
    for (size_t row = rows.first; row < rows.end; row++) {
        const float *in = args->in + row * columns;
        float *out = args->out + row * columns;
        const float mean = args->rms ? 0.0F : layernorm_sum(in, columns) / n;
        const LayernormSums sums = layernorm_shift(in, mean, out, columns);
        // What the rounded mean missed.
        const float missed = args->rms ? 0.0F : sums.values / n;
        const float variance = sums.squares / n - missed * missed;
        // Rounding can put the variance of equal values just below 0.
        const float deviation = sqrtf((variance < 0.0F ? 0.0F : variance) + args->epsilon);
        layernorm_finish(args, missed, 1.0F / deviation, out);
    }
}

static void layernorm_nest(const HypLayernormArgs *args)
{
    const double elements = (double)args->rows * (double)args->columns;
    // Three passes over each row.
    if (args->columns > 0)
        hyp_parallel_call(args->parallel, 3 * HYP_WORK_STREAMED * elements, layernorm_part, args);
}

#endif
