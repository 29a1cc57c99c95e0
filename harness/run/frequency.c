// SPDX-License-Identifier: Apache-2.0
#include "run/frequency.h"

#include <math.h>
#include <stdint.h>

// A chain lasts about 20 us: 400 times what reading the clock costs, a hundredth of the least time
// slice of a scheduler.
enum { CHAINS = 10, CHAIN_BLOCKS = 600, BLOCK_ADDITIONS = 100 };

// The addend is in a register: Golden Cove and later add small constants while renaming, in no
// cycle. The loop's own counter and branch run beside the chain.
static uint64_t add_in_a_chain(void)
{
    uint64_t sum = 0;
    uint64_t addend = 1;
    for (int i = 0; i < CHAIN_BLOCKS; i++) {
#if defined(__x86_64__)
        __asm__ volatile(".rept 100\n\tadd %1, %0\n\t.endr" : "+r"(sum) : "r"(addend) : "cc");
#elif defined(__aarch64__)
        __asm__ volatile(".rept 100\n\tadd %0, %0, %1\n\t.endr" : "+r"(sum) : "r"(addend));
#else
        sum = 0;
        addend = 0;
#endif
    }
    return sum;
}

double frequency_measure_ghz(double (*now_ns)(void))
{
    const uint64_t additions = (uint64_t)CHAIN_BLOCKS * BLOCK_ADDITIONS;
    double fastest_ns = INFINITY;
    for (int i = 0; i < CHAINS; i++) {
        const double start_ns = now_ns();
        const uint64_t done = add_in_a_chain();
        const double elapsed_ns = now_ns() - start_ns;
        if (done != additions)
            return NAN;
        fastest_ns = fmin(fastest_ns, elapsed_ns);
    }
    return fastest_ns > 0 ? (double)additions / fastest_ns : (double)NAN;
}
