// SPDX-License-Identifier: Apache-2.0
// revolve.c - checkpoints of a chain of equal stages: Griewank and Walther, "Algorithm 799:
// revolve", ACM TOMS 26 (2000).
#include "common/fail.h"
#include "scheduler/chain_steps.h"

#include <stdlib.h>

enum { MOST_STEPS = 10000000 };

// Stages first..last to be reversed with so many checkpoints, the first one's input among them.
typedef struct Part {
    int first, last;
    int checkpoints;
} Part;

__extension__ typedef __int128 Wide;

// Binomial(checkpoints + repeats, checkpoints): as many stages can be reversed if none runs
// forward more than `repeats` times before it is reversed.
static Wide count_reach(int checkpoints, int repeats)
{
    Wide reach = repeats < 0 ? 0 : 1;
    for (int r = 1; r <= repeats; r++)
        reach = reach * ((Wide)checkpoints + r) / r;
    return reach;
}

static int find_repeats(int steps, int checkpoints)
{
    Wide reach = 1;
    int repeats = 0;
    while (reach < steps) {
        repeats++;
        reach = reach * ((Wide)checkpoints + repeats) / repeats;
    }
    return repeats;
}

// How many stages to run forward to the next checkpoint: the least m for which neither what lies
// behind it, with one checkpoint less, nor the m stages themselves are out of reach.
static int choose_advance(int steps, int checkpoints)
{
    const int repeats = find_repeats(steps, checkpoints);
    const Wide behind = count_reach(checkpoints - 1, repeats);
    const int least = (int)count_reach(checkpoints, repeats - 2);
    const int advance = behind < steps ? steps - (int)behind : 1;
    return advance > least ? advance : least;
}

static void reverse_stage(HypChainSteps *steps, int stage)
{
    hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD_KEEP_ALL, stage, stage);
    hyp_chain_steps_add(steps, HYPERION_CHAIN_BACKWARD, stage, stage);
}

// Each stage anew from the only checkpoint.
static void reverse_from_first(HypChainSteps *steps, Part part)
{
    for (int stage = part.last; stage >= part.first; stage--) {
        if (stage > part.first)
            hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD_KEEP_INPUT, part.first, part.first);
        hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD, part.first + 1, stage - 1);
        reverse_stage(steps, stage);
    }
}

// With a checkpoint for each input but that of the last stage, which is there anyway.
static void reverse_all_kept(HypChainSteps *steps, Part part)
{
    hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD_KEEP_INPUT, part.first, part.last - 1);
    for (int stage = part.last; stage >= part.first; stage--)
        reverse_stage(steps, stage);
}

static void reverse(HypChainSteps *steps, Part whole, Part *waiting)
{
    size_t count = 0;
    waiting[count++] = whole;
    while (count > 0 && !steps->failed) {
        const Part part = waiting[--count];
        const int length = part.last - part.first + 1;
        if (part.checkpoints >= length - 1) {
            reverse_all_kept(steps, part);
        } else if (part.checkpoints == 1) {
            reverse_from_first(steps, part);
        } else {
            const int next = part.first + choose_advance(length, part.checkpoints);
            hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD_KEEP_INPUT, part.first, part.first);
            hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD, part.first + 1, next - 1);
            waiting[count++] = (Part){part.first, next - 1, part.checkpoints};
            waiting[count++] = (Part){next, part.last, part.checkpoints - 1};
        }
    }
}

static bool check_arguments(int steps, int checkpoints)
{
    if (steps < 1 || steps > MOST_STEPS)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan checkpoints: %d steps, expected 1 to %d",
                        steps, MOST_STEPS);
    return checkpoints >= 1 ||
           hyp_fail(HYPERION_ERROR_ARGUMENT,
                    "plan checkpoints: %d checkpoints, expected at least 1: the input of the chain",
                    checkpoints);
}

uint64_t hyperionCountUniformForwards(int steps, int checkpoints)
{
    if (!check_arguments(steps, checkpoints))
        return UINT64_MAX;
    const int repeats = find_repeats(steps, checkpoints);
    const Wide spared = repeats > 0 ? count_reach(checkpoints + 1, repeats - 1) : 0;
    return (uint64_t)((Wide)repeats * steps - spared);
}

HyperionChainPlan hyperionPlanUniformCheckpoints(int steps, int checkpoints)
{
    HyperionChainPlan plan = {0};
    if (!check_arguments(steps, checkpoints))
        return plan;
    // More than one a stage are no use.
    const Part whole = {1, steps, checkpoints < steps ? checkpoints : steps};
    HypChainSteps made = {0};
    Part *waiting = calloc((size_t)whole.checkpoints + 1, sizeof *waiting);
    if (!waiting) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan checkpoints: out of memory for %d checkpoints",
                       whole.checkpoints);
        return plan;
    }
    reverse(&made, whole, waiting);
    free(waiting);
    if (made.failed)
        return plan;
    plan.steps = made.steps;
    plan.step_count = made.count;
    plan.extra_forwards = hyperionCountUniformForwards(steps, checkpoints);
    plan.time = (double)plan.extra_forwards + steps;
    plan.peak_bytes = (size_t)(steps == 1                      ? 1
                               : whole.checkpoints < steps - 1 ? whole.checkpoints
                                                               : steps - 1);
    plan.least_bytes = 1;
    plan.optimal = true;
    plan.valid = true;
    return plan;
}
