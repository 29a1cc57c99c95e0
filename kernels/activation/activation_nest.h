// SPDX-License-Identifier: Apache-2.0
// activation_nest.h - element-wise functions, written once over the vector vocabulary of a level.
// Included by level/<level>/activation_<level>.c after its vec_<level>.h.
#ifndef HYP_ACTIVATION_NEST_H
#define HYP_ACTIVATION_NEST_H

#include "activation/activation_math.h"
#include "kernel.h"

// Four vectors a turn: relu is bound by loads and stores, and the counting would be half its
// instructions. The other functions are long enough for the processor to overlap turns by itself.
VEC_FN void activate_array(HyperionActivation function, const HypActivationArgs *args)
{
    const float *in = args->in;
    float *out = args->out;
    const size_t count = args->count;
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

VEC_FN void activation_nest(const HypActivationArgs *args)
{
    switch (args->function) {
    case HYPERION_ACTIVATION_RELU: activate_array(HYPERION_ACTIVATION_RELU, args); break;
    case HYPERION_ACTIVATION_GELU: activate_array(HYPERION_ACTIVATION_GELU, args); break;
    case HYPERION_ACTIVATION_SILU: activate_array(HYPERION_ACTIVATION_SILU, args); break;
    case HYPERION_ACTIVATION_TANH: activate_array(HYPERION_ACTIVATION_TANH, args); break;
    case HYPERION_ACTIVATION_SIGMOID: activate_array(HYPERION_ACTIVATION_SIGMOID, args); break;
    case HYPERION_ACTIVATION_NONE:
    case HYPERION_ACTIVATION_COUNT: activate_array(HYPERION_ACTIVATION_NONE, args); break;
    }
}

#endif
