// SPDX-License-Identifier: Apache-2.0
#include "machine/peak_levels.h"

#include <immintrin.h>

#define PEAK_VECTOR __m256
#define PEAK_LANES 8
#define PEAK_FILL(value) _mm256_set1_ps(value)
#define PEAK_STEP(acc, x, y) _mm256_fmadd_ps(acc, x, y)
#define PEAK_LOAD(at) _mm256_load_ps(at)
#define PEAK_STORE(at, vector) _mm256_store_ps(at, vector)
#define PEAK_REGISTER "x"
#define PEAK_LEVEL peak_avx2
#define PEAK_ID HYPERION_SIMD_AVX2
#define PEAK_INSTRUCTIONS "vfmadd ymm"
#include "machine/peak_loop.h"
