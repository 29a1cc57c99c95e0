// SPDX-License-Identifier: Apache-2.0
// sweep_axes.h - which axes a sweep varies and which it fixes, for tables, titles and figures.
#ifndef HYP_SWEEP_AXES_H
#define HYP_SWEEP_AXES_H

#include "scenario/plan.h"

typedef struct AxisList {
    AxisId axes[AXIS_COUNT];
    size_t count;
} AxisList;

// Axes that some cell of the sweep uses and that take several values, in table order.
AxisList sweep_axes_varying(const Plan *plan, const PlanSweep *sweep);

// Axes that every cell uses with the one value, other than the default; `op` always.
AxisList sweep_axes_fixed(const Plan *plan, const PlanSweep *sweep);

bool axis_list_has(const AxisList *list, AxisId axis);

// Whether cells of the sweep with equal `leader` have equal `follower` (zipped axes do).
bool sweep_axis_follows(const Plan *plan, const PlanSweep *sweep, AxisId follower, AxisId leader);

// "block_size", or "m = n = k" for the sizes of a product that are equal in every cell.
void sweep_axis_title(const Plan *plan, const PlanSweep *sweep, AxisId axis, char *text,
                      size_t text_bytes);

// The list without those that the title of an earlier one includes.
AxisList sweep_axes_titled(const Plan *plan, const PlanSweep *sweep, const AxisList *list);

// Two cells agree on an axis when both or neither use it and it is bound alike.
bool cells_agree(const Cell *a, const Cell *b, AxisId axis);

// Whether the values are names that have no place of their own on a scale.
bool axis_is_category(AxisId axis);

bool cell_uses_axis(const Cell *cell, AxisId axis);

// Numeric value of an integer, size or real axis; NAN for words, flags, texts and unused axes.
double cell_axis_number(const Cell *cell, AxisId axis);

// "512", "avx2"; an en dash where the cell does not use the axis.
void cell_format_axis(const Cell *cell, AxisId axis, char *text, size_t text_bytes);

// "m = n = k = 512, prefetch = false": the axes of the list as the cell binds them; "" for none.
void cell_describe_axes(const Cell *cell, const AxisList *list, char *text, size_t text_bytes);

#endif
