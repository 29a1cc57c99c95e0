// SPDX-License-Identifier: Apache-2.0
#include "machine/peak_levels.h"

#include <immintrin.h>

#define PEAK_VECTOR __m128
#define PEAK_LANES 4
#define PEAK_FILL(value) _mm_set1_ps(value)
#define PEAK_STEP(acc, x, y) _mm_add_ps(_mm_mul_ps(acc, x), y)
#define PEAK_LOAD(at) _mm_load_ps(at)
#define PEAK_STORE(at, vector) _mm_store_ps(at, vector)
#define PEAK_REGISTER "x"
#define PEAK_LEVEL peak_sse41
#define PEAK_ID HYPERION_SIMD_SSE41
#define PEAK_INSTRUCTIONS "mulps, addps"
#include "machine/peak_loop.h"
