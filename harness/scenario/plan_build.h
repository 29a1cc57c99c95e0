// SPDX-License-Identifier: Apache-2.0
// plan_build.h - the parts that make a plan, private to harness/scenario.
#ifndef HYP_PLAN_BUILD_H
#define HYP_PLAN_BUILD_H

#include "scenario/plan.h"
#include "scenario/scenario_file.h"

// Sets cell->id from workload and values.
bool cell_build_id(Cell *cell, Problem *problem);

// {"m": 64, ...}: every axis the workload uses; and back, with the id.
json_t *cell_axes_to_json(const Cell *cell);
bool cell_axes_from_json(const json_t *axes, Cell *cell, Problem *problem);

// A copy of `text` that lives as long as the plan; NULL when out of memory.
const char *plan_keep_text(Plan *plan, const char *text);

// Room for `count` cells in all.
bool plan_reserve_cells(Plan *plan, size_t count, Problem *problem);

// Appends the cells of a sweep to plan->cells and sets sweep->first_cell and cell_count.
bool plan_expand_sweep(Plan *plan, PlanSweep *sweep, SweepSpec *spec, Problem *problem);

// Index of a cell with the same identity as an earlier one, that one in *first; or cell_count.
// False when out of memory.
bool plan_find_duplicate(const Plan *plan, size_t *duplicate, size_t *first, Problem *problem);

// Points the cells at their sweeps and computes the hash: the last step.
void plan_seal(Plan *plan);

#endif
