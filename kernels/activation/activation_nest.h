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
VEC_FN void activate_array(HyperionActivation function, const HypActivationArgs *args,
                           HypRange part)
{
    const vec alpha = vec_set(args->alpha);
    const vec beta = vec_set(args->beta);
    const float *in = args->in;
    float *out = args->out;
    size_t i = part.first;
    for (; i + 4 * VEC_LANES <= part.end; i += 4 * VEC_LANES) {
        const vec a = vec_activate(function, alpha, beta, vec_load(in + i));
        const vec b = vec_activate(function, alpha, beta, vec_load(in + i + VEC_LANES));
        const vec c = vec_activate(function, alpha, beta, vec_load(in + i + 2 * VEC_LANES));
        const vec d = vec_activate(function, alpha, beta, vec_load(in + i + 3 * VEC_LANES));
        vec_store(out + i, a);
        vec_store(out + i + VEC_LANES, b);
        vec_store(out + i + 2 * VEC_LANES, c);
        vec_store(out + i + 3 * VEC_LANES, d);
    }
    for (; i + VEC_LANES <= part.end; i += VEC_LANES)
        vec_store(out + i, vec_activate(function, alpha, beta, vec_load(in + i)));
    if (i < part.end) {
        const size_t left = part.end - i;
        vec_store_part(out + i, vec_activate(function, alpha, beta, vec_load_part(in + i, left)),
                       left);
    }
}

static void activation_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypActivationArgs *args = call->args;
    const HypRange part = hyp_parallel_part(args->count, HYP_LINE_FLOATS, call->threads, thread);
    switch (args->function) {
#define CASE(NAME)                                                                                 \
    case HYPERION_ACTIVATION_##NAME: activate_array(HYPERION_ACTIVATION_##NAME, args, part); break;
        CASE(RELU)
        CASE(GELU)
        CASE(SILU)
        CASE(TANH)
        CASE(SIGMOID)
        CASE(LEAKY_RELU)
        CASE(CLIP)
        CASE(HARD_SIGMOID)
        CASE(HARD_SWISH)
        CASE(GELU_TANH)
        CASE(ERF)
        CASE(EXP)
        CASE(LOG)
        CASE(SQRT)
        CASE(RECIPROCAL)
        CASE(NEG)
        CASE(ABS)
        CASE(NONE)
#undef CASE
    case HYPERION_ACTIVATION_COUNT: break;
    }
}

// Whether loading and storing is most of the work.
static bool activation_is_streamed(HyperionActivation function)
{
    switch (function) {
    case HYPERION_ACTIVATION_GELU:
    case HYPERION_ACTIVATION_SILU:
    case HYPERION_ACTIVATION_TANH:
    case HYPERION_ACTIVATION_SIGMOID:
    case HYPERION_ACTIVATION_GELU_TANH:
    case HYPERION_ACTIVATION_ERF:
    case HYPERION_ACTIVATION_EXP:
    case HYPERION_ACTIVATION_LOG: return false;
    default: return true;
    }
}

static void activation_nest(const HypActivationArgs *args)
{
    const double work =
        (double)args->count *
        (activation_is_streamed(args->function) ? HYP_WORK_STREAMED : HYP_WORK_EXPONENTIAL);
    hyp_parallel_call(args->parallel, work, activation_part, args);
}

#endif
