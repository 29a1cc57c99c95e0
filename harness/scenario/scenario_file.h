// SPDX-License-Identifier: Apache-2.0
// scenario_file.h - a scenario as written: checked, with the place of everything, not yet expanded.
#ifndef HYP_SCENARIO_FILE_H
#define HYP_SCENARIO_FILE_H

#include "scenario/settings.h"
#include "scenario/values.h"
#include "workload/workload.h"

// A cell that has one of the values on every axis named is dropped.
typedef struct Exclusion {
    const TreeNode *node;
    ValueList values[AXIS_COUNT]; // empty = axis not named
    size_t hits;
} Exclusion;

// Values of one axis and where they were given.
typedef struct AxisSpec {
    ValueList values; // empty = not given
    const char *file;
    const TreeNode *node;
    AxisId leader; // first axis, in table order, of those walked together; itself if alone
    bool set;      // by --set
} AxisSpec;

typedef struct SweepSpec {
    const char *file;
    const TreeNode *node;
    const TreeNode *axes_node;
    const char *name;
    const Workload *workload;
    SweepSettings settings;
    AxisSpec axes[AXIS_COUNT];
    Exclusion *exclusions;
    size_t exclusion_count;
} SweepSpec;

typedef struct ScenarioSpec {
    const char *file;
    char *own_file;       // its name, if it is one of the program's own
    TreeNode *root;       // texts point into it
    TreeNode **set_roots; // of --set, NULL-terminated
    const char *name, *description;
    const char *required_profile; // of the doctor's; NULL = none
    long long seed;
    SweepSpec *sweeps;
    size_t sweep_count;
} ScenarioSpec;

// Reads a scenario file and the "axis=values" of --set (NULL-terminated or NULL). A bare name,
// "smoke-gemm", that is no file here is one of the program's own scenarios. The spec points to
// `path` and `settings`. False on failure; the caller calls scenario_clear either way.
bool scenario_read(const char *path, const char *const *settings, ScenarioSpec *spec,
                   Problem *problem);
void scenario_clear(ScenarioSpec *spec);

#endif
