// SPDX-License-Identifier: Apache-2.0
// seeded_values.h - weights that come from a seed: any of them, at any time, without those before.
#ifndef HYP_SEEDED_VALUES_H
#define HYP_SEEDED_VALUES_H

#include <stddef.h>
#include <stdint.h>

// Values uniform in middle +- spread.
typedef struct HypSeededValues {
    uint64_t seed;
    float middle;
    float spread;
} HypSeededValues;

void hyp_seeded_values_fill(const HypSeededValues *values, float *out, size_t count);

// The seed of the values that follow `count` values of `seed`.
uint64_t hyp_seeded_values_skip(uint64_t seed, size_t count);

#endif
