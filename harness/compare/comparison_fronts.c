// SPDX-License-Identifier: Apache-2.0
// comparison_fronts.c - sweeps over how much memory buys how much time, as a whole: cells whose
// identity differs in nothing but those axes.
#define _POSIX_C_SOURCE 200809L
#include "compare/comparison_parts.h"
#include "stats/pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A cell on a front, and the front's name: its identity without the axes of the front.
typedef struct FrontCell {
    char *front;
    const MeasuredCell *cell[SIDE_COUNT]; // NULL: not in that side
} FrontCell;

// NULL: out of memory; the identity itself where it has none of the axes.
static char *name_front(const char *id)
{
    static const char *const axes[] = {"/tradeoff:", "/memory_budget:"};
    char *name = strdup(id);
    for (size_t i = 0; name && i < sizeof axes / sizeof *axes; i++) {
        char *at = strstr(name, axes[i]);
        if (at)
            memmove(at, at + 1 + strcspn(at + 1, "/"), strlen(at + 1 + strcspn(at + 1, "/")) + 1);
    }
    return name;
}

static int compare_fronts(const void *a, const void *b)
{
    return strcmp(((const FrontCell *)a)->front, ((const FrontCell *)b)->front);
}

static bool find_point(const MeasuredSide *side, const MeasuredCell *cell, ParetoPoint *point)
{
    double medians[2] = {NAN, NAN};
    static const size_t metrics[2] = {COMPARED_MEMORY, COMPARED_TIME};
    for (size_t i = 0; cell && i < 2; i++) {
        const size_t count = measured_values(side, cell, metrics[i], NULL);
        double *values = calloc(count + 1, sizeof *values);
        if (!values)
            return false;
        (void)measured_values(side, cell, metrics[i], values);
        medians[i] = stat_median(values, count);
        free(values);
    }
    *point = (ParetoPoint){medians[0], medians[1]};
    return true;
}

typedef struct Points {
    ParetoPoint *rows;
    size_t count;
} Points;

static bool collect_points(const Comparison *comparison, ComparedSide side, const FrontCell *cells,
                           size_t count, Points *points)
{
    *points = (Points){calloc(count + 1, sizeof *points->rows), 0};
    for (size_t i = 0; points->rows && i < count; i++) {
        ParetoPoint *next = &points->rows[points->count];
        if (!find_point(comparison->side[side], cells[i].cell[side], next))
            return false;
        points->count += isfinite(next->x) && isfinite(next->y);
    }
    return points->rows != NULL;
}

// A tenth beyond the worst of both sides, so that the ends of the fronts count too.
static ParetoPoint find_reference(const Points *points)
{
    ParetoPoint reference = {0, 0};
    for (ComparedSide side = 0; side < SIDE_COUNT; side++)
        for (size_t i = 0; i < points[side].count; i++) {
            reference.x = fmax(reference.x, 1.1 * points[side].rows[i].x);
            reference.y = fmax(reference.y, 1.1 * points[side].rows[i].y);
        }
    return reference;
}

static bool add_front(Comparison *comparison, const FrontCell *cells, size_t count)
{
    Points points[SIDE_COUNT] = {{0}};
    const bool collected =
        collect_points(comparison, SIDE_BASE, cells, count, &points[SIDE_BASE]) &&
        collect_points(comparison, SIDE_NEW, cells, count, &points[SIDE_NEW]);
    if (collected && points[SIDE_BASE].count > 1 && points[SIDE_NEW].count > 0) {
        const ParetoChange change = stat_pareto_change(
            points[SIDE_BASE].rows, points[SIDE_BASE].count, points[SIDE_NEW].rows,
            points[SIDE_NEW].count, find_reference(points));
        const MeasuredCell *first = cells[0].cell[SIDE_BASE];
        comparison->fronts[comparison->front_count++] =
            (ComparedFront){.id = first ? first->id : cells[0].cell[SIDE_NEW]->id,
                            .points = {points[SIDE_BASE].count, points[SIDE_NEW].count},
                            .lost = change.lost,
                            .gained = change.gained};
    }
    free(points[SIDE_BASE].rows);
    free(points[SIDE_NEW].rows);
    return collected;
}

static bool add_cell(const Comparison *comparison, const MeasuredCell *cell, FrontCell *cells,
                     size_t *count)
{
    char *name = name_front(cell->id);
    if (name && strcmp(name, cell->id) != 0)
        cells[(*count)++] = (FrontCell){name,
                                        {measured_cell_find(comparison->side[SIDE_BASE], cell->id),
                                         measured_cell_find(comparison->side[SIDE_NEW], cell->id)}};
    else
        free(name);
    return name != NULL;
}

static bool list_cells(const Comparison *comparison, FrontCell *cells, size_t *count)
{
    const MeasuredSide *base = comparison->side[SIDE_BASE];
    const MeasuredSide *latest = comparison->side[SIDE_NEW];
    bool listed = true;
    for (size_t i = 0; listed && i < base->cell_count; i++)
        listed = add_cell(comparison, &base->cells[i], cells, count);
    for (size_t i = 0; listed && i < latest->cell_count; i++)
        if (!measured_cell_find(base, latest->cells[i].id))
            listed = add_cell(comparison, &latest->cells[i], cells, count);
    return listed;
}

bool comparison_find_fronts(Comparison *comparison)
{
    const size_t room =
        comparison->side[SIDE_BASE]->cell_count + comparison->side[SIDE_NEW]->cell_count + 1;
    FrontCell *cells = calloc(room, sizeof *cells);
    comparison->fronts = calloc(room, sizeof *comparison->fronts);
    size_t count = 0;
    bool found = cells && comparison->fronts && list_cells(comparison, cells, &count);
    if (found)
        qsort(cells, count, sizeof *cells, compare_fronts);
    size_t first = 0;
    for (size_t i = 0; found && i < count; i++) {
        if (i + 1 < count && compare_fronts(&cells[i], &cells[i + 1]) == 0)
            continue;
        found = add_front(comparison, cells + first, i + 1 - first);
        first = i + 1;
    }
    for (size_t i = 0; cells && i < count; i++)
        free(cells[i].front);
    free(cells);
    return found;
}
