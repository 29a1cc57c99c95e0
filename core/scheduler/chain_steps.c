// SPDX-License-Identifier: Apache-2.0
#include "scheduler/chain_steps.h"

#include "common/fail.h"

#include <stdlib.h>

static bool make_room(HypChainSteps *steps)
{
    if (steps->steps && steps->count < steps->room)
        return true;
    const size_t room = steps->room ? 2 * steps->room : 64;
    HyperionChainStep *larger = realloc(steps->steps, room * sizeof *larger);
    if (!larger) {
        free(steps->steps);
        *steps = (HypChainSteps){.failed = true};
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan checkpoints: out of memory for %zu steps",
                        room);
    }
    steps->steps = larger;
    steps->room = room;
    return true;
}

void hyp_chain_steps_add(HypChainSteps *steps, HyperionChainOp op, int first, int last)
{
    if (steps->failed || last < first)
        return;
    HyperionChainStep *latest = steps->count ? &steps->steps[steps->count - 1] : NULL;
    const bool forward = op != HYPERION_CHAIN_BACKWARD && op != HYPERION_CHAIN_DROP;
    if (latest && forward && latest->op == op && latest->last + 1 == first)
        latest->last = last;
    else if (make_room(steps))
        steps->steps[steps->count++] = (HyperionChainStep){op, first, last};
}
