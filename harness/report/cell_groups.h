// SPDX-License-Identifier: Apache-2.0
// cell_groups.h - cells of a plan that agree on some axes, found in one pass.
#ifndef HYP_CELL_GROUPS_H
#define HYP_CELL_GROUPS_H

#include "report/sweep_axes.h"

// Two cells are in one group when they have the same workload and agree on every axis of the list.
typedef struct CellGroups {
    size_t *group_of; // of each cell of the plan: groups count from 0, in order of appearance
    size_t *members;  // cells by group, in the plan's order within one
    size_t *first;    // of each group: where its members begin; one more ends the last
    size_t count;
} CellGroups;

// Groups all cells of the plan. False: out of memory, and nothing to clear.
bool cell_groups_find(const Plan *plan, const AxisList *axes, CellGroups *groups);
void cell_groups_clear(CellGroups *groups);

#endif
