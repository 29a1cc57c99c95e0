// SPDX-License-Identifier: Apache-2.0
// stream_loop.h - straight passes over arrays with the vectors of one SIMD level: read, write,
// copy, triad. Included by peak_loop.h, which says what the including file defines; also
//   PEAK_LOAD(at)           a vector from an aligned place
//   PEAK_STORE(at, vector)  and back
// Stores are ordinary ones, as those of the kernels are: a line that is written is read first.
#ifndef HYP_STREAM_LOOP_H
#define HYP_STREAM_LOOP_H

#include "machine/peak_levels.h"

// Vectors in flight: as many as fill the load ports of any level for the few cycles that L1 takes.
enum { STREAM_UNROLL = 4 };
_Static_assert(STREAM_STEP_FLOATS % (STREAM_UNROLL * PEAK_LANES) == 0, "a pass has no tail");

// Between two passes the compiler must think that all memory has changed.
#define STREAM_NEXT_PASS() __asm__ volatile("" ::: "memory")

#define STREAM_LOOP(PATTERN, DO)                                                                   \
    static void stream_##PATTERN(const StreamArrays *arrays, uint64_t passes)                      \
    {                                                                                              \
        float *const a = arrays->a;                                                                \
        const float *const b = arrays->b;                                                          \
        const float *const c = arrays->c;                                                          \
        PEAK_VECTOR constant = PEAK_FILL(0.5F);                                                    \
        PEAK_HIDE(constant);                                                                       \
        for (uint64_t pass = 0; pass < passes; pass++) {                                           \
            for (size_t i = 0; i < arrays->count;) {                                               \
                for (int j = 0; j < STREAM_UNROLL; j++, i += PEAK_LANES)                           \
                    DO(i);                                                                         \
            }                                                                                      \
            STREAM_NEXT_PASS();                                                                    \
        }                                                                                          \
        (void)a, (void)b, (void)c;                                                                 \
    }

// What is loaded must be in a register, and nothing more: a sum would wait for the one before.
#define STREAM_DO_READ(i)                                                                          \
    do {                                                                                           \
        PEAK_VECTOR loaded = PEAK_LOAD(a + (i));                                                   \
        PEAK_HIDE(loaded);                                                                         \
    } while (0)
#define STREAM_DO_WRITE(i) PEAK_STORE(a + (i), constant)
// Hidden, lest the compiler make calls of memcpy of it, which may store past the caches.
#define STREAM_DO_COPY(i)                                                                          \
    do {                                                                                           \
        PEAK_VECTOR loaded = PEAK_LOAD(b + (i));                                                   \
        PEAK_HIDE(loaded);                                                                         \
        PEAK_STORE(a + (i), loaded);                                                               \
    } while (0)
#define STREAM_DO_TRIAD(i)                                                                         \
    PEAK_STORE(a + (i), PEAK_STEP(PEAK_LOAD(c + (i)), constant, PEAK_LOAD(b + (i))))

STREAM_LOOP(read, STREAM_DO_READ)
STREAM_LOOP(write, STREAM_DO_WRITE)
STREAM_LOOP(copy, STREAM_DO_COPY)
STREAM_LOOP(triad, STREAM_DO_TRIAD)

#endif
