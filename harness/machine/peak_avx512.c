// SPDX-License-Identifier: Apache-2.0
#include "machine/peak_levels.h"

#include <immintrin.h>

#define PEAK_VECTOR __m512
#define PEAK_LANES 16
#define PEAK_FILL(value) _mm512_set1_ps(value)
#define PEAK_STEP(acc, x, y) _mm512_fmadd_ps(acc, x, y)
#define PEAK_LOAD(at) _mm512_load_ps(at)
#define PEAK_STORE(at, vector) _mm512_store_ps(at, vector)
#define PEAK_REGISTER "v"
#define PEAK_LEVEL peak_avx512
#define PEAK_ID HYPERION_SIMD_AVX512
#define PEAK_INSTRUCTIONS "vfmadd zmm"
#include "machine/peak_loop.h"
