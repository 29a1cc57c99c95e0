// SPDX-License-Identifier: Apache-2.0
#include "report/figures.h"

#include <stdlib.h>
#include <string.h>

bool figure_takes_sweep(const Figure *figure, const PlanSweep *sweep)
{
    return figure->takes[sweep - figure->run->plan->sweeps];
}

bool figure_axis_chooses(AxisId axis, AxisId x)
{
    return axis == AXIS_ADAPTIVE && x == AXIS_PREFETCH_WINDOW;
}

// Axes that follow the x axis and are not in its title.
static void describe_along(const Figure *figure, char *text, size_t text_bytes)
{
    const Plan *plan = figure->run->plan;
    const AxisList varying = sweep_axes_varying(plan, figure->sweep);
    for (size_t i = 0; i < varying.count; i++) {
        const AxisId axis = varying.axes[i];
        bool said = axis == figure->kind->x || axis == AXIS_SIMD_LEVEL ||
                    figure_axis_chooses(axis, figure->kind->x);
        for (size_t j = 0; j < figure->facets.count; j++)
            said = said || sweep_axis_follows(plan, figure->sweep, axis, figure->facets.axes[j]);
        AxisList pair = {.axes = {figure->kind->x, axis}, .count = 2};
        said = said || sweep_axes_titled(plan, figure->sweep, &pair).count == 1;
        if (!said) {
            const size_t used = strlen(text);
            (void)snprintf(text + used, text_bytes - used, "%s%s varies along", used ? ", " : "",
                           axis_table[axis].key);
        }
    }
}

void figure_describe_fixed(const Figure *figure, char *text, size_t text_bytes)
{
    const AxisList fixed = sweep_axes_fixed(figure->run->plan, figure->sweep);
    AxisList said = {.count = 0};
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++)
        if (axis != AXIS_OP && axis != figure->kind->x &&
            (axis_list_has(&figure->facets, axis) || axis_list_has(&fixed, axis)))
            said.axes[said.count++] = axis;
    const size_t cell = figure->series[0].points[0].cell;
    cell_describe_axes(&figure->run->plan->cells[cell], &said, text, text_bytes);
    describe_along(figure, text, text_bytes);
}

void figure_clear(Figure *figure)
{
    for (size_t i = 0; i < FIGURE_MOST_LEVELS; i++)
        free(figure->series[i].points);
    free(figure->takes);
}

void figures_clear(FigureList *list)
{
    for (size_t i = 0; i < list->count; i++)
        figure_clear(&list->items[i]);
    free(list->items);
    *list = (FigureList){.items = NULL};
}
