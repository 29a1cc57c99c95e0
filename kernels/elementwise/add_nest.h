// SPDX-License-Identifier: Apache-2.0
// add_nest.h - sum with broadcasting, written once over the vector vocabulary of a level.
// Included by level/<level>/add_<level>.c after its vec_<level>.h.
#ifndef HYP_ADD_NEST_H
#define HYP_ADD_NEST_H

#include "kernel.h"

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

VEC_FN void add_nest(const HypAddArgs *args)
{
    const float *a = args->a;
    float *out = args->out;
    for (size_t o = 0; o < args->outer; o++) {
        if (args->inner == 1) {
            add_same(a, args->b, out, args->middle);
            a += args->middle;
            out += args->middle;
            continue;
        }
        for (size_t m = 0; m < args->middle; m++) {
            add_one(a, args->b[m], out, args->inner);
            a += args->inner;
            out += args->inner;
        }
    }
}

#endif
