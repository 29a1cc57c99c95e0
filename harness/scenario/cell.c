// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "scenario/plan_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cell_build_id(Cell *cell, Problem *problem)
{
    char id[(AXIS_COUNT * 96) + AXIS_TEXT_BYTES];
    size_t used = (size_t)snprintf(id, sizeof id, "%s", cell->workload->name);
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++) {
        if (!cell->workload->uses(cell->values, axis))
            continue;
        AxisValue fallback;
        if (workload_fallback(cell->workload, axis, &fallback) &&
            axis_equal(axis, fallback, cell->values[axis]))
            continue;
        used += (size_t)snprintf(id + used, sizeof id - used, "/%s:", axis_table[axis].key);
        axis_format(axis, cell->values[axis], id + used, sizeof id - used);
        used += strlen(id + used);
    }
    cell->id = strdup(id);
    return cell->id || problem_set(problem, "out of memory");
}

json_t *cell_axes_to_json(const Cell *cell)
{
    json_t *axes = json_object();
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++)
        if (cell->workload->uses(cell->values, axis))
            (void)json_object_set_new_nocheck(axes, axis_table[axis].key,
                                              axis_to_json(axis, cell->values[axis]));
    return axes;
}

// Binds the axes in table order: `op` comes first and decides which others there are.
bool cell_axes_from_json(const json_t *axes, Cell *cell, Problem *problem)
{
    if (!json_is_object(axes))
        return problem_set(problem, "cell: \"axes\" is no object");
    size_t bound = 0;
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++) {
        const json_t *given = json_object_get(axes, axis_table[axis].key);
        cell->values[axis] = (AxisValue){0};
        const bool has_fallback = workload_fallback(cell->workload, axis, &cell->values[axis]);
        if (given && !axis_from_json(axis, given, &cell->values[axis], problem))
            return false;
        const bool used = cell->workload->uses(cell->values, axis);
        if (given && !used)
            return problem_set(problem, "cell: workload %s does not use axis %s",
                               cell->workload->name, axis_table[axis].key);
        if (!given && used && !has_fallback)
            return problem_set(problem, "cell: axis %s is missing", axis_table[axis].key);
        bound += given != NULL;
    }
    if (bound != json_object_size(axes))
        return problem_set(problem, "cell: \"axes\" has a key that is no axis");
    return cell->workload->check(cell->values, problem) && cell_build_id(cell, problem);
}

json_t *cell_to_json(const Cell *cell)
{
    return json_pack("{s:s, s:o}", "workload", cell->workload->name, "axes",
                     cell_axes_to_json(cell));
}

bool cell_from_json(const json_t *json, Cell *cell, Problem *problem)
{
    *cell = (Cell){0};
    const char *name = json_string_value(json_object_get(json, "workload"));
    if (!name)
        return problem_set(problem, "cell: \"workload\" is missing");
    cell->workload = workload_find(name);
    if (!cell->workload)
        return problem_set(problem, "cell: unknown workload '%.64s'", name);
    return cell_axes_from_json(json_object_get(json, "axes"), cell, problem);
}

void cell_clear(Cell *cell)
{
    free(cell->id);
    cell->id = NULL;
}
