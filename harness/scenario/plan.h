// SPDX-License-Identifier: Apache-2.0
// plan.h - cells: a scenario with every axis bound, in a fixed order, and how to measure them.
#ifndef HYP_PLAN_H
#define HYP_PLAN_H

#include "scenario/axes.h"
#include "scenario/settings.h"
#include "workload/workload.h"

#include <stdint.h>
#include <stdio.h>

typedef struct Cell {
    const Workload *workload;
    const struct PlanSweep *sweep; // NULL in a worker
    AxisValue values[AXIS_COUNT];  // those the workload does not use hold the default or zero
    char *id; // identity: "kernel/op:gemm/m:512/...": workload and the axes that differ from
              // defaults, in table order; owned by the plan
} Cell;

typedef struct PlanSweep {
    const char *name;
    const Workload *workload;
    SweepSettings settings;
    size_t first_cell, cell_count;
} PlanSweep;

typedef struct Plan {
    char *scenario;    // name
    char *description; // "" if none
    // "laptop", "ci" or "lab": a run is refused where the doctor calls a check fatal; NULL = none.
    const char *required_profile;
    uint64_t seed; // order of the rounds, input data
    PlanSweep *sweeps;
    size_t sweep_count;
    Cell *cells;
    size_t cell_count;
    char hash[17]; // 16 hex digits over everything above; the same plan has the same hash anywhere
    struct PlanText *texts; // owned strings
} Plan;

// Reads and checks a scenario and expands it. `settings`: "axis=values" of --set, in scenario
// syntax, applied to every sweep whose workload uses the axis; NULL-terminated or NULL. NULL on
// failure: problem is "file:line:col: ...". The caller frees with plan_free.
Plan *plan_from_scenario(const char *path, const char *const *settings, Problem *problem);
void plan_free(Plan *plan); // NULL is allowed

// The same cells with another seed; another plan by its hash.
void plan_set_seed(Plan *plan, uint64_t seed);

// The same cells with another number of samples in that sweep and no counters; another plan by its
// hash.
void plan_set_samples(Plan *plan, size_t sweep, int samples);

// Drops every cell but those with these identities (NULL-terminated, at least one), and sweeps that
// are left without cells. False, and nothing changed, when one is not there.
bool plan_keep_cells(Plan *plan, const char *const *ids, Problem *problem);

// Worker processes a run starts: verification, pilot (of a timed cell), samples and, where events
// are asked for, a counting one a cell; a canary a round.
size_t plan_worker_count(const Plan *plan);

// Expected wall-clock of a run: workers, pilot, verification and counting, from the settings and
// the workload's guess at an iteration.
double plan_estimate_ns(const Plan *plan);

// plan.json and back. Reading checks schema, every value and the hash.
json_t *plan_to_json(const Plan *plan);
Plan *plan_from_json(const json_t *json, Problem *problem);

// The same document, one cell a line and in constant memory, with the counts of cells and processes
// and the estimated duration. False when memory or the stream fails.
bool plan_write(const Plan *plan, FILE *out);

// One cell alone, as the worker gets it: {"workload": ..., "axes": {...}}. From JSON: texts point
// into `json`, which must outlive the cell; cell->id is allocated, free it with cell_clear.
json_t *cell_to_json(const Cell *cell);
bool cell_from_json(const json_t *json, Cell *cell, Problem *problem);
void cell_clear(Cell *cell);

#endif
