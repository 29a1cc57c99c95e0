// SPDX-License-Identifier: Apache-2.0
// vec_avx2.h - the vector vocabulary at level AVX2 + FMA: eight lanes. Contract: level/README.md.
#ifndef HYP_VEC_AVX2_H
#define HYP_VEC_AVX2_H

#include "trace/trace_note.h"

#include <immintrin.h>
#include <stddef.h>

#define VEC_LEVEL avx2
#define VEC_LANES ((size_t)8)
#define VEC_FN static inline __attribute__((always_inline))

#include "level/one_float.h" // after VEC_FN

typedef __m256 vec;
typedef struct VecSplit {
    vec mantissa, exponent;
} VecSplit;

// Eight lanes of which the first `count` have all bits set. Made in registers: a table of masks
// would be one more line that competes for the first level.
VEC_FN __m256i vec_first_lanes(size_t count)
{
    const size_t kept = count < 8 ? count : 8;
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)kept),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
VEC_FN vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
VEC_FN vec vec_load_even(const float *p)
{
    const __m256 pairs = _mm256_shuffle_ps(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8), 0x88);
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(pairs), 0xD8));
}
#if defined(HYP_KERNELS_CALLGRIND)
// Callgrind does not see what masked instructions read and write.
VEC_FN vec vec_load_part(const float *p, size_t count)
{
    float lanes[8] = {0};
    for (size_t i = 0; i < count && i < 8; i++)
        lanes[i] = p[i];
    return _mm256_loadu_ps(lanes);
}
VEC_FN void vec_store_part(float *p, vec v, size_t count)
{
    float lanes[8];
    _mm256_storeu_ps(lanes, v);
    for (size_t i = 0; i < count && i < 8; i++)
        p[i] = lanes[i];
}
#else
VEC_FN vec vec_load_part(const float *p, size_t count)
{
    VEC_NOTE_READ(p, count);
    return _mm256_maskload_ps(p, vec_first_lanes(count));
}
VEC_FN void vec_store_part(float *p, vec v, size_t count)
{
    VEC_NOTE_WRITE(p, count);
    _mm256_maskstore_ps(p, vec_first_lanes(count), v);
}
#endif
VEC_FN void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}
VEC_FN vec vec_keep(vec v, size_t count)
{
    return _mm256_and_ps(v, _mm256_castsi256_ps(vec_first_lanes(count)));
}
VEC_FN vec vec_set(float x)
{
    return _mm256_set1_ps(x);
}
VEC_FN vec vec_zero(void)
{
    return _mm256_setzero_ps();
}
VEC_FN vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}
VEC_FN vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}
VEC_FN vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}
VEC_FN vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}
#if defined(HYP_KERNELS_CALLGRIND) // which takes 15 times as long over a fused one
VEC_FN vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_add_ps(_mm256_mul_ps(a, b), c);
}
VEC_FN vec vec_fnma(vec a, vec b, vec c)
{
    return _mm256_sub_ps(c, _mm256_mul_ps(a, b));
}
#else
VEC_FN vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}
VEC_FN vec vec_fnma(vec a, vec b, vec c)
{
    return _mm256_fnmadd_ps(a, b, c);
}
#endif
VEC_FN vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}
VEC_FN vec vec_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}
VEC_FN vec vec_abs(vec a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a);
}
VEC_FN vec vec_copysign(vec magnitude, vec sign)
{
    const __m256 bit = _mm256_set1_ps(-0.0F);
    return _mm256_or_ps(_mm256_andnot_ps(bit, magnitude), _mm256_and_ps(bit, sign));
}
VEC_FN vec vec_sqrt(vec a)
{
    return _mm256_sqrt_ps(a);
}
VEC_FN vec vec_select_lt(vec a, vec b, vec yes, vec no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
VEC_FN vec vec_select_nan(vec x, vec yes, vec no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}
// 0x3f2aaaab: the bits of 2/3.
VEC_FN VecSplit vec_split(vec x)
{
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i places = _mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f2aaaab));
    const __m256i exponent = _mm256_srai_epi32(places, 23);
    const __m256i mantissa = _mm256_sub_epi32(bits, _mm256_slli_epi32(exponent, 23));
    return (VecSplit){_mm256_castsi256_ps(mantissa), _mm256_cvtepi32_ps(exponent)};
}
VEC_FN vec vec_round(vec a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
VEC_FN vec vec_pow2_of_int(__m256i n)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}
VEC_FN vec vec_pow2(vec n)
{
    return vec_pow2_of_int(_mm256_cvtps_epi32(n));
}
// In two steps: 2^n itself may be past the range of normal floats.
VEC_FN vec vec_scale(vec a, vec n)
{
    const __m256i whole = _mm256_cvtps_epi32(n);
    const __m256i half = _mm256_srai_epi32(whole, 1);
    return _mm256_mul_ps(_mm256_mul_ps(a, vec_pow2_of_int(half)),
                         vec_pow2_of_int(_mm256_sub_epi32(whole, half)));
}
VEC_FN float vec_sum(vec a)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
VEC_FN float vec_greatest(vec a)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
VEC_FN void vec_prefetch(const void *p)
{
    VEC_NOTE_PREFETCH(p);
    _mm_prefetch((const char *)p, _MM_HINT_T0);
}

#endif
