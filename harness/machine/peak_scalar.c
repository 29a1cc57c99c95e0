// SPDX-License-Identifier: Apache-2.0
#include "machine/peak_levels.h"

#define PEAK_VECTOR float
#define PEAK_LANES 1
#define PEAK_FILL(value) (value)
#define PEAK_STEP(acc, x, y) ((acc) * (x) + (y))
#define PEAK_LOAD(at) (*(at))
#define PEAK_STORE(at, vector) (*(at) = (vector))
#if defined(__x86_64__)
#define PEAK_REGISTER "x"
#else
#define PEAK_REGISTER "w"
#endif
#define PEAK_LEVEL peak_scalar
#define PEAK_ID HYPERION_SIMD_SCALAR
#define PEAK_INSTRUCTIONS "one product, one sum"
#include "machine/peak_loop.h"
