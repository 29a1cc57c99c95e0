// SPDX-License-Identifier: Apache-2.0
// splitmix.h - seeded random numbers: one seed gives the same ones everywhere.
#ifndef HYP_SPLITMIX_H
#define HYP_SPLITMIX_H

#include <stddef.h>
#include <stdint.h>

// Vigna's splitmix64 (public domain, prng.di.unimi.it): any seed will do, also 0.
static inline uint64_t splitmix_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

// Uniform in (0, 1): 53 bits, never an end.
static inline double splitmix_unit(uint64_t *state)
{
    return ((double)(splitmix_next(state) >> 11) + 0.5) * 0x1p-53;
}

// Uniform in 0 .. count - 1. The modulo favours small numbers by at most count / 2^64.
static inline size_t splitmix_below(uint64_t *state, size_t count)
{
    return (size_t)(splitmix_next(state) % count);
}

#endif
