// SPDX-License-Identifier: Apache-2.0
// peak_loop.h - multiply-adds on registers alone, with 4 to 16 independent chains. Compiled once a
// SIMD level; the file that includes it defines
//   PEAK_VECTOR             register type
//   PEAK_FILL(value)        all lanes
//   PEAK_STEP(acc, x, y)    acc * x + y, as the kernels of the level do it
//   PEAK_REGISTER           constraint letter of its registers
//   PEAK_LEVEL              name of the PeakLevel to define; PEAK_ID, its HyperionSIMDLevel
//   PEAK_INSTRUCTIONS       what the step is made of, for people
// A chain needs no register but its accumulator, so no form of a product can issue more.
#ifndef HYP_PEAK_LOOP_H
#define HYP_PEAK_LOOP_H

#include "machine/peak_levels.h"

// The compiler must take the value as one it knows nothing of, in a register.
#define PEAK_HIDE(value) __asm__ volatile("" : "+" PEAK_REGISTER(value))

enum { PEAK_STEPS = 4 }; // steps of every chain between two jumps

// `chains` is a constant wherever this is inlined, so that the array becomes registers. From any
// start the value tends to 1: no denormal, no infinity.
static inline __attribute__((always_inline)) void run_chains(int chains, uint64_t rounds)
{
    PEAK_VECTOR acc[16];
    PEAK_VECTOR x = PEAK_FILL(0.5F);
    PEAK_VECTOR y = PEAK_FILL(0.5F);
    PEAK_HIDE(x);
    PEAK_HIDE(y);
    for (int i = 0; i < chains; i++) {
        acc[i] = PEAK_FILL(1.5F);
        PEAK_HIDE(acc[i]);
    }
    for (uint64_t round = 0; round < rounds; round++)
#pragma GCC unroll 4
        for (int step = 0; step < PEAK_STEPS; step++)
#pragma GCC unroll 16
            for (int i = 0; i < chains; i++)
                acc[i] = PEAK_STEP(acc[i], x, y);
    for (int i = 0; i < chains; i++)
        PEAK_HIDE(acc[i]);
}

#define PEAK_LOOP(CHAINS)                                                                          \
    static void run_chains_##CHAINS(uint64_t rounds)                                               \
    {                                                                                              \
        run_chains(CHAINS, rounds);                                                                \
    }
PEAK_LOOP(4)
PEAK_LOOP(6)
PEAK_LOOP(8)
PEAK_LOOP(10)
PEAK_LOOP(12)
PEAK_LOOP(14)
PEAK_LOOP(16)

const PeakLevel PEAK_LEVEL = {
    .level = PEAK_ID,
    .instructions = PEAK_INSTRUCTIONS,
    .flops_a_chain = 2.0 * PEAK_STEPS * (double)(sizeof(PEAK_VECTOR) / sizeof(float)),
    .loops = {{4, run_chains_4},
              {6, run_chains_6},
              {8, run_chains_8},
              {10, run_chains_10},
              {12, run_chains_12},
              {14, run_chains_14},
              {16, run_chains_16}},
};

#endif
