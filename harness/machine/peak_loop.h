// SPDX-License-Identifier: Apache-2.0
// peak_loop.h - multiply-adds on registers alone, with 4 to 16 independent chains. Compiled once a
// SIMD level; the file that includes it defines
//   PEAK_VECTOR             register type; PEAK_LANES, floats in it
//   PEAK_FILL(value)        all lanes
//   PEAK_STEP(acc, x, y)    acc * x + y, as the kernels of the level do it
//   PEAK_REGISTER           constraint letter of its registers
//   PEAK_LEVEL              name of the PeakLevel to define; PEAK_ID, its HyperionSIMDLevel
//   PEAK_INSTRUCTIONS       what the step is made of, for people
// and what stream_loop.h asks for besides.
// A chain needs no register but its accumulator, so no other form of a product can issue more. The
// accumulators are variables, not an array: clang would keep an array in memory.
#ifndef HYP_PEAK_LOOP_H
#define HYP_PEAK_LOOP_H

#include "machine/peak_levels.h"

// The compiler must take the value as one it knows nothing of, in a register.
#define PEAK_HIDE(value) __asm__ volatile("" : "+" PEAK_REGISTER(value))

#include "machine/stream_loop.h"

#define PEAK_CHAINS_4(DO)                                                                          \
    DO(0);                                                                                         \
    DO(1);                                                                                         \
    DO(2);                                                                                         \
    DO(3)
#define PEAK_CHAINS_6(DO)                                                                          \
    PEAK_CHAINS_4(DO);                                                                             \
    DO(4);                                                                                         \
    DO(5)
#define PEAK_CHAINS_8(DO)                                                                          \
    PEAK_CHAINS_6(DO);                                                                             \
    DO(6);                                                                                         \
    DO(7)
#define PEAK_CHAINS_10(DO)                                                                         \
    PEAK_CHAINS_8(DO);                                                                             \
    DO(8);                                                                                         \
    DO(9)
#define PEAK_CHAINS_12(DO)                                                                         \
    PEAK_CHAINS_10(DO);                                                                            \
    DO(10);                                                                                        \
    DO(11)
#define PEAK_CHAINS_14(DO)                                                                         \
    PEAK_CHAINS_12(DO);                                                                            \
    DO(12);                                                                                        \
    DO(13)
#define PEAK_CHAINS_16(DO)                                                                         \
    PEAK_CHAINS_14(DO);                                                                            \
    DO(14);                                                                                        \
    DO(15)

// From any start the value tends to 1: no denormal, no infinity.
#define PEAK_START(i)                                                                              \
    PEAK_VECTOR acc##i = PEAK_FILL(1.5F);                                                          \
    PEAK_HIDE(acc##i)
#define PEAK_ADVANCE(i) acc##i = PEAK_STEP(acc##i, x, y)
#define PEAK_KEEP(i) PEAK_HIDE(acc##i)

// Four steps of every chain between two jumps.
enum { PEAK_STEPS = 4 };
#define PEAK_LOOP(CHAINS)                                                                          \
    static void run_chains_##CHAINS(uint64_t rounds)                                               \
    {                                                                                              \
        PEAK_VECTOR x = PEAK_FILL(0.5F);                                                           \
        PEAK_VECTOR y = PEAK_FILL(0.5F);                                                           \
        PEAK_HIDE(x);                                                                              \
        PEAK_HIDE(y);                                                                              \
        PEAK_CHAINS_##CHAINS(PEAK_START);                                                          \
        for (uint64_t round = 0; round < rounds; round++) {                                        \
            PEAK_CHAINS_##CHAINS(PEAK_ADVANCE);                                                    \
            PEAK_CHAINS_##CHAINS(PEAK_ADVANCE);                                                    \
            PEAK_CHAINS_##CHAINS(PEAK_ADVANCE);                                                    \
            PEAK_CHAINS_##CHAINS(PEAK_ADVANCE);                                                    \
        }                                                                                          \
        PEAK_CHAINS_##CHAINS(PEAK_KEEP);                                                           \
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
    .flops_a_chain = 2.0 * PEAK_STEPS * PEAK_LANES,
    .loops = {{4, run_chains_4},
              {6, run_chains_6},
              {8, run_chains_8},
              {10, run_chains_10},
              {12, run_chains_12},
              {14, run_chains_14},
              {16, run_chains_16}},
    .streams = {stream_read, stream_write, stream_copy, stream_triad},
};

#endif
