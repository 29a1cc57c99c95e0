// SPDX-License-Identifier: Apache-2.0
// pair.h - two workers and one harness: every cell is taken with both in turn, so that whatever
// drifts meets both alike.
#ifndef HYP_PAIR_H
#define HYP_PAIR_H

#include "against/sample_size.h"
#include "run/cell_request.h"
#include "run/runner.h"

typedef enum PairSide { PAIR_BASE, PAIR_NEW, PAIR_SIDES } PairSide;

typedef struct PairInput {
    const Plan *plan;              // of the scenario as NEW reads it
    RunnerTools tools[PAIR_SIDES]; // their launch starts the side's worker; the rest is NEW's
    RequestGround ground;          // the same for both
    SampleSizeGoal goal;
    FILE *progress; // NULL = silent
} PairInput;

typedef struct PairCell {
    bool known;          // to the worker of BASE; without it the cell is NEW's alone
    bool failed;         // on either side: no further samples
    char reason[512];    // why BASE does not know it; ""
    uint64_t iterations; // the larger of the two pilots', for both sides
    double variation;    // between processes, from the pilot: see sample_size.h; NAN unknown
    double highest_ghz;  // of the samples so far; NAN none yet
} PairCell;

typedef struct PairSamples {
    Sample *samples;
    size_t count;
} PairSamples;

// What is known before the first sample that counts.
typedef struct Pair {
    const PairInput *input;
    Plan *plans[PAIR_SIDES];      // with the cells the side knows and the samples each sweep gets
    PairCell *cells;              // in the order of input->plan
    SampleSize *sizes;            // a sweep of input->plan
    PairSamples held[PAIR_SIDES]; // verifications and pilots: part of every comparison
    bool interrupted;
    size_t taken;
} Pair;

// Asks both workers for their protocol, verifies every cell with both, finds iteration counts and,
// from a few samples that do not count, how many samples each sweep needs. True with
// pair->interrupted set when it was asked to stop. The caller calls pair_clear in every case.
bool pair_prepare(const PairInput *input, Pair *pair, Problem *problem);
void pair_clear(Pair *pair);

// How the sides of one comparison are recorded.
typedef struct PairRecord {
    const char *directory;
    json_t *machine;
    const char *topology_xml; // NULL = none
} PairRecord;

// Takes the samples of one comparison into two run directories, which must not hold runs yet: in
// every round each cell once with either worker, in an order shuffled by `seed`. True, with both
// directories complete as far as they go, also when it was interrupted.
bool pair_take(Pair *pair, uint64_t seed, const PairRecord *records, Problem *problem);

// What the comparison rests on, cell by cell, as JSON; NULL: out of memory.
json_t *pair_describe(const Pair *pair);

#endif
