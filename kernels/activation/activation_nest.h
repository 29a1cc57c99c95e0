// SPDX-License-Identifier: Apache-2.0
// activation_nest.h - element-wise functions, written once over the vector vocabulary of a level.
// Included by level/<level>/activation_<level>.c after its vec_<level>.h.
#ifndef HYP_ACTIVATION_NEST_H
#define HYP_ACTIVATION_NEST_H

#include "activation/activation_math.h"
#include "kernel.h"
#include "parallel_for.h"

// Four vectors a turn: relu is bound by loads and stores, and the counting would be half its
// instructions. The other functions are long enough for the processor to overlap turns by itself.
VEC_FN void activate_array(HyperionActivation function, const float *in, float *out, size_t count)
{
    size_t i = 0;
    for (; i + 4 * VEC_LANES <= count; i += 4 * VEC_LANES) {
        const vec a = vec_activate(function, vec_load(in + i));
        const vec b = vec_activate(function, vec_load(in + i + VEC_LANES));
        const vec c = vec_activate(function, vec_load(in + i + 2 * VEC_LANES));
        const vec d = vec_activate(function, vec_load(in + i + 3 * VEC_LANES));
        vec_store(out + i, a);
        vec_store(out + i + VEC_LANES, b);
        vec_store(out + i + 2 * VEC_LANES, c);
        vec_store(out + i + 3 * VEC_LANES, d);
    }
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(out + i, vec_activate(function, vec_load(in + i)));
    if (i < count)
        vec_store_part(out + i, vec_activate(function, vec_load_part(in + i, count - i)),
                       count - i);
}

static void activation_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypActivationArgs *args = call->args;
    const HypRange part = hyp_parallel_part(args->count, HYP_LINE_FLOATS, call->threads, thread);
    const float *in = args->in + part.first;
    float *out = args->out + part.first;
    const size_t count = part.end - part.first;
    switch (args->function) {
    case HYPERION_ACTIVATION_RELU: activate_array(HYPERION_ACTIVATION_RELU, in, out, count); break;
    case HYPERION_ACTIVATION_GELU: activate_array(HYPERION_ACTIVATION_GELU, in, out, count); break;
    case HYPERION_ACTIVATION_SILU: activate_array(HYPERION_ACTIVATION_SILU, in, out, count); break;
    case HYPERION_ACTIVATION_TANH: activate_array(HYPERION_ACTIVATION_TANH, in, out, count); break;
    case HYPERION_ACTIVATION_SIGMOID:
        activate_array(HYPERION_ACTIVATION_SIGMOID, in, out, count);
        break;
    case HYPERION_ACTIVATION_NONE:
    case HYPERION_ACTIVATION_COUNT: activate_array(HYPERION_ACTIVATION_NONE, in, out, count); break;
    }
}

static void activation_nest(const HypActivationArgs *args)
{
    const bool streamed =
        args->function == HYPERION_ACTIVATION_RELU || args->function == HYPERION_ACTIVATION_NONE;
    const double work = (double)args->count * (streamed ? HYP_WORK_STREAMED : HYP_WORK_EXPONENTIAL);
    hyp_parallel_call(args->parallel, work, activation_part, args);
}

#endif
