// SPDX-License-Identifier: Apache-2.0
// sweep_read.h - one sweep of a scenario file; private to harness/scenario.
#ifndef HYP_SWEEP_READ_H
#define HYP_SWEEP_READ_H

#include "scenario/scenario_file.h"

// Name, workload, settings and axes. `file` and `node` stay with the sweep. The caller calls
// sweep_clear either way.
bool sweep_read(const char *file, const TreeNode *node, const SweepSettings *defaults,
                SweepSpec *sweep, Problem *problem);

// Whether the workload, with some operation of the sweep, uses the axis.
bool sweep_uses(const SweepSpec *sweep, AxisId id);

// Replaces an axis by what --set says.
bool sweep_set_axis(SweepSpec *sweep, AxisId id, const char *setting, const TreeNode *node,
                    Problem *problem);

// Reads zip and exclude, once the axes are final.
bool sweep_link(SweepSpec *sweep, Problem *problem);

void sweep_clear(SweepSpec *sweep);

// The "name" of a scenario or sweep.
bool scenario_name_read(const char *file, const TreeNode *map, const char *what, const char **name,
                        Problem *problem);

#endif
