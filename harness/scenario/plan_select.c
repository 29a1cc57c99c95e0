// SPDX-License-Identifier: Apache-2.0
#include "scenario/plan.h"

#include "scenario/plan_build.h"

#include <stdlib.h>
#include <string.h>

void plan_set_seed(Plan *plan, uint64_t seed)
{
    plan->seed = seed;
    plan_seal(plan);
}

void plan_set_samples(Plan *plan, size_t sweep, int samples)
{
    SweepSettings *settings = &plan->sweeps[sweep].settings;
    settings->samples = samples;
    settings_drop_counters(settings);
    plan_seal(plan);
}

static bool is_wanted(const char *id, const char *const *ids)
{
    for (size_t i = 0; ids[i]; i++)
        if (strcmp(id, ids[i]) == 0)
            return true;
    return false;
}

static bool check_ids(const Plan *plan, const char *const *ids, Problem *problem)
{
    for (size_t i = 0; ids[i]; i++) {
        bool found = false;
        for (size_t j = 0; j < plan->cell_count && !found; j++)
            found = strcmp(plan->cells[j].id, ids[i]) == 0;
        if (!found)
            return problem_set(problem, "%s: no cell '%.512s'; `hyperion plan` lists them",
                               plan->scenario, ids[i]);
    }
    return true;
}

// Keeps the wanted cells of one sweep, moved up to plan->cells[kept...]; returns how many.
static size_t keep_cells(Plan *plan, const PlanSweep *sweep, const char *const *ids, size_t kept)
{
    size_t count = 0;
    for (size_t i = 0; i < sweep->cell_count; i++) {
        Cell *cell = &plan->cells[sweep->first_cell + i];
        if (is_wanted(cell->id, ids))
            plan->cells[kept + count++] = *cell;
        else
            free(cell->id);
    }
    return count;
}

bool plan_keep_cells(Plan *plan, const char *const *ids, Problem *problem)
{
    if (!check_ids(plan, ids, problem))
        return false;
    size_t kept = 0;
    size_t sweeps = 0;
    for (size_t i = 0; i < plan->sweep_count; i++) {
        PlanSweep sweep = plan->sweeps[i];
        const size_t count = keep_cells(plan, &sweep, ids, kept);
        if (count == 0) {
            settings_clear(&sweep.settings);
            continue;
        }
        sweep.first_cell = kept;
        sweep.cell_count = count;
        kept += count;
        plan->sweeps[sweeps++] = sweep;
    }
    plan->sweep_count = sweeps;
    plan->cell_count = kept;
    plan_seal(plan);
    return true;
}
