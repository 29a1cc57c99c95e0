// SPDX-License-Identifier: Apache-2.0
// sample_size.h - how many samples a comparison takes, decided once from a pilot: a gate that looks
// while it samples cries wolf more often than it says.
#ifndef HYP_SAMPLE_SIZE_H
#define HYP_SAMPLE_SIZE_H

#include <stddef.h>
#include <stdint.h>

enum {
    SAMPLE_SIZE_LEAST = 8, // fewer can never pass a corrected test
    SAMPLE_SIZE_USUAL_MOST = 64,
    SAMPLE_SIZE_PILOT = 5 // samples a side of the pilot: 8 degrees of freedom
};

typedef struct SampleSizeGoal {
    double effect;       // slowdown to be seen, 0.05 = 5 %
    double least_effect; // that matters at all, below `effect`
    double probability;  // to see it
    double alpha;        // of the whole family of tests
    size_t most;         // samples a cell and side, at least SAMPLE_SIZE_LEAST
    uint64_t seed;       // of the simulation
} SampleSizeGoal;

typedef struct SampleSize {
    double variation;      // the greatest of the cells, see sample_size_variation; NAN: none
    size_t samples;        // a cell and side
    double visible_effect; // with so many: seen with the probability of the goal; NAN unknown
} SampleSize;

// Standard deviation over mean of both sides together, from the pilot's times of each: the upper
// end of its 80 % confidence, because a pilot that errs low makes a deaf gate. NAN: not two times
// on a side.
double sample_size_variation(const double *base_ns, size_t base_count, const double *new_ns,
                             size_t new_count);

// For cells of at most that variation, in a family of that many tests. An unknown variation
// takes the least; where even `most` samples are too few, those.
SampleSize sample_size_choose(const SampleSizeGoal *goal, double variation, size_t family);

#endif
