// SPDX-License-Identifier: Apache-2.0
// chain_table.h - the least time to reverse each part of a chain, by the bytes there are, where a
// checkpoint stays until its backward step: rotor's dynamic program. The time as a function of the
// bytes is a staircase, kept by its steps: exact for bytes of any size.
#ifndef HYP_CHAIN_TABLE_H
#define HYP_CHAIN_TABLE_H

#include "scheduler/chain_steps.h"

// With so many bytes beside the input of the part, or more.
typedef struct HypChainPoint {
    size_t bytes;
    double time;
    int checkpoint; // the stage whose input becomes the next checkpoint; 0: the first stage keeps
                    // all
} HypChainPoint;

// Bytes rise, times fall.
typedef struct HypChainCurve {
    HypChainPoint *points;
    size_t count;
} HypChainCurve;

typedef struct HypChainTable {
    const HyperionChain *chain;
    HypChainCurve *curves; // of stages first..last, at first * (length + 1) + last
    size_t most_points;    // a curve; past it some are left out
    bool exact;            // none were
} HypChainTable;

// Only what fits in most_bytes. False, last error set and nothing to free, when out of memory. The
// chain must be checked, and outlive the table.
bool hyp_chain_table_create(HypChainTable *table, const HyperionChain *chain, size_t most_bytes);
void hyp_chain_table_free(HypChainTable *table);

// Of the whole chain; its bytes are beside activation 0.
const HypChainCurve *hyp_chain_table_whole(const HypChainTable *table);

// The steps of the fastest plan within so many bytes beside activation 0; there is one.
void hyp_chain_table_add_steps(const HypChainTable *table, size_t bytes, HypChainSteps *steps);

#endif
