// SPDX-License-Identifier: Apache-2.0
// vec_avx512.h - the vector vocabulary at level AVX-512: sixteen lanes. Contract: level/README.md.
#ifndef HYP_VEC_AVX512_H
#define HYP_VEC_AVX512_H

#include "trace/trace_note.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_LEVEL avx512
#define VEC_LANES ((size_t)16)
#define VEC_FN static inline __attribute__((always_inline))

#include "level/one_float.h" // after VEC_FN

typedef __m512 vec;
typedef struct VecSplit {
    vec mantissa, exponent;
} VecSplit;

VEC_FN __mmask16 vec_first_lanes(size_t count)
{
    return (__mmask16)(count < 16 ? (1U << count) - 1U : 0xffffU);
}
VEC_FN vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
VEC_FN vec vec_load_even(const float *p)
{
    const __m512i even =
        _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    return _mm512_permutex2var_ps(_mm512_loadu_ps(p), even, _mm512_loadu_ps(p + 16));
}
VEC_FN vec vec_load_part(const float *p, size_t count)
{
    VEC_NOTE_READ(p, count);
    return _mm512_maskz_loadu_ps(vec_first_lanes(count), p);
}
VEC_FN void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}
VEC_FN void vec_store_part(float *p, vec v, size_t count)
{
    VEC_NOTE_WRITE(p, count);
    _mm512_mask_storeu_ps(p, vec_first_lanes(count), v);
}
VEC_FN vec vec_keep(vec v, size_t count)
{
    return _mm512_maskz_mov_ps(vec_first_lanes(count), v);
}
VEC_FN vec vec_set(float x)
{
    return _mm512_set1_ps(x);
}
VEC_FN vec vec_zero(void)
{
    return _mm512_setzero_ps();
}
VEC_FN vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}
VEC_FN vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}
VEC_FN vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}
VEC_FN vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}
VEC_FN vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}
VEC_FN vec vec_fnma(vec a, vec b, vec c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
VEC_FN vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}
VEC_FN vec vec_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}
VEC_FN vec vec_abs(vec a)
{
    return _mm512_abs_ps(a);
}
VEC_FN vec vec_copysign(vec magnitude, vec sign)
{
    const __m512 bit = _mm512_set1_ps(-0.0F);
    return _mm512_or_ps(_mm512_andnot_ps(bit, magnitude), _mm512_and_ps(bit, sign));
}
VEC_FN vec vec_sqrt(vec a)
{
    return _mm512_sqrt_ps(a);
}
VEC_FN vec vec_select_lt(vec a, vec b, vec yes, vec no)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
VEC_FN vec vec_select_nan(vec x, vec yes, vec no)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), no, yes);
}
// 0x3f2aaaab: the bits of 2/3.
VEC_FN VecSplit vec_split(vec x)
{
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i places = _mm512_sub_epi32(bits, _mm512_set1_epi32(0x3f2aaaab));
    const __m512i exponent = _mm512_srai_epi32(places, 23);
    const __m512i mantissa = _mm512_sub_epi32(bits, _mm512_slli_epi32(exponent, 23));
    return (VecSplit){_mm512_castsi512_ps(mantissa), _mm512_cvtepi32_ps(exponent)};
}
VEC_FN vec vec_round(vec a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
VEC_FN vec vec_pow2(vec n)
{
    return _mm512_scalef_ps(_mm512_set1_ps(1.0F), n);
}
VEC_FN vec vec_scale(vec a, vec n)
{
    return _mm512_scalef_ps(a, n);
}
VEC_FN float vec_sum(vec a)
{
    return _mm512_reduce_add_ps(a);
}
VEC_FN float vec_greatest(vec a)
{
    return _mm512_reduce_max_ps(a);
}
VEC_FN void vec_prefetch(const void *p)
{
    VEC_NOTE_PREFETCH(p);
    _mm_prefetch((const char *)p, _MM_HINT_T0);
}

#endif
