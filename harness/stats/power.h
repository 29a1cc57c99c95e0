// SPDX-License-Identifier: Apache-2.0
// power.h - which effects a Mann-Whitney comparison can see, by seeded simulation.
#ifndef HYP_POWER_H
#define HYP_POWER_H

#include <stddef.h>
#include <stdint.h>

// Model: times of both sides are log-normal with the same variation, and those of one side are
// 1 + effect times as large. A change is seen where the two-sided test (AUTO, no ties) gives
// p <= alpha and the Hodges-Lehmann ratio is at least 1 + least_effect.
typedef struct PowerQuestion {
    size_t base_count, new_count; // samples a side, 1 .. 10,000
    double variation;             // standard deviation / mean of one side, > 0
    double alpha;                 // of this test, corrected for the others
    double least_effect;          // that matters at all: 0.02 = 2 %; 0 none
    uint64_t seed;
} PowerQuestion;

// The smallest effect seen with that probability; infinite where the samples are too few to reject
// at all; NAN: out of memory. The simulation is off by about 1 % of the probability.
double stat_visible_effect(const PowerQuestion *question, double probability);

// Probability to see that effect; NAN: out of memory.
double stat_power(const PowerQuestion *question, double effect);

// Samples a side that see the effect with that probability (the question's counts do not matter);
// 0: more than `most`, the effect is not above least_effect, or out of memory.
size_t stat_samples_needed(const PowerQuestion *question, double effect, double probability,
                           size_t most);

#endif
