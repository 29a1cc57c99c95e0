// SPDX-License-Identifier: Apache-2.0
// peak_levels.h - the loops that find the peak of one core, one file a SIMD level.
#ifndef HYP_PEAK_LEVELS_H
#define HYP_PEAK_LEVELS_H

#include "hyperion/types.h"

enum { PEAK_LOOP_COUNT = 7 };

typedef struct PeakLevel {
    HyperionSIMDLevel level;
    const char *instructions;
    double flops_a_chain; // floating-point operations of one chain in one round
    struct {
        int chains;
        void (*run)(uint64_t rounds);
    } loops[PEAK_LOOP_COUNT];
} PeakLevel;

extern const PeakLevel peak_scalar;
#if defined(__x86_64__)
extern const PeakLevel peak_sse41, peak_avx2, peak_avx512;
#endif

#endif
