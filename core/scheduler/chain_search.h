// SPDX-License-Identifier: Apache-2.0
// chain_search.h - the fastest backward pass of a short chain, where checkpoints may also be
// dropped and made again, by a search over what is stored.
#ifndef HYP_CHAIN_SEARCH_H
#define HYP_CHAIN_SEARCH_H

#include "scheduler/chain_steps.h"

typedef enum HypChainAnswer {
    HYP_CHAIN_FOUND,   // `steps` are the fastest plan: proved
    HYP_CHAIN_NONE,    // there is none: proved
    HYP_CHAIN_UNKNOWN, // the chain is too long
    HYP_CHAIN_FAILED   // out of memory, last error set
} HypChainAnswer;

// For a plan within the budget that takes less than `below`; *steps are empty, and stay so unless
// it is found.
HypChainAnswer hyp_chain_search(const HyperionChain *chain, size_t budget_bytes, double below,
                                HypChainSteps *steps);

#endif
