// SPDX-License-Identifier: Apache-2.0
// random_fill.h - reproducible input data.
#ifndef HYP_RANDOM_FILL_H
#define HYP_RANDOM_FILL_H

#include <stddef.h>
#include <stdint.h>

// Fills values[count] uniformly from [-1, 1) and returns the seed to continue with. The generator
// is SplitMix64 (Steele, Lea and Flood 2014): one seed gives the same data everywhere.
static inline uint64_t random_fill(float *values, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t mixed = seed;
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        mixed ^= mixed >> 31;
        values[i] = (float)(mixed >> 40) * 0x1p-23F - 1; // 24 bits: exact
    }
    return seed;
}

#endif
