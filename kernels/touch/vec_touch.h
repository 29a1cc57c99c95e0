// SPDX-License-Identifier: Apache-2.0
// vec_touch.h - the vector vocabulary (level/README.md) of a level that computes nothing: loads and
// stores tell what they would touch, everything else is gone. Over it, the loop nests of kernels/
// touch what they do at that level, line by line in the same order, and no nest is written twice.
// No pointer is followed but those of one_load_offset.
//
// The build says HYP_TOUCH_LEVEL, HYP_TOUCH_LANES, and the register tile of products: HYP_TOUCH_MR
// rows by HYP_TOUCH_NR floats. Values are 1, so that what depends on them is decided when compiled.
#ifndef HYP_VEC_TOUCH_H
#define HYP_VEC_TOUCH_H

#include "touch/touch_state.h"

#define VEC_LEVEL HYP_TOUCH_LEVEL
#define VEC_LANES ((size_t)HYP_TOUCH_LANES)
#define VEC_FN static inline __attribute__((always_inline))
#define GEMM_MR HYP_TOUCH_MR
#define GEMM_NV (HYP_TOUCH_NR / HYP_TOUCH_LANES)

typedef float vec;
typedef struct VecSplit {
    vec mantissa, exponent;
} VecSplit;

VEC_FN void touch_floats(const float *p, size_t count, HyperionTouch kind)
{
    if (count > 0)
        touch_bytes((uintptr_t)p, count * sizeof(float), kind);
}

VEC_FN float one_load(const float *p)
{
    touch_float(p, HYPERION_TOUCH_READ);
    return 1.0F;
}
VEC_FN void one_store(float *p, float x)
{
    (void)x;
    touch_float(p, HYPERION_TOUCH_WRITE);
}
VEC_FN size_t one_load_offset(const size_t *p)
{
    touch_bytes((uintptr_t)p, sizeof *p, HYPERION_TOUCH_READ);
    return *p;
}
VEC_FN void one_store_offset(size_t *p, size_t offset)
{
    touch_bytes((uintptr_t)p, sizeof *p, HYPERION_TOUCH_WRITE);
    *p = offset;
}

VEC_FN vec vec_load(const float *p)
{
    touch_floats(p, VEC_LANES, HYPERION_TOUCH_READ);
    return 1.0F;
}
VEC_FN vec vec_load_even(const float *p)
{
    touch_floats(p, VEC_LANES > 1 ? 2 * VEC_LANES : 1, HYPERION_TOUCH_READ);
    return 1.0F;
}
VEC_FN vec vec_load_part(const float *p, size_t count)
{
    touch_floats(p, count < VEC_LANES ? count : VEC_LANES, HYPERION_TOUCH_READ);
    return 1.0F;
}
// NOLINTBEGIN(readability-non-const-parameter): as at every level
VEC_FN void vec_store(float *p, vec v)
{
    (void)v;
    touch_floats(p, VEC_LANES, HYPERION_TOUCH_WRITE);
}
VEC_FN void vec_store_part(float *p, vec v, size_t count)
{
    (void)v;
    touch_floats(p, count < VEC_LANES ? count : VEC_LANES, HYPERION_TOUCH_WRITE);
}
VEC_FN void vec_transpose(vec rows[VEC_LANES])
{
    (void)rows;
}
// NOLINTEND(readability-non-const-parameter)
VEC_FN void vec_prefetch(const void *p)
{
    touch_bytes((uintptr_t)p, 1, HYPERION_TOUCH_PREFETCH);
}

#define TOUCH_VALUE(name, ...)                                                                     \
    VEC_FN vec name(__VA_ARGS__)                                                                   \
    {                                                                                              \
        return 1.0F;                                                                               \
    }
#define UNUSED __attribute__((unused))
TOUCH_VALUE(vec_zero, void)
TOUCH_VALUE(vec_set, float x UNUSED)
TOUCH_VALUE(vec_keep, vec v UNUSED, size_t count UNUSED)
TOUCH_VALUE(vec_add, vec a UNUSED, vec b UNUSED)
TOUCH_VALUE(vec_sub, vec a UNUSED, vec b UNUSED)
TOUCH_VALUE(vec_mul, vec a UNUSED, vec b UNUSED)
TOUCH_VALUE(vec_div, vec a UNUSED, vec b UNUSED)
TOUCH_VALUE(vec_max, vec a UNUSED, vec b UNUSED)
TOUCH_VALUE(vec_min, vec a UNUSED, vec b UNUSED)
TOUCH_VALUE(vec_copysign, vec a UNUSED, vec b UNUSED)
TOUCH_VALUE(vec_scale, vec a UNUSED, vec n UNUSED)
TOUCH_VALUE(vec_fma, vec a UNUSED, vec b UNUSED, vec c UNUSED)
TOUCH_VALUE(vec_fnma, vec a UNUSED, vec b UNUSED, vec c UNUSED)
TOUCH_VALUE(vec_select_lt, vec a UNUSED, vec b UNUSED, vec yes UNUSED, vec no UNUSED)
TOUCH_VALUE(vec_select_nan, vec x UNUSED, vec yes UNUSED, vec no UNUSED)
TOUCH_VALUE(vec_abs, vec a UNUSED)
TOUCH_VALUE(vec_sqrt, vec a UNUSED)
TOUCH_VALUE(vec_round, vec a UNUSED)
TOUCH_VALUE(vec_pow2, vec n UNUSED)
TOUCH_VALUE(vec_sum, vec a UNUSED)
TOUCH_VALUE(vec_greatest, vec a UNUSED)
#undef UNUSED
#undef TOUCH_VALUE

VEC_FN VecSplit vec_split(vec x)
{
    return (VecSplit){x, x};
}

// The touching function of an operation at this level: hyp_touch_gemm_avx2.
#define TOUCH_FN(op) TOUCH_NAME(op, HYP_TOUCH_LEVEL)
#define TOUCH_NAME(op, level) TOUCH_JOIN(op, level)
#define TOUCH_JOIN(op, level) hyp_touch_##op##_##level

#endif
