// SPDX-License-Identifier: Apache-2.0
#include "report/sweep_axes.h"

#include "report/format.h"

#include <math.h>
#include <string.h>

bool axis_is_category(AxisId axis)
{
    return axis_table[axis].kind == AXIS_TEXT || axis_table[axis].kind == AXIS_WORD;
}

bool cell_uses_axis(const Cell *cell, AxisId axis)
{
    return cell->workload->uses(cell->values, axis);
}

bool cells_agree(const Cell *a, const Cell *b, AxisId axis)
{
    const bool used = cell_uses_axis(a, axis);
    if (used != cell_uses_axis(b, axis))
        return false;
    return !used || axis_equal(axis, a->values[axis], b->values[axis]);
}

static bool sweep_agrees(const Plan *plan, const PlanSweep *sweep, AxisId axis)
{
    const Cell *first = &plan->cells[sweep->first_cell];
    for (size_t i = 1; i < sweep->cell_count; i++)
        if (!cells_agree(first, first + i, axis))
            return false;
    return true;
}

AxisList sweep_axes_varying(const Plan *plan, const PlanSweep *sweep)
{
    AxisList list = {.count = 0};
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++)
        if (!sweep_agrees(plan, sweep, axis))
            list.axes[list.count++] = axis;
    return list;
}

AxisList sweep_axes_fixed(const Plan *plan, const PlanSweep *sweep)
{
    AxisList list = {.count = 0};
    const Cell *first = &plan->cells[sweep->first_cell];
    for (AxisId axis = 0; sweep->cell_count > 0 && axis < AXIS_COUNT; axis++) {
        AxisValue fallback;
        if (!cell_uses_axis(first, axis) || !sweep_agrees(plan, sweep, axis))
            continue;
        if (!workload_fallback(sweep->workload, axis, &fallback) ||
            !axis_equal(axis, fallback, first->values[axis]))
            list.axes[list.count++] = axis;
    }
    return list;
}

bool axis_list_has(const AxisList *list, AxisId axis)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->axes[i] == axis)
            return true;
    return false;
}

static bool follows_earlier(const Cell *cells, size_t index, AxisId follower, AxisId leader)
{
    for (size_t i = 0; i < index; i++)
        if (cells_agree(&cells[i], &cells[index], leader))
            return cells_agree(&cells[i], &cells[index], follower);
    return true;
}

// Cells with a leader's value of their own that are kept to compare with; an axis seldom has more
// values.
enum { MOST_LEADERS = 64 };

bool sweep_axis_follows(const Plan *plan, const PlanSweep *sweep, AxisId follower, AxisId leader)
{
    const Cell *cells = &plan->cells[sweep->first_cell];
    size_t leaders[MOST_LEADERS];
    size_t count = 0;
    for (size_t i = 0; i < sweep->cell_count; i++) {
        size_t at = 0;
        while (at < count && !cells_agree(&cells[leaders[at]], &cells[i], leader))
            at++;
        if (at < count) {
            if (!cells_agree(&cells[leaders[at]], &cells[i], follower))
                return false;
        } else if (count < MOST_LEADERS) {
            leaders[count++] = i;
        } else if (!follows_earlier(cells, i, follower, leader)) {
            return false;
        }
    }
    return true;
}

double cell_axis_number(const Cell *cell, AxisId axis)
{
    if (!cell_uses_axis(cell, axis))
        return NAN;
    switch (axis_table[axis].kind) {
    case AXIS_INTEGER:
    case AXIS_BYTES: return (double)cell->values[axis].integer;
    case AXIS_REAL: return cell->values[axis].real;
    default: return NAN;
    }
}

void cell_format_axis(const Cell *cell, AxisId axis, char *text, size_t text_bytes)
{
    if (cell_uses_axis(cell, axis))
        axis_format(axis, cell->values[axis], text, text_bytes);
    else
        (void)snprintf(text, text_bytes, "%s", FORMAT_UNKNOWN);
}

static void append(char *text, size_t text_bytes, const char *more)
{
    const size_t used = strlen(text);
    (void)snprintf(text + used, text_bytes - used, "%s", more);
}

// The sizes of a product are said together where they are equal.
static bool is_product_size(AxisId axis)
{
    return axis == AXIS_M || axis == AXIS_N || axis == AXIS_K;
}

static bool sweep_binds_alike(const Plan *plan, const PlanSweep *sweep, AxisId a, AxisId b)
{
    const Cell *cells = &plan->cells[sweep->first_cell];
    for (size_t i = 0; i < sweep->cell_count; i++)
        if (!cell_uses_axis(&cells[i], a) || !cell_uses_axis(&cells[i], b) ||
            cells[i].values[a].integer != cells[i].values[b].integer)
            return false;
    return true;
}

static bool share_title(const Plan *plan, const PlanSweep *sweep, AxisId a, AxisId b)
{
    return a == b ||
           (is_product_size(a) && is_product_size(b) && sweep_binds_alike(plan, sweep, a, b));
}

void sweep_axis_title(const Plan *plan, const PlanSweep *sweep, AxisId axis, char *text,
                      size_t text_bytes)
{
    text[0] = '\0';
    for (AxisId other = 0; other < AXIS_COUNT; other++) {
        if (!share_title(plan, sweep, axis, other))
            continue;
        append(text, text_bytes, text[0] ? " = " : "");
        append(text, text_bytes, axis_table[other].key);
    }
}

AxisList sweep_axes_titled(const Plan *plan, const PlanSweep *sweep, const AxisList *list)
{
    AxisList titled = {.count = 0};
    for (size_t i = 0; i < list->count; i++) {
        bool included = false;
        for (size_t j = 0; j < titled.count; j++)
            included = included || share_title(plan, sweep, titled.axes[j], list->axes[i]);
        if (!included)
            titled.axes[titled.count++] = list->axes[i];
    }
    return titled;
}

void cell_describe_axes(const Cell *cell, const AxisList *list, char *text, size_t text_bytes)
{
    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        const AxisId axis = list->axes[i];
        char value[AXIS_TEXT_BYTES + 1];
        cell_format_axis(cell, axis, value, sizeof value);
        append(text, text_bytes, axis_table[axis].key);
        append(text, text_bytes, " = ");
        if (is_product_size(axis) && i + 1 < list->count && is_product_size(list->axes[i + 1]) &&
            axis_equal(axis, cell->values[axis], cell->values[list->axes[i + 1]]))
            continue;
        append(text, text_bytes, value);
        append(text, text_bytes, i + 1 < list->count ? ", " : "");
    }
}
