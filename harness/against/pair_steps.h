// SPDX-License-Identifier: Apache-2.0
// pair_steps.h - a list of jobs, each for one side of a pair, and how it is done; private to
// harness/against.
#ifndef HYP_PAIR_STEPS_H
#define HYP_PAIR_STEPS_H

#include "against/pair.h"

typedef struct PairSteps {
    Job *jobs; // of input->plan
    PairSide *sides;
    bool *done; // what progress wants to know: nothing is
    size_t count;
} PairSteps;

// Room for `count` steps; pair_steps_clear in every case.
bool pair_steps_reserve(PairSteps *steps, size_t count, Problem *problem);
void pair_steps_clear(PairSteps *steps);
void pair_steps_add(PairSteps *steps, Job job, PairSide side);

// Adds one round: the cells for which `wanted` is true, shuffled, and of each cell the sides in an
// order of their own. `state` is that of splitmix.
bool pair_steps_add_round(PairSteps *steps, const Pair *pair, int round,
                          bool (*wanted)(const Pair *pair, size_t cell, int round),
                          uint64_t *state);

typedef struct PairDoer {
    // Takes over the sample; false ends it, and the problem says why.
    bool (*keep)(void *context, PairSide side, Sample *sample, Problem *problem);
    void *context;
} PairDoer;

// Does the steps in their order; those of a cell that failed, or that BASE does not know, are left
// out. False: the problem says why. An interruption is told by pair->interrupted alone.
bool pair_steps_do(Pair *pair, const PairSteps *steps, const PairDoer *doer, Problem *problem);

#endif
