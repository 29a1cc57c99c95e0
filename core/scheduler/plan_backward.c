// SPDX-License-Identifier: Apache-2.0
// plan_backward.c - backward replays in less memory than all activations take. The model is cut
// into a chain of stages; the chain's plans are the dynamic program's and, of short chains, those
// of the search. Layer by layer, then, activations that a plan drops and makes again stay where
// there is room for them. Beside these, plans that keep everything but what is used last.
#include "scheduler/schedule_front.h"

#include "common/fail.h"
#include "scheduler/chain_table.h"
#include "scheduler/script_remake.h"
#include "scheduler/script_spill.h"
#include "scheduler/script_trim.h"
#include "scheduler/stages.h"

#include <stdlib.h>

enum {
    MOST_BUDGETS = 48,       // that plans are made for
    MOST_SEARCHED = 8,       // stages of a chain that is searched for each of them
    MOST_LONG_SEARCHED = 11, // and for some
    LEVELS = 32              // limits of memory that results are written to disk for
};

typedef struct Replays {
    const HypScheduleGraph *graph;
    const int *order;
    HypStages stages;
    HypScheduleFront *front;
    HypScript script, changed;
    HypTimeline timeline;
    HypTrim trim;
} Replays;

static void run_stage(Replays *replays, int stage)
{
    for (int i = replays->stages.first[stage]; i < replays->stages.first[stage + 1]; i++)
        hyp_script_add(&replays->script, replays->order[i], false);
}

static void visit_stage(Replays *replays, int stage)
{
    for (int i = replays->stages.first[stage + 1]; i-- > replays->stages.first[stage];)
        hyp_script_add(&replays->script, replays->order[i], true);
}

// What of the steps says how long activations stay follows from the script itself.
static void write_script(Replays *replays, const HyperionChainStep *steps, size_t step_count)
{
    hyp_script_clear(&replays->script);
    for (size_t i = 0; i < step_count; i++)
        for (int stage = steps[i].first; stage <= steps[i].last; stage++) {
            if (steps[i].op == HYPERION_CHAIN_BACKWARD)
                visit_stage(replays, stage);
            else if (steps[i].op != HYPERION_CHAIN_DROP)
                run_stage(replays, stage);
        }
}

static bool offer(Replays *replays, const HyperionChainStep *steps, size_t step_count)
{
    write_script(replays, steps, step_count);
    if (replays->script.failed ||
        !hyp_script_obey(&replays->trim, replays->graph, &replays->script) ||
        !hyp_timeline_read(&replays->timeline, replays->graph, &replays->script))
        return false;
    const size_t limit_bytes = replays->timeline.peak_bytes;
    if (!hyp_script_keep_more(&replays->trim, replays->graph, &replays->script, &replays->timeline,
                              limit_bytes))
        return false;
    const bool optimal =
        replays->timeline.recomputed_layers == 0 && replays->timeline.restored_bytes == 0;
    return hyp_schedule_front_offer(replays->front, replays->graph, &replays->script,
                                    &replays->timeline, optimal);
}

// The fastest within a budget where checkpoints may be dropped and made again.
static bool offer_searched(Replays *replays, size_t budget_bytes)
{
    HyperionChainPlan plan = hyperionPlanCheckpoints(&replays->stages.chain, budget_bytes);
    const bool offered = plan.valid && (!plan.steps || offer(replays, plan.steps, plan.step_count));
    hyperionFreeChainPlan(&plan);
    return offered;
}

static bool offer_budget(Replays *replays, const HypChainTable *table, size_t bytes, int number)
{
    const int length = replays->stages.chain.length;
    HypChainSteps steps = {0};
    hyp_chain_table_add_steps(table, bytes, &steps);
    bool offered = !steps.failed && offer(replays, steps.steps, steps.count);
    free(steps.steps);
    if (length <= MOST_SEARCHED || (length <= MOST_LONG_SEARCHED && number % 8 == 0))
        offered = offered && offer_searched(replays, bytes);
    return offered;
}

// Every stage keeps all.
static bool offer_store_all(Replays *replays)
{
    const int length = replays->stages.chain.length;
    const HyperionChainStep steps[] = {{HYPERION_CHAIN_FORWARD_KEEP_ALL, 1, length}};
    write_script(replays, steps, 1);
    for (int stage = length; stage >= 1; stage--)
        visit_stage(replays, stage);
    if (replays->script.failed ||
        !hyp_script_obey(&replays->trim, replays->graph, &replays->script) ||
        !hyp_timeline_read(&replays->timeline, replays->graph, &replays->script) ||
        !hyp_schedule_front_offer(replays->front, replays->graph, &replays->script,
                                  &replays->timeline, replays->timeline.recomputed_layers == 0))
        return false;
    replays->front->store_all_bytes = replays->front->points[replays->front->count - 1].bytes;
    replays->front->store_all_ns = replays->timeline.time_ns;
    return true;
}

static bool offer_changed(Replays *replays)
{
    return hyp_timeline_read(&replays->timeline, replays->graph, &replays->changed) &&
           hyp_schedule_front_offer(replays->front, replays->graph, &replays->changed,
                                    &replays->timeline, false);
}

// Everything kept, but what is not needed for longest on disk, or, where that may not be, made
// again: also within stages, which the plans of the chain make and visit as a whole.
static bool offer_levels(Replays *replays)
{
    const HypScheduleGraph *graph = replays->graph;
    const size_t least = graph->lower_bound_bytes;
    const size_t most = replays->timeline.peak_bytes;
    bool offered = true;
    for (int level = 1; offered && level <= LEVELS && least < most; level++) {
        const size_t limit_bytes = most - (size_t)((double)(most - least) * level / LEVELS);
        bool complete = true;
        if (graph->may_spill)
            offered = hyp_script_spill(&replays->changed, &replays->script, graph, limit_bytes);
        else
            offered = hyp_script_remake(&replays->changed, &replays->script, graph, limit_bytes,
                                        &complete);
        if (offered && complete)
            offered = offer_changed(replays);
    }
    return offered;
}

static bool offer_budgets(Replays *replays)
{
    HypChainTable table;
    if (!hyp_chain_table_create(&table, &replays->stages.chain, SIZE_MAX))
        return false;
    const HypChainCurve *whole = hyp_chain_table_whole(&table);
    const size_t count = whole->count < MOST_BUDGETS ? whole->count : MOST_BUDGETS;
    bool offered = true;
    for (size_t i = 0; offered && i < count; i++) {
        const size_t at = count > 1 ? i * (whole->count - 1) / (count - 1) : 0;
        offered = offer_budget(replays, &table, whole->points[at].bytes, (int)i);
    }
    hyp_chain_table_free(&table);
    return offered;
}

bool hyp_plan_backward(HypScheduleFront *front, const HypScheduleGraph *graph, const int *order,
                       int count)
{
    Replays replays = {.graph = graph, .order = order, .front = front};
    bool planned =
        hyp_timeline_create(&replays.timeline, graph) && hyp_trim_create(&replays.trim, graph);
    if (planned && count == 0)
        planned = hyp_timeline_read(&replays.timeline, graph, &replays.script) &&
                  hyp_schedule_front_offer(front, graph, &replays.script, &replays.timeline, true);
    else if (planned)
        planned = hyp_stages_create(&replays.stages, graph, order, count) &&
                  offer_store_all(&replays) &&
                  (!(graph->may_spill || graph->may_recompute) || offer_levels(&replays)) &&
                  (!graph->may_recompute || offer_budgets(&replays));
    hyp_stages_free(&replays.stages);
    hyp_timeline_free(&replays.timeline);
    hyp_trim_free(&replays.trim);
    hyp_script_free(&replays.script);
    hyp_script_free(&replays.changed);
    return planned;
}
