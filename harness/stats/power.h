// SPDX-License-Identifier: Apache-2.0
// power.h - which effects a Mann-Whitney comparison can see, by seeded simulation.
// Model: times of both sides are log-normal with the same variation (standard deviation / mean, >
// 0) and those of one side are 1 + effect times as large. A change is seen where the two-sided test
// (AUTO, no ties) gives p <= alpha, which is corrected for the other tests, and the Hodges-Lehmann
// ratio is at least 1 + least_effect, what matters at all (0.02 = 2 %; 0 anything).
#ifndef HYP_POWER_H
#define HYP_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The standard error of a probability of 0.8 is then 0.9 %, of 0.95 0.5 %.
enum { POWER_TRIALS = 2000, POWER_MOST_SAMPLES = 10000 };

// Pairs of samples of standard normal logarithms: the shift of the one from which on the test
// rejects, infinite where it cannot, and the Hodges-Lehmann shift between them.
typedef struct PowerTrials {
    double rejection[POWER_TRIALS], centre[POWER_TRIALS];
} PowerTrials;

// Counts are 1 .. POWER_MOST_SAMPLES. Takes about 1 ms a sample: one simulation serves all cells
// with these counts. False: out of memory.
bool stat_power_simulate(PowerTrials *trials, size_t base_count, size_t new_count, double alpha,
                         uint64_t seed);

// The smallest effect seen with that probability, 0..1; infinite where the samples are too few to
// reject at all.
double stat_visible_effect(const PowerTrials *trials, double variation, double least_effect,
                           double probability);

// Probability to see that effect, > 0.
double stat_power(const PowerTrials *trials, double variation, double least_effect, double effect);

typedef struct PowerGoal {
    double effect, probability, least_effect, alpha;
} PowerGoal;

// Samples a side that reach the goal; 0: more than `most`, the effect is not above least_effect, or
// out of memory.
size_t stat_samples_needed(const PowerGoal *goal, double variation, size_t most, uint64_t seed);

#endif
