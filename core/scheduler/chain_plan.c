// SPDX-License-Identifier: Apache-2.0
// chain_plan.c - hyperionPlanCheckpoints: the dynamic program, then the search where it may find
// better.
#include "common/fail.h"
#include "common/size_math.h"
#include "scheduler/chain_search.h"
#include "scheduler/chain_table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_STAGES = 256 };

static bool check_present(const HyperionChain *chain)
{
    if (!chain)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan checkpoints: chain is NULL");
    if (chain->length < 1 || chain->length > MOST_STAGES)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan checkpoints: %d stages, expected 1 to %d",
                        chain->length, MOST_STAGES);
    return (chain->activation_bytes && chain->saved_bytes && chain->forward_extra_bytes &&
            chain->backward_extra_bytes && chain->forward_time && chain->backward_time) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "plan checkpoints: an array of the chain is NULL");
}

static bool is_time(double time)
{
    return time >= 0 && isfinite(time);
}

// That all of it together fits in a size_t, so that no sum of parts overflows.
static bool check_chain(const HyperionChain *chain)
{
    if (!check_present(chain))
        return false;
    size_t all_bytes = 0;
    bool fits = hyp_size_add(chain->activation_bytes[0], hyp_chain_gradient(chain, 0), &all_bytes);
    for (int i = 1; i <= chain->length; i++) {
        if (chain->saved_bytes[i] < chain->activation_bytes[i])
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "plan checkpoints: stage %d keeps %zu bytes, less than its activation, "
                            "%zu",
                            i, chain->saved_bytes[i], chain->activation_bytes[i]);
        if (!is_time(chain->forward_time[i]) || !is_time(chain->backward_time[i]))
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "plan checkpoints: times of stage %d: %g, %g, expected at least 0", i,
                            chain->forward_time[i], chain->backward_time[i]);
        const size_t parts[] = {chain->activation_bytes[i],
                                hyp_chain_gradient(chain, i),
                                chain->saved_bytes[i],
                                chain->forward_extra_bytes[i],
                                hyp_chain_saving_extra(chain, i),
                                chain->backward_extra_bytes[i]};
        for (size_t part = 0; part < sizeof parts / sizeof *parts; part++)
            fits = fits && hyp_size_add(all_bytes, parts[part], &all_bytes);
    }
    return fits || hyp_fail(HYPERION_ERROR_ARGUMENT, "plan checkpoints: sizes overflow");
}

static double sum_times(const HyperionChain *chain)
{
    double time = 0;
    for (int i = 1; i <= chain->length; i++)
        time += chain->forward_time[i] + chain->backward_time[i];
    return time;
}

// What the least memory any plan of the dynamic program needs is, without a budget.
static bool find_least(const HyperionChain *chain, size_t *least_bytes)
{
    HypChainTable table;
    if (!hyp_chain_table_create(&table, chain, SIZE_MAX))
        return false;
    *least_bytes = hyp_chain_table_whole(&table)->points[0].bytes + chain->activation_bytes[0];
    hyp_chain_table_free(&table);
    return true;
}

// The plan of the table within the budget, if there is one.
static bool plan_by_table(const HyperionChain *chain, size_t budget_bytes, HypChainSteps *steps,
                          size_t *least_bytes)
{
    const size_t input_bytes = chain->activation_bytes[0];
    const size_t free_bytes = budget_bytes < input_bytes ? 0 : budget_bytes - input_bytes;
    HypChainTable table;
    if (!hyp_chain_table_create(&table, chain, free_bytes))
        return false;
    const HypChainCurve *whole = hyp_chain_table_whole(&table);
    const bool feasible = whole->count > 0 && input_bytes <= budget_bytes;
    if (feasible) {
        *least_bytes = whole->points[0].bytes + input_bytes;
        hyp_chain_table_add_steps(&table, free_bytes, steps);
    }
    hyp_chain_table_free(&table);
    return feasible ? !steps->failed : find_least(chain, least_bytes);
}

static bool measure(const HyperionChain *chain, size_t budget_bytes, HyperionChainPlan *plan)
{
    const HyperionChainReplay replay = hyperionReplayChain(chain, plan->steps, plan->step_count);
    (void)budget_bytes;
    assert(!replay.valid || replay.peak_bytes <= budget_bytes);
    plan->time = replay.time;
    plan->extra_forwards = replay.extra_forwards;
    plan->peak_bytes = replay.peak_bytes;
    return replay.valid;
}

// Replaces the plan of the table by a faster one, if there is one.
static bool improve(const HyperionChain *chain, size_t budget_bytes, HyperionChainPlan *plan)
{
    HypChainSteps steps = {0};
    const double below = plan->steps ? plan->time : INFINITY;
    const HypChainAnswer answer = hyp_chain_search(chain, budget_bytes, below, &steps);
    plan->optimal = answer == HYP_CHAIN_FOUND || answer == HYP_CHAIN_NONE;
    if (answer != HYP_CHAIN_FOUND)
        return answer != HYP_CHAIN_FAILED;
    free(plan->steps);
    plan->steps = steps.steps;
    plan->step_count = steps.count;
    return measure(chain, budget_bytes, plan);
}

HyperionChainPlan hyperionPlanCheckpoints(const HyperionChain *chain, size_t budget_bytes)
{
    HyperionChainPlan plan = {0};
    HypChainSteps steps = {0};
    if (!check_chain(chain) || !plan_by_table(chain, budget_bytes, &steps, &plan.least_bytes))
        return (HyperionChainPlan){0};
    plan.steps = steps.steps;
    plan.step_count = steps.count;
    plan.valid = !plan.steps || measure(chain, budget_bytes, &plan);
    plan.optimal = plan.steps && plan.time <= sum_times(chain);
    if (plan.valid && !plan.optimal)
        plan.valid = improve(chain, budget_bytes, &plan);
    if (plan.steps && plan.peak_bytes < plan.least_bytes)
        plan.least_bytes = plan.peak_bytes;
    if (!plan.valid)
        hyperionFreeChainPlan(&plan);
    return plan;
}

void hyperionFreeChainPlan(HyperionChainPlan *plan)
{
    if (!plan)
        return;
    free(plan->steps);
    *plan = (HyperionChainPlan){0};
}
