// SPDX-License-Identifier: Apache-2.0
#include "hyperion/planners.h"

#include "common/fail.h"
#include "memory/exact_search.h"
#include "platform/platform.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// The lowest plan so far, in `offsets`; `trial` is as large.
typedef struct Best {
    HyperionOffsetPlan plan;
    size_t *offsets;
    size_t *trial;
    size_t count;
} Best;

static void keep(Best *best, size_t height_bytes, const char *strategy)
{
    memcpy(best->offsets, best->trial, best->count * sizeof *best->offsets);
    best->plan.height_bytes = height_bytes;
    best->plan.strategy = strategy;
}

static bool try_strategies(const HypPlacement *placement, Best *best)
{
    best->plan.height_bytes = SIZE_MAX;
    for (int i = 0; hyp_placement_strategy(i); i++) {
        const HypPlacementStrategy *strategy = hyp_placement_strategy(i);
        const size_t height = hyp_placement_run(placement, strategy, best->trial);
        if (height == SIZE_MAX)
            return false;
        if (height < best->plan.height_bytes)
            keep(best, height, strategy->name);
        if (height == best->plan.lower_bound_bytes)
            break;
    }
    return true;
}

static size_t find_height(const HypPlacement *placement, const size_t *offsets)
{
    size_t height = 0;
    for (size_t i = 0; i < placement->count; i++) {
        const HypSpan span = placement->sections.spans[i];
        const size_t end = offsets[i] + placement->buffers[i].size_bytes;
        if (span.first < span.end && end > height)
            height = end;
    }
    return height;
}

// One question to the search; what it answers goes into `best`. HYP_SEARCH_NONE raises the bound to
// the next height there can be.
static HypSearchAnswer ask(const HypPlacement *placement, size_t capacity_bytes,
                           HypSearchLimits *limits, Best *best)
{
    const HypSearchAnswer answer =
        hyp_search_capacity(placement, capacity_bytes, limits, best->trial);
    if (answer == HYP_SEARCH_FOUND)
        keep(best, find_height(placement, best->trial), "search");
    const size_t unit = hyp_placement_unit(placement);
    const size_t next_bytes = capacity_bytes - capacity_bytes % unit + unit;
    if (answer == HYP_SEARCH_NONE && next_bytes > best->plan.lower_bound_bytes)
        best->plan.lower_bound_bytes = next_bytes;
    return answer;
}

// Lowers the plan by halves of what lies between it and what is known or was asked in vain.
static bool search_lowest(const HypPlacement *placement, HypSearchLimits *limits, Best *best)
{
    const uint64_t all_nodes = limits->most_nodes;
    const size_t unit = hyp_placement_unit(placement);
    size_t floor_bytes = best->plan.lower_bound_bytes; // the next to ask for
    bool proving = true;                               // the floor is the bound
    while (floor_bytes < best->plan.height_bytes && limits->nodes < all_nodes) {
        const size_t gap_bytes = best->plan.height_bytes - floor_bytes;
        const size_t capacity_bytes = proving ? floor_bytes : floor_bytes + (gap_bytes - 1) / 2;
        // A quarter of what is left for each question, so that the next ones get some.
        if (all_nodes != UINT64_MAX)
            limits->most_nodes = limits->nodes + (all_nodes - limits->nodes) / 4 + 1;
        const HypSearchAnswer answer = ask(placement, capacity_bytes, limits, best);
        if (answer == HYP_SEARCH_FAILED)
            return false;
        if (limits->end_ns != UINT64_MAX && hyp_platform_now_ns() >= limits->end_ns)
            break;
        if (answer != HYP_SEARCH_FOUND)
            floor_bytes = capacity_bytes - capacity_bytes % unit + unit;
        proving = answer == HYP_SEARCH_NONE;
    }
    return true;
}

static HypSearchLimits set_limits(const HyperionOffsetRequest *request)
{
    HypSearchLimits limits = {UINT64_MAX, UINT64_MAX, 0};
    if (request->effort < 1)
        limits.most_nodes = (uint64_t)(2e4 * pow(2500, (double)request->effort));
    if (request->time_limit_s > 0)
        limits.end_ns = hyp_platform_now_ns() + (uint64_t)(request->time_limit_s * 1e9);
    return limits;
}

static bool search(const HypPlacement *placement, const HyperionOffsetRequest *request, Best *best,
                   HypSearchAnswer *answer)
{
    HypSearchLimits limits = set_limits(request);
    bool searched = true;
    *answer = HYP_SEARCH_UNKNOWN;
    if (request->effort > 0 && hyp_search_is_possible(placement, best->plan.height_bytes)) {
        if (request->capacity_bytes > 0)
            *answer = ask(placement, request->capacity_bytes, &limits, best);
        else
            searched = search_lowest(placement, &limits, best);
    } else if (request->capacity_bytes > 0 &&
               request->capacity_bytes < best->plan.lower_bound_bytes) {
        *answer = HYP_SEARCH_NONE;
    }
    best->plan.nodes = limits.nodes;
    return searched && *answer != HYP_SEARCH_FAILED;
}

static HyperionPlanStatus find_status(const HyperionOffsetRequest *request, const Best *best,
                                      HypSearchAnswer answer)
{
    if (best->plan.height_bytes == best->plan.lower_bound_bytes &&
        (request->capacity_bytes == 0 || best->plan.height_bytes <= request->capacity_bytes))
        return HYPERION_PLAN_OPTIMAL;
    if (request->capacity_bytes == 0 || best->plan.height_bytes <= request->capacity_bytes)
        return HYPERION_PLAN_FEASIBLE;
    return answer == HYP_SEARCH_NONE ? HYPERION_PLAN_INFEASIBLE : HYPERION_PLAN_NOT_FOUND;
}

static bool plan(const HypPlacement *placement, const HyperionOffsetRequest *request, Best *best)
{
    HypSearchAnswer answer = HYP_SEARCH_UNKNOWN;
    best->plan.lower_bound_bytes = hyp_sections_lower_bound(&placement->sections);
    if (!try_strategies(placement, best))
        return false;
    const size_t enough =
        request->capacity_bytes > 0 ? request->capacity_bytes : best->plan.lower_bound_bytes;
    if (best->plan.height_bytes > enough && !search(placement, request, best, &answer))
        return false;
    best->plan.status = find_status(request, best, answer);
    if (best->plan.status == HYPERION_PLAN_INFEASIBLE ||
        best->plan.status == HYPERION_PLAN_NOT_FOUND) {
        best->plan.height_bytes = 0;
        best->plan.strategy = "";
    }
    best->plan.valid = true;
    return true;
}

static bool check_arguments(const HyperionBuffer *buffers, size_t count,
                            const HyperionOffsetRequest *request, const size_t *offsets)
{
    if (!request || (count > 0 && (!buffers || !offsets)))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan offsets: %s is NULL",
                        !request   ? "the request"
                        : !buffers ? "buffers"
                                   : "offsets");
    if (!(request->effort >= 0 && request->effort <= 1))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan offsets: effort %g, expected 0 to 1",
                        (double)request->effort);
    return (request->time_limit_s >= 0 && request->time_limit_s < 1e9) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "plan offsets: time limit %g s, expected 0 to 1e9",
                    request->time_limit_s);
}

HyperionOffsetPlan hyperionPlanOffsets(const HyperionBuffer *buffers, size_t count,
                                       const HyperionOffsetRequest *request, size_t *offsets)
{
    Best best = {.plan = {.strategy = ""}, .count = count};
    HypPlacement placement = {.buffers = buffers, .count = count};
    if (!check_arguments(buffers, count, request, offsets) ||
        !hyp_sections_create(&placement.sections, buffers, count))
        return (HyperionOffsetPlan){.strategy = ""};
    best.offsets = calloc(count + 1, sizeof *best.offsets);
    best.trial = calloc(count + 1, sizeof *best.trial);
    bool planned = false;
    if (best.offsets && best.trial)
        planned = plan(&placement, request, &best);
    else
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan offsets: out of memory for %zu buffers", count);
    if (planned && best.plan.height_bytes > 0) {
        assert(hyperionCheckOffsets(buffers, count, best.offsets, best.plan.height_bytes));
        memcpy(offsets, best.offsets, count * sizeof *offsets);
    }
    free(best.trial);
    free(best.offsets);
    hyp_sections_free(&placement.sections);
    return planned ? best.plan : (HyperionOffsetPlan){.strategy = ""};
}

const char *hyperionPlacementStrategyName(int index)
{
    const HypPlacementStrategy *strategy = hyp_placement_strategy(index);
    return strategy ? strategy->name : NULL;
}

size_t hyperionPlaceByStrategy(int index, const HyperionBuffer *buffers, size_t count,
                               size_t *offsets)
{
    static const HyperionOffsetRequest none = {0};
    const HypPlacementStrategy *strategy = hyp_placement_strategy(index);
    HypPlacement placement = {.buffers = buffers, .count = count};
    size_t height = SIZE_MAX;
    if (!strategy)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "plan offsets: no strategy %d", index);
    else if (check_arguments(buffers, count, &none, offsets) &&
             hyp_sections_create(&placement.sections, buffers, count))
        height = hyp_placement_run(&placement, strategy, offsets);
    hyp_sections_free(&placement.sections);
    return height;
}
