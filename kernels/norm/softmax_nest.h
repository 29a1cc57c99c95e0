// SPDX-License-Identifier: Apache-2.0
// softmax_nest.h - softmax of rows in three passes, written once over the vector vocabulary of a
// level. Included by level/<level>/softmax_<level>.c after its vec_<level>.h.
#ifndef HYP_SOFTMAX_NEST_H
#define HYP_SOFTMAX_NEST_H

#include "activation/activation_math.h"
#include "kernel.h"
#include "parallel_for.h"

// Greatest of `count` > 0 values. A NaN may get lost here; its exponential will not.
VEC_FN float softmax_greatest(const float *in, size_t count)
{
    float greatest = one_load(in);
    size_t i = 0;
    if (count >= VEC_LANES) {
        vec lanes = vec_load(in);
        for (i = VEC_LANES; i + VEC_LANES <= count; i += VEC_LANES)
            lanes = vec_max(lanes, vec_load(in + i));
        greatest = vec_greatest(lanes);
    }
    for (; i < count; i++) {
        const float value = one_load(in + i);
        greatest = value > greatest ? value : greatest;
    }
    return greatest;
}

// out[i] = exp(in[i] - shift); returns their sum.
VEC_FN float softmax_powers(const float *in, float shift, float *out, size_t count)
{
    const vec shifts = vec_set(shift);
    vec sum = vec_zero();
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        const vec power = vec_exp(vec_sub(vec_load(in + i), shifts));
        vec_store(out + i, power);
        sum = vec_add(sum, power);
    }
    if (i < count) {
        const vec power = vec_exp(vec_sub(vec_load_part(in + i, count - i), shifts));
        vec_store_part(out + i, power, count - i);
        sum = vec_add(sum, vec_keep(power, count - i));
    }
    return vec_sum(sum);
}

VEC_FN void softmax_scale(float *out, float factor, size_t count)
{
    const vec factors = vec_set(factor);
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(out + i, vec_mul(vec_load(out + i), factors));
    if (i < count)
        vec_store_part(out + i, vec_mul(vec_load_part(out + i, count - i), factors), count - i);
}

// Neighbouring columns that are done together: rows are read in order, some lines at a time, and
// maxima and sums stay in the first level.
enum { SOFTMAX_COLUMNS = 16 * HYP_LINE_FLOATS };

VEC_FN vec softmax_load(const float *p, size_t count)
{
    return count < VEC_LANES ? vec_load_part(p, count) : vec_load(p);
}

VEC_FN void softmax_store(float *p, vec v, size_t count)
{
    if (count < VEC_LANES)
        vec_store_part(p, v, count);
    else
        vec_store(p, v);
}

// `count` <= SOFTMAX_COLUMNS neighbouring columns of values that lie `inner` apart.
VEC_FN void softmax_columns(const HypSoftmaxArgs *args, size_t first, size_t count)
{
    float greatest[SOFTMAX_COLUMNS];
    float sums[SOFTMAX_COLUMNS];
    const float *in = args->in + first;
    float *out = args->out + first;
    for (size_t i = 0; i < count; i += VEC_LANES) {
        vec_store(greatest + i, softmax_load(in + i, count - i));
        vec_store(sums + i, vec_zero());
    }
    for (size_t c = 1; c < args->columns; c++)
        for (size_t i = 0; i < count; i += VEC_LANES)
            vec_store(greatest + i, vec_max(vec_load(greatest + i),
                                            softmax_load(in + c * args->inner + i, count - i)));
    for (size_t c = 0; c < args->columns; c++)
        for (size_t i = 0; i < count; i += VEC_LANES) {
            const size_t place = c * args->inner + i;
            const vec x = softmax_load(in + place, count - i);
            const vec power = vec_exp(vec_sub(x, vec_load(greatest + i)));
            softmax_store(out + place, power, count - i);
            vec_store(sums + i, vec_add(vec_load(sums + i), power));
        }
    for (size_t i = 0; i < count; i += VEC_LANES)
        vec_store(sums + i, vec_div(vec_set(1.0F), vec_load(sums + i)));
    for (size_t c = 0; c < args->columns; c++)
        for (size_t i = 0; i < count; i += VEC_LANES) {
            float *place = out + c * args->inner + i;
            softmax_store(place, vec_mul(softmax_load(place, count - i), vec_load(sums + i)),
                          count - i);
        }
}

static void softmax_strided_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypSoftmaxArgs *args = call->args;
    const size_t inner = args->inner;
    const HypRange part =
        hyp_parallel_part(args->rows * inner, HYP_LINE_FLOATS, call->threads, thread);
    for (size_t i = part.first; i < part.end;) {
        const size_t column = i % inner;
        const size_t left = part.end - i < inner - column ? part.end - i : inner - column;
        const size_t count = left < SOFTMAX_COLUMNS ? left : SOFTMAX_COLUMNS;
        softmax_columns(args, i / inner * args->columns * inner + column, count);
        i += count;
    }
}

static void softmax_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypSoftmaxArgs *args = call->args;
    const size_t columns = args->columns;
    const HypRange rows = hyp_parallel_part(args->rows, 1, call->threads, thread);
    for (size_t row = rows.first; row < rows.end; row++) {
        const float *in = args->in + row * columns;
        float *out = args->out + row * columns;
        const float sum = softmax_powers(in, softmax_greatest(in, columns), out, columns);
        softmax_scale(out, 1.0F / sum, columns);
    }
}

static void softmax_nest(const HypSoftmaxArgs *args)
{
    const double elements = (double)args->rows * (double)args->columns * (double)args->inner;
    if (args->columns > 0)
        hyp_parallel_call(args->parallel, HYP_WORK_EXPONENTIAL * elements,
                          args->inner == 1 ? softmax_part : softmax_strided_part, args);
}

#endif
