// SPDX-License-Identifier: Apache-2.0
// one_float.h - single values in memory, of the vector vocabulary of every level. Loop nests use
// these in place of dereferences, so that the vocabulary of kernels/touch can follow them.
#ifndef HYP_ONE_FLOAT_H
#define HYP_ONE_FLOAT_H

#include <stddef.h>

VEC_FN float one_load(const float *p)
{
    return *p;
}
VEC_FN void one_store(float *p, float x)
{
    *p = x;
}
VEC_FN size_t one_load_offset(const size_t *p)
{
    return *p;
}
VEC_FN void one_store_offset(size_t *p, size_t offset)
{
    *p = offset;
}

#endif
