// SPDX-License-Identifier: Apache-2.0
// scale_shift_nest.h - a scale and a shift for each channel, written once over the vector
// vocabulary of a level. Included by level/<level>/scale_shift_<level>.c after its vec_<level>.h.
#ifndef HYP_SCALE_SHIFT_NEST_H
#define HYP_SCALE_SHIFT_NEST_H

#include "kernel.h"
#include "parallel_for.h"

// out[i] = in[i] * scale + shift
VEC_FN void scale_shift_plane(const float *in, float scale, float shift, float *out, size_t count)
{
    const vec scales = vec_set(scale);
    const vec shifts = vec_set(shift);
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(out + i, vec_fma(vec_load(in + i), scales, shifts));
    if (i < count)
        vec_store_part(out + i, vec_fma(vec_load_part(in + i, count - i), scales, shifts),
                       count - i);
}

// out[i] = in[i] * scale[i] + shift[i]
VEC_FN void scale_shift_row(const float *in, const float *scale, const float *shift, float *out,
                            size_t count)
{
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(out + i, vec_fma(vec_load(in + i), vec_load(scale + i), vec_load(shift + i)));
    if (i < count)
        vec_store_part(out + i,
                       vec_fma(vec_load_part(in + i, count - i),
                               vec_load_part(scale + i, count - i),
                               vec_load_part(shift + i, count - i)),
                       count - i);
}

static void scale_shift_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypScaleShiftArgs *args = call->args;
    if (args->channels == 0 || args->inner == 0)
        return; // nothing to write, and nothing to divide by
    const bool rows = args->inner == 1;
    const size_t length = rows ? args->channels : args->inner;
    const HypRange part = hyp_parallel_part(args->batch * args->channels * args->inner,
                                            HYP_LINE_FLOATS, call->threads, thread);
    for (size_t i = part.first; i < part.end;) {
        const size_t column = i % length;
        const size_t left = part.end - i;
        const size_t count = left < length - column ? left : length - column;
        const size_t channel = rows ? column : i / length % args->channels;
        const float *scale = args->scale + channel;
        const float *shift = args->shift + channel;
        if (rows)
            scale_shift_row(args->in + i, scale, shift, args->out + i, count);
        else
            scale_shift_plane(args->in + i, one_load(scale), one_load(shift), args->out + i, count);
        i += count;
    }
}

static void scale_shift_nest(const HypScaleShiftArgs *args)
{
    const double elements = (double)args->batch * (double)args->channels * (double)args->inner;
    hyp_parallel_call(args->parallel, HYP_WORK_STREAMED * elements, scale_shift_part, args);
}

#endif
