// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "scenario/plan.h"

#include "machine/doctor.h"
#include "scenario/plan_build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "hyperion-plan-1";

// A plan without its sweeps, a sweep without its cells.
static json_t *plan_head_to_json(const Plan *plan)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:s}", "schema", schema, "scenario",
                             plan->scenario, "description", plan->description, "seed",
                             (json_int_t)plan->seed, "hash", plan->hash);
    if (plan->required_profile)
        (void)json_object_set_new(json, "require_profile", json_string(plan->required_profile));
    return json;
}

static json_t *sweep_head_to_json(const PlanSweep *sweep)
{
    return json_pack("{s:s, s:s, s:o}", "name", sweep->name, "workload", sweep->workload->name,
                     "settings", settings_to_json(&sweep->settings));
}

static json_t *item_to_json(const Cell *cell)
{
    return json_pack("{s:s, s:o}", "id", cell->id, "axes", cell_axes_to_json(cell));
}

json_t *plan_to_json(const Plan *plan)
{
    json_t *json = plan_head_to_json(plan);
    json_t *sweeps = json_array();
    for (size_t i = 0; i < plan->sweep_count; i++) {
        const PlanSweep *sweep = &plan->sweeps[i];
        json_t *cells = json_array();
        for (size_t j = 0; j < sweep->cell_count; j++)
            (void)json_array_append_new(cells, item_to_json(&plan->cells[sweep->first_cell + j]));
        json_t *head = sweep_head_to_json(sweep);
        (void)json_object_set_new(head, "cells", cells);
        (void)json_array_append_new(sweeps, head);
    }
    (void)json_object_set_new(json, "sweeps", sweeps);
    return json;
}

// Writes an object, which goes, up to its last brace.
static bool write_members(json_t *object, FILE *out)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
    const bool written = text && fprintf(out, "%.*s", (int)strlen(text) - 1, text) >= 0;
    free(text);
    json_decref(object);
    return written;
}

static bool write_sweep(const Plan *plan, const PlanSweep *sweep, FILE *out)
{
    bool written =
        write_members(sweep_head_to_json(sweep), out) && fputs(",\"cells\":[\n", out) >= 0;
    for (size_t i = 0; written && i < sweep->cell_count; i++)
        written = write_members(item_to_json(&plan->cells[sweep->first_cell + i]), out) &&
                  fputs(i + 1 < sweep->cell_count ? "},\n" : "}\n", out) >= 0;
    return written && fputs("]}", out) >= 0;
}

bool plan_write(const Plan *plan, FILE *out)
{
    json_t *head = plan_head_to_json(plan);
    (void)json_object_set_new(head, "cells", json_integer((json_int_t)plan->cell_count));
    (void)json_object_set_new(head, "worker_processes",
                              json_integer((json_int_t)plan_worker_count(plan)));
    (void)json_object_set_new(head, "estimated_duration_s",
                              json_integer((json_int_t)ceil(plan_estimate_ns(plan) / 1e9)));
    // As in the printed plan, the hash comes last.
    (void)json_object_del(head, "hash");
    bool written = write_members(head, out) && fputs(",\"sweeps\":[\n", out) >= 0;
    for (size_t i = 0; written && i < plan->sweep_count; i++)
        written = write_sweep(plan, &plan->sweeps[i], out) &&
                  fputs(i + 1 < plan->sweep_count ? ",\n" : "],\n", out) >= 0;
    return written && fprintf(out, "\"hash\":\"%s\"}\n", plan->hash) >= 0;
}

// The texts of a cell read from JSON belong to the JSON; a plan keeps its own.
static bool keep_cell_texts(Plan *plan, Cell *cell, Problem *problem)
{
    for (AxisId id = 0; id < AXIS_COUNT; id++) {
        if (axis_table[id].kind != AXIS_TEXT || !cell->values[id].text)
            continue;
        cell->values[id].text = plan_keep_text(plan, cell->values[id].text);
        if (!cell->values[id].text)
            return problem_set(problem, "out of memory");
    }
    return true;
}

static bool read_cell(Plan *plan, const PlanSweep *sweep, const json_t *json, Problem *problem)
{
    Cell *cell = &plan->cells[plan->cell_count];
    *cell = (Cell){.workload = sweep->workload};
    if (!cell_axes_from_json(json_object_get(json, "axes"), cell, problem))
        return false;
    plan->cell_count++;
    const char *id = json_string_value(json_object_get(json, "id"));
    if (!id || strcmp(id, cell->id) != 0)
        return problem_set(problem, "plan: cell %zu: expected id %.256s, given %.256s",
                           plan->cell_count - 1, cell->id, id ? id : "none");
    return keep_cell_texts(plan, cell, problem);
}

static bool read_sweep(Plan *plan, PlanSweep *sweep, const json_t *json, Problem *problem)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *workload = json_string_value(json_object_get(json, "workload"));
    const json_t *cells = json_object_get(json, "cells");
    if (!name || !workload || !json_is_array(cells))
        return problem_set(problem, "plan: a sweep needs name, workload and cells");
    sweep->name = plan_keep_text(plan, name);
    sweep->workload = workload_find(workload);
    if (!sweep->name)
        return problem_set(problem, "out of memory");
    if (!sweep->workload)
        return problem_set(problem, "plan: unknown workload '%.64s'", workload);
    sweep->first_cell = plan->cell_count;
    sweep->cell_count = json_array_size(cells);
    if (!settings_from_json(json_object_get(json, "settings"), &sweep->settings, problem) ||
        !plan_reserve_cells(plan, plan->cell_count + sweep->cell_count, problem))
        return false;
    for (size_t i = 0; i < sweep->cell_count; i++)
        if (!read_cell(plan, sweep, json_array_get(cells, i), problem))
            return false;
    return true;
}

static bool read_required_profile(Plan *plan, const json_t *profile, Problem *problem)
{
    size_t index = 0;
    Problem why = {0};
    if (!profile)
        return true;
    if (!json_is_string(profile) || !doctor_find_profile(json_string_value(profile), &index, &why))
        return problem_set(problem, "plan: require_profile: expected laptop, ci or lab");
    plan->required_profile = doctor_profiles[index];
    return true;
}

static bool read_plan(Plan *plan, const json_t *json, Problem *problem)
{
    const char *given = json_string_value(json_object_get(json, "schema"));
    if (!given || strcmp(given, schema) != 0)
        return problem_set(problem, "plan: expected schema %s, given %.64s", schema,
                           given ? given : "none");
    const char *scenario = json_string_value(json_object_get(json, "scenario"));
    const char *description = json_string_value(json_object_get(json, "description"));
    const char *hash = json_string_value(json_object_get(json, "hash"));
    const json_t *seed = json_object_get(json, "seed");
    const json_t *sweeps = json_object_get(json, "sweeps");
    if (!scenario || !description || !hash || !json_is_integer(seed) ||
        json_integer_value(seed) < 0 || !json_is_array(sweeps))
        return problem_set(problem,
                           "plan: scenario, description, hash, seed or sweeps is missing or wrong");
    plan->scenario = strdup(scenario);
    plan->description = strdup(description);
    plan->seed = (uint64_t)json_integer_value(seed);
    plan->sweeps = calloc(json_array_size(sweeps) + 1, sizeof *plan->sweeps);
    if (!plan->scenario || !plan->description || !plan->sweeps)
        return problem_set(problem, "out of memory");
    if (!read_required_profile(plan, json_object_get(json, "require_profile"), problem))
        return false;
    for (size_t i = 0; i < json_array_size(sweeps); i++)
        if (!read_sweep(plan, &plan->sweeps[plan->sweep_count++], json_array_get(sweeps, i),
                        problem))
            return false;
    plan_seal(plan);
    return strcmp(plan->hash, hash) == 0 ||
           problem_set(problem, "plan: hash %.32s does not fit its contents, which give %s", hash,
                       plan->hash);
}

Plan *plan_from_json(const json_t *json, Problem *problem)
{
    Plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    if (!read_plan(plan, json, problem)) {
        plan_free(plan);
        return NULL;
    }
    return plan;
}
