// SPDX-License-Identifier: Apache-2.0
// peak_levels.h - the loops that find what one core can do, one file a SIMD level: multiply-adds on
// registers alone, and straight passes over memory.
#ifndef HYP_PEAK_LEVELS_H
#define HYP_PEAK_LEVELS_H

#include "hyperion/types.h"

enum { PEAK_LOOP_COUNT = 7 };

typedef enum StreamPattern {
    STREAM_READ,  // a
    STREAM_WRITE, // a = constant
    STREAM_COPY,  // a = b
    STREAM_TRIAD, // a = b + constant * c (McCalpin's STREAM)
    STREAM_PATTERN_COUNT
} StreamPattern;

// Arrays of a pass; `count` floats each, a multiple of STREAM_STEP_FLOATS, aligned to cache lines.
// A pattern takes as many of them as it has letters above.
typedef struct StreamArrays {
    float *a, *b, *c;
    size_t count;
} StreamArrays;

enum { STREAM_STEP_FLOATS = 64 };

typedef struct PeakLevel {
    HyperionSIMDLevel level;
    const char *instructions;
    double flops_a_chain; // floating-point operations of one chain in one round
    struct {
        int chains;
        void (*run)(uint64_t rounds);
    } loops[PEAK_LOOP_COUNT];
    void (*streams[STREAM_PATTERN_COUNT])(const StreamArrays *arrays, uint64_t passes);
} PeakLevel;

extern const PeakLevel peak_scalar;
#if defined(__x86_64__)
extern const PeakLevel peak_sse41, peak_avx2, peak_avx512;
#endif

// Every level that this program was built with, from the least to the most.
extern const PeakLevel *const peak_levels[];
extern const size_t peak_level_count;

#endif
