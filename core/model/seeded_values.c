// SPDX-License-Identifier: Apache-2.0
#include "model/seeded_values.h"

// SplitMix64 (Steele, Lea and Flood 2014): its state is a counter, so value i needs no other.
static const uint64_t step = 0x9e3779b97f4a7c15U;

static uint64_t mix(uint64_t state)
{
    state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9U;
    state = (state ^ state >> 27) * 0x94d049bb133111ebU;
    return state ^ state >> 31;
}

void hyp_seeded_values_fill(const HypSeededValues *values, float *out, size_t count)
{
    const float unit = values->spread / (float)(1 << 23); // 24 random bits, centred
    for (size_t i = 0; i < count; i++) {
        const uint64_t random = mix(hyp_seeded_values_skip(values->seed, i + 1));
        const int32_t bits = (int32_t)(random >> 40) - (1 << 23);
        out[i] = values->middle + (float)bits * unit;
    }
}

uint64_t hyp_seeded_values_skip(uint64_t seed, size_t count)
{
    return seed + step * count;
}
