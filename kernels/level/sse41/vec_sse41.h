// SPDX-License-Identifier: Apache-2.0
// vec_sse41.h - the vector vocabulary at level SSE4.1: four lanes, no fused multiply-add.
// Contract: level/README.md.
#ifndef HYP_VEC_SSE41_H
#define HYP_VEC_SSE41_H

#include "trace/trace_note.h"

#include <smmintrin.h>
#include <stddef.h>

#define VEC_LEVEL sse41
#define VEC_LANES ((size_t)4)
#define VEC_FN static inline __attribute__((always_inline))

#include "level/one_float.h" // after VEC_FN

typedef __m128 vec;
typedef struct VecSplit {
    vec mantissa, exponent;
} VecSplit;

VEC_FN vec vec_load(const float *p)
{
    return _mm_loadu_ps(p);
}
VEC_FN vec vec_load_even(const float *p)
{
    return _mm_shuffle_ps(_mm_loadu_ps(p), _mm_loadu_ps(p + 4), 0x88);
}
VEC_FN vec vec_load_part(const float *p, size_t count)
{
    switch (count) {
    case 0: return _mm_setzero_ps();
    case 1: return _mm_set_ss(p[0]);
    case 2: {
        const float first = p[0]; // in order: arguments may be evaluated in any
        return _mm_setr_ps(first, p[1], 0.0F, 0.0F);
    }
    case 3: {
        const float first = p[0];
        const float second = p[1];
        return _mm_setr_ps(first, second, p[2], 0.0F);
    }
    default: return _mm_loadu_ps(p);
    }
}
VEC_FN void vec_store(float *p, vec v)
{
    _mm_storeu_ps(p, v);
}
VEC_FN void vec_store_part(float *p, vec v, size_t count)
{
    switch (count) {
    case 0: break;
    case 3:
        VEC_NOTE_WRITE(p, 2);
        _mm_storel_pi((__m64 *)(void *)p, v);
        _mm_store_ss(p + 2, _mm_movehl_ps(v, v));
        break;
    case 2:
        VEC_NOTE_WRITE(p, 2);
        _mm_storel_pi((__m64 *)(void *)p, v);
        break;
    case 1: _mm_store_ss(p, v); break;
    default: _mm_storeu_ps(p, v); break;
    }
}
VEC_FN vec vec_keep(vec v, size_t count)
{
    const size_t kept = count < 4 ? count : 4;
    const __m128i lanes = _mm_cmpgt_epi32(_mm_set1_epi32((int)kept), _mm_setr_epi32(0, 1, 2, 3));
    return _mm_and_ps(v, _mm_castsi128_ps(lanes));
}
VEC_FN vec vec_set(float x)
{
    return _mm_set1_ps(x);
}
VEC_FN vec vec_zero(void)
{
    return _mm_setzero_ps();
}
VEC_FN vec vec_add(vec a, vec b)
{
    return _mm_add_ps(a, b);
}
VEC_FN vec vec_sub(vec a, vec b)
{
    return _mm_sub_ps(a, b);
}
VEC_FN vec vec_mul(vec a, vec b)
{
    return _mm_mul_ps(a, b);
}
VEC_FN vec vec_div(vec a, vec b)
{
    return _mm_div_ps(a, b);
}
VEC_FN vec vec_fma(vec a, vec b, vec c)
{
    return _mm_add_ps(_mm_mul_ps(a, b), c);
}
VEC_FN vec vec_fnma(vec a, vec b, vec c)
{
    return _mm_sub_ps(c, _mm_mul_ps(a, b));
}
VEC_FN vec vec_max(vec a, vec b)
{
    return _mm_max_ps(a, b);
}
VEC_FN vec vec_min(vec a, vec b)
{
    return _mm_min_ps(a, b);
}
VEC_FN vec vec_abs(vec a)
{
    return _mm_andnot_ps(_mm_set1_ps(-0.0F), a);
}
VEC_FN vec vec_copysign(vec magnitude, vec sign)
{
    const __m128 bit = _mm_set1_ps(-0.0F);
    return _mm_or_ps(_mm_andnot_ps(bit, magnitude), _mm_and_ps(bit, sign));
}
VEC_FN vec vec_sqrt(vec a)
{
    return _mm_sqrt_ps(a);
}
VEC_FN vec vec_select_lt(vec a, vec b, vec yes, vec no)
{
    return _mm_blendv_ps(no, yes, _mm_cmplt_ps(a, b));
}
VEC_FN vec vec_select_nan(vec x, vec yes, vec no)
{
    return _mm_blendv_ps(no, yes, _mm_cmpunord_ps(x, x));
}
// 0x3f2aaaab: the bits of 2/3.
VEC_FN VecSplit vec_split(vec x)
{
    const __m128i bits = _mm_castps_si128(x);
    const __m128i places = _mm_sub_epi32(bits, _mm_set1_epi32(0x3f2aaaab));
    const __m128i exponent = _mm_srai_epi32(places, 23);
    const __m128i mantissa = _mm_sub_epi32(bits, _mm_slli_epi32(exponent, 23));
    return (VecSplit){_mm_castsi128_ps(mantissa), _mm_cvtepi32_ps(exponent)};
}
VEC_FN vec vec_round(vec a)
{
    return _mm_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
VEC_FN vec vec_pow2_of_int(__m128i n)
{
    return _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(n, _mm_set1_epi32(127)), 23));
}
VEC_FN vec vec_pow2(vec n)
{
    return vec_pow2_of_int(_mm_cvtps_epi32(n));
}
// In two steps: 2^n itself may be past the range of normal floats.
VEC_FN vec vec_scale(vec a, vec n)
{
    const __m128i whole = _mm_cvtps_epi32(n);
    const __m128i half = _mm_srai_epi32(whole, 1);
    return _mm_mul_ps(_mm_mul_ps(a, vec_pow2_of_int(half)),
                      vec_pow2_of_int(_mm_sub_epi32(whole, half)));
}
VEC_FN float vec_sum(vec a)
{
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
}
VEC_FN float vec_greatest(vec a)
{
    a = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)));
}
VEC_FN void vec_prefetch(const void *p)
{
    VEC_NOTE_PREFETCH(p);
    _mm_prefetch((const char *)p, _MM_HINT_T0);
}

#endif
