// SPDX-License-Identifier: Apache-2.0
#include "hyperion/planners.h"

#include "common/fail.h"
#include "scheduler/order_search.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

// States are numbered by int, with slots for twice as many.
static const size_t most_states_ever = INT_MAX / 4;

static void keep(HyperionOrderPlan *plan, const HypOrderWalk *walk, size_t peak_bytes,
                 const char *strategy, int *order)
{
    if (peak_bytes >= plan->peak_bytes)
        return;
    plan->peak_bytes = peak_bytes;
    plan->strategy = strategy;
    memcpy(order, walk->run, (size_t)walk->run_count * sizeof *order);
}

static size_t run_given(HypOrderWalk *walk)
{
    size_t peak = 0;
    for (int i = 0; i < walk->graph->count; i++) {
        const size_t during = hyp_order_walk_during(walk, walk->graph->sorted[i]);
        peak = during > peak ? during : peak;
        hyp_order_walk_run(walk, walk->graph->sorted[i]);
    }
    return peak;
}

static void try_heuristics(HypOrderWalk *walk, HyperionOrderPlan *plan, int *order)
{
    keep(plan, walk, run_given(walk), "given", order);
    hyp_order_walk_back(walk, 0);
    keep(plan, walk, hyp_order_walk_run_greedy(walk, true), "least-peak", order);
    hyp_order_walk_back(walk, 0);
    keep(plan, walk, hyp_order_walk_run_greedy(walk, false), "least-left", order);
}

static bool plan_order(HypOrderWalk *walk, const HyperionOrderRequest *request,
                       HyperionOrderPlan *plan, int *order)
{
    plan->peak_bytes = SIZE_MAX;
    plan->lower_bound_bytes = hyp_order_graph_bound(walk->graph, request->in_place);
    try_heuristics(walk, plan, order);
    if (plan->peak_bytes > plan->lower_bound_bytes && request->most_states > 0) {
        HypOrderSearch search = {.most_states = request->most_states < most_states_ever
                                                    ? request->most_states
                                                    : most_states_ever,
                                 .bound_bytes = plan->lower_bound_bytes,
                                 .peak_bytes = plan->peak_bytes,
                                 .order = order};
        if (!hyp_order_search(walk, &search))
            return false;
        plan->states = search.states;
        plan->lower_bound_bytes = search.bound_bytes;
        plan->peak_bytes = search.peak_bytes;
        plan->strategy = search.improved ? "search" : plan->strategy;
    }
    plan->status = plan->peak_bytes == plan->lower_bound_bytes ? HYPERION_PLAN_OPTIMAL
                                                               : HYPERION_PLAN_FEASIBLE;
    plan->valid = true;
    return true;
}

// Whether that is the order's peak; in debug builds it is counted. False, last error set, when out
// of memory for that.
static bool check_peak(const HyperionOrderGraph *graph, const int *order, bool in_place,
                       size_t peak_bytes)
{
    bool counted = true;
#ifndef NDEBUG
    const size_t counted_bytes = hyperionOrderPeak(graph, order, in_place);
    counted = counted_bytes == peak_bytes;
    assert(counted || hyperionGetLastErrorKind() == HYPERION_ERROR_MEMORY);
#endif
    (void)graph, (void)order, (void)in_place, (void)peak_bytes;
    return counted;
}

HyperionOrderPlan hyperionPlanOrder(const HyperionOrderGraph *graph,
                                    const HyperionOrderRequest *request, int *order)
{
    HyperionOrderPlan plan = {.strategy = ""};
    if (!request || !order) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "plan order: %s is NULL",
                       request ? "the order" : "the request");
        return plan;
    }
    HypOrderGraph checked;
    HypOrderWalk walk = {0};
    int *found = NULL;
    if (hyp_order_graph_create(&checked, graph) &&
        hyp_order_walk_create(&walk, &checked, request->in_place)) {
        found = calloc((size_t)checked.count + 1, sizeof *found);
        if (!found)
            (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan order: out of memory for %d nodes",
                           checked.count);
        else if (plan_order(&walk, request, &plan, found) &&
                 (plan.valid = check_peak(graph, found, request->in_place, plan.peak_bytes)))
            memcpy(order, found, (size_t)checked.count * sizeof *found);
    }
    free(found);
    hyp_order_walk_free(&walk);
    hyp_order_graph_free(&checked);
    return plan.valid ? plan : (HyperionOrderPlan){.strategy = ""};
}
