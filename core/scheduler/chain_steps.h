// SPDX-License-Identifier: Apache-2.0
// chain_steps.h - the steps of a plan while it is made.
#ifndef HYP_CHAIN_STEPS_H
#define HYP_CHAIN_STEPS_H

#include "hyperion/planners.h"

typedef struct HypChainSteps {
    HyperionChainStep *steps;
    size_t count, room;
    bool failed; // out of memory: what was added since is lost
} HypChainSteps;

// Stages first..last; nothing where last < first. A step that goes on where the last one of its
// kind ended becomes part of it. Frees the steps when out of memory.
void hyp_chain_steps_add(HypChainSteps *steps, HyperionChainOp op, int first, int last);

// What a gradient, and a stage that runs forward keeping all, take.
static inline size_t hyp_chain_gradient(const HyperionChain *chain, int activation)
{
    return chain->gradient_bytes ? chain->gradient_bytes[activation]
                                 : chain->activation_bytes[activation];
}

static inline size_t hyp_chain_saving_extra(const HyperionChain *chain, int stage)
{
    return chain->saving_extra_bytes ? chain->saving_extra_bytes[stage]
                                     : chain->forward_extra_bytes[stage];
}

#endif
