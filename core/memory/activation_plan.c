// SPDX-License-Identifier: Apache-2.0
#include "memory/activation_plan.h"

#include "hyperion/planners.h"

#include "common/fail.h"
#include "memory/lifetimes.h"
#include "model/run_plan.h"

#include <assert.h>
#include <stdlib.h>

static void place_groups(const HyperionModel *model, const HypLifetimes *lifetimes,
                         const size_t *offsets, HypActivationFacts *facts, HypRunPlan *plan)
{
    for (int i = 0; i < model->tensor_count; i++) {
        if (lifetimes->group_of[i] < 0)
            continue;
        plan->offsets[i] = offsets[lifetimes->group_of[i]] + lifetimes->offset_of[i];
        facts->tensor_count++;
    }
    plan->activation_bytes = facts->planned_bytes;
    facts->place_count = (int)lifetimes->group_count;
    facts->in_place_count = lifetimes->in_place_count;
    facts->slice_count = lifetimes->slice_count;
    facts->apart_bytes = lifetimes->apart_bytes;
}

// The places that came with the plan stay.
static void keep_given(const HyperionModel *model, const HypRunPlan *plan,
                       HypActivationFacts *facts)
{
    for (int i = 0; i < model->tensor_count; i++)
        facts->tensor_count += plan->offsets[i] != SIZE_MAX;
    facts->place_count = facts->tensor_count;
    facts->apart_bytes = hyp_run_plan_place_apart(model, NULL);
    facts->planned_bytes = plan->activation_bytes;
    facts->lower_bound_bytes = plan->activation_bytes;
}

static bool share_memory(const HyperionModel *model, const HypActivationSettings *settings,
                         HypRunPlan *plan, HypActivationFacts *facts)
{
    HypLifetimes lifetimes;
    if (!hyp_lifetimes_create(&lifetimes, model, plan, settings->in_place))
        return false;
    const HyperionOffsetRequest request = {.effort = settings->effort};
    size_t *offsets = calloc(lifetimes.group_count + 1, sizeof *offsets);
    HyperionOffsetPlan placed = {.valid = false};
    if (offsets)
        placed = hyperionPlanOffsets(lifetimes.groups, lifetimes.group_count, &request, offsets);
    else
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
    if (placed.valid && placed.height_bytes > plan->activation_bytes) {
        keep_given(model, plan, facts);
        facts->lower_bound_bytes = placed.lower_bound_bytes < plan->activation_bytes
                                       ? placed.lower_bound_bytes
                                       : plan->activation_bytes;
    } else if (placed.valid) {
        facts->planned_bytes = placed.height_bytes;
        facts->lower_bound_bytes = placed.lower_bound_bytes;
        place_groups(model, &lifetimes, offsets, facts, plan);
    }
    free(offsets);
    hyp_lifetimes_free(&lifetimes);
    return placed.valid;
}

bool hyp_activation_plan_make(const HyperionModel *model, const HypActivationSettings *settings,
                              HypRunPlan *plan, HypActivationFacts *facts)
{
    *facts = (HypActivationFacts){0};
    if (plan->placings) {
        keep_given(model, plan, facts); // a layer scheduler's, which are checked there
        return true;
    }
    if (!settings->share)
        keep_given(model, plan, facts);
    else if (!share_memory(model, settings, plan, facts))
        return false;
#ifndef NDEBUG
    if (!hyp_activation_plan_check(model, plan)) {
        assert(hyperionGetLastErrorKind() == HYPERION_ERROR_MEMORY); // of the check itself
        return false;
    }
#endif
    return true;
}
