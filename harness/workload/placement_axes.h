// SPDX-License-Identifier: Apache-2.0
// placement_axes.h - the axes that say where a cell runs, for every workload that has them.
#ifndef HYP_PLACEMENT_AXES_H
#define HYP_PLACEMENT_AXES_H

#include "scenario/axes.h"

// True for binding, smt, threads and mem_policy.
bool placement_axes_use(AxisId axis);

// What their values cannot be together, on any machine.
bool placement_axes_check(const AxisValue *values, Problem *problem);

#endif
