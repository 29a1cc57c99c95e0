// SPDX-License-Identifier: Apache-2.0
// figure_search.c - which figures a run gives. Cells are sorted into figures in a few passes over
// the plan, so that thousands of them are no trouble.
#include "report/figures.h"

#include "report/cell_groups.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// The figures of one kind and sweep, while they are looked for.
typedef struct Search {
    Figure blank;          // kind, run, summaries, sweep, facets
    bool *takes;           // of each sweep: whether its cells are in the figures
    CellGroups facets;     // cells by the axes that siblings vary
    CellGroups categories; // cells by the x axis
    double *position;      // of each category that the sweep has: from 1, in order of appearance
} Search;

static bool is_tied(const Figure *figure, AxisId axis)
{
    const Plan *plan = figure->run->plan;
    if (figure_axis_chooses(axis, figure->kind->x) || axis == figure->kind->x ||
        axis == AXIS_SIMD_LEVEL || sweep_axis_follows(plan, figure->sweep, axis, figure->kind->x))
        return true;
    for (size_t i = 0; i < figure->facets.count; i++)
        if (sweep_axis_follows(plan, figure->sweep, axis, figure->facets.axes[i]))
            return true;
    return false;
}

// The varying axes that are on no axis of the figure and follow none that is.
static void find_facets(Figure *figure)
{
    const AxisList varying = sweep_axes_varying(figure->run->plan, figure->sweep);
    for (size_t i = 0; i < varying.count; i++)
        if (!is_tied(figure, varying.axes[i]))
            figure->facets.axes[figure->facets.count++] = varying.axes[i];
}

// Axes on which a cell has to agree with one of the sweep's own to be in its figures: all but the
// SIMD level and a numeric x axis.
static AxisList list_binding_axes(AxisId x)
{
    AxisList list = {.count = 0};
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++)
        if (axis != AXIS_SIMD_LEVEL && !figure_axis_chooses(axis, x) &&
            (axis != x || axis_is_category(x)))
            list.axes[list.count++] = axis;
    return list;
}

// Whether every cell of the sweep is in a group with one of the sweep's `own`.
static bool sweep_fits(const PlanSweep *sweep, const CellGroups *groups, const bool *is_own)
{
    for (size_t i = 0; i < sweep->cell_count; i++)
        if (!is_own[groups->group_of[sweep->first_cell + i]])
            return false;
    return sweep->cell_count > 0;
}

static bool find_taken_sweeps(Search *search)
{
    const Plan *plan = search->blank.run->plan;
    const PlanSweep *own = search->blank.sweep;
    const AxisList axes = list_binding_axes(search->blank.kind->x);
    CellGroups groups;
    if (!cell_groups_find(plan, &axes, &groups))
        return false;
    bool *is_own = calloc(groups.count + 1, sizeof *is_own);
    search->takes = calloc(plan->sweep_count, sizeof *search->takes);
    const bool complete = is_own && search->takes;
    for (size_t i = 0; complete && i < own->cell_count; i++)
        is_own[groups.group_of[own->first_cell + i]] = true;
    for (size_t i = 0; complete && i < plan->sweep_count; i++)
        search->takes[i] = &plan->sweeps[i] == own || sweep_fits(&plan->sweeps[i], &groups, is_own);
    free(is_own);
    cell_groups_clear(&groups);
    return complete;
}

static bool find_categories(Search *search)
{
    const PlanSweep *own = search->blank.sweep;
    const AxisList axes = {.axes = {search->blank.kind->x}, .count = 1};
    if (!cell_groups_find(search->blank.run->plan, &axes, &search->categories))
        return false;
    search->position = calloc(search->categories.count + 1, sizeof *search->position);
    double last = 0;
    for (size_t i = 0; search->position && i < own->cell_count; i++) {
        double *position = &search->position[search->categories.group_of[own->first_cell + i]];
        if (*position == 0)
            *position = ++last;
    }
    return search->position != NULL;
}

static bool begin_search(Search *search)
{
    find_facets(&search->blank);
    return cell_groups_find(search->blank.run->plan, &search->blank.facets, &search->facets) &&
           find_categories(search);
}

static void end_search(Search *search)
{
    free(search->takes);
    free(search->position);
    cell_groups_clear(&search->facets);
    cell_groups_clear(&search->categories);
}

// The bytes of a cap, which may be written as a share.
static const char *find_cap_metric(AxisId axis)
{
    return axis == AXIS_MEMORY_CAP       ? "loader_cap_bytes"
           : axis == AXIS_ACTIVATION_CAP ? "scheduler_cap_bytes"
                                         : NULL;
}

// What tells where a cell stands whose value says that this is chosen, or that there is no cap.
static const char *find_chosen_metric(AxisId axis, const Cell *cell, double x)
{
    switch (axis) {
    case AXIS_BLOCK_SIZE: return x == 0 ? "mc" : NULL;
    case AXIS_PREFETCH_WINDOW: return cell->values[AXIS_ADAPTIVE].integer ? "loader_window" : NULL;
    case AXIS_MEMORY_CAP: return isnan(x) ? "loader_weight_bytes" : NULL;
    case AXIS_ACTIVATION_CAP: return isnan(x) ? "scheduler_planned_bytes" : NULL;
    default: return NULL;
    }
}

static FigurePoint place_cell(const Search *search, size_t index)
{
    const Figure *figure = &search->blank;
    const AxisId axis = figure->kind->x;
    FigurePoint point = {.cell = index};
    point.x = axis_is_category(axis) ? search->position[search->categories.group_of[index]]
                                     : cell_axis_number(&figure->run->plan->cells[index], axis);
    const char *cap = find_cap_metric(axis);
    if (cap)
        point.x = metric_value(cap, figure->run, &figure->summaries[index]);
    const char *chosen = find_chosen_metric(axis, &figure->run->plan->cells[index], point.x);
    if (chosen) {
        point.automatic = true;
        point.x = metric_value(chosen, figure->run, &figure->summaries[index]);
    }
    return point;
}

static bool point_precedes(const FigurePoint *a, const FigurePoint *b)
{
    if (a->automatic != b->automatic)
        return b->automatic;
    return a->x < b->x;
}

static void insert_point(FigureSeries *series, FigurePoint point)
{
    size_t at = series->count++;
    for (; at > 0 && point_precedes(&point, &series->points[at - 1]); at--)
        series->points[at] = series->points[at - 1];
    series->points[at] = point;
}

// Puts the cell into the series of its level.
static void sort_cell(const Search *search, Figure *figure, size_t index)
{
    const CellSummary *summary = &figure->summaries[index];
    const char *level = metrics_level(figure->run, summary);
    FigureSeries *series = figure->series;
    while (series < figure->series + FIGURE_MOST_LEVELS && strcmp(series->level, level) != 0)
        series++;
    if (series == figure->series + FIGURE_MOST_LEVELS)
        return;
    const FigurePoint point = place_cell(search, index);
    if (summary->failed || isnan(point.x) || !figure->kind->shows(figure->run, summary))
        figure->left_out++;
    else
        insert_point(series, point);
}

// Closes the ranks: series without points go.
static void drop_empty_series(Figure *figure)
{
    for (size_t i = 0; i < FIGURE_MOST_LEVELS; i++) {
        FigureSeries *series = &figure->series[i];
        const FigureSeries found = *series;
        *series = (FigureSeries){.points = NULL};
        if (found.count > 0)
            figure->series[figure->series_count++] = found;
        else
            free(found.points);
    }
}

// Cells of the group, a series a level.
static bool sort_cells(const Search *search, size_t group, Figure *figure)
{
    const size_t *first = &search->facets.first[group];
    const Plan *plan = figure->run->plan;
    for (size_t i = 0; i < FIGURE_MOST_LEVELS; i++) {
        figure->series[i].level = metrics_level_names[i];
        figure->series[i].points = calloc(first[1] - first[0], sizeof(FigurePoint));
        if (!figure->series[i].points)
            return false;
    }
    for (size_t i = first[0]; i < first[1]; i++) {
        const size_t cell = search->facets.members[i];
        if (search->takes[plan->cells[cell].sweep - plan->sweeps])
            sort_cell(search, figure, cell);
    }
    drop_empty_series(figure);
    figure->takes = calloc(plan->sweep_count, sizeof *figure->takes);
    if (figure->takes)
        memcpy(figure->takes, search->takes, plan->sweep_count * sizeof *figure->takes);
    return figure->takes != NULL;
}

// A line needs two places on the x axis that were asked for.
static bool is_line(const FigureSeries *series)
{
    for (size_t i = 1; i < series->count; i++)
        if (!series->points[i].automatic && series->points[i].x != series->points[0].x)
            return true;
    return false;
}

static bool is_worth_showing(const Figure *figure)
{
    if (axis_is_category(figure->kind->x))
        return figure->series_count > 0;
    for (size_t i = 0; i < figure->series_count; i++)
        if (is_line(&figure->series[i]))
            return true;
    return false;
}

static void append_to_name(char *name, const char *text)
{
    size_t used = strlen(name);
    for (; *text && used + 1 < FIGURE_NAME_BYTES; text++) {
        const bool plain = isalnum((unsigned char)*text) || strchr("._-", *text);
        if (plain)
            name[used++] = *text;
        else
            name[used++] = '-';
    }
    name[used] = '\0';
}

static void name_figure(Figure *figure, const Cell *leader, const char *suffix)
{
    append_to_name(figure->name, figure->kind->name);
    append_to_name(figure->name, "-");
    append_to_name(figure->name, figure->sweep->name);
    for (size_t i = 0; i < figure->facets.count; i++) {
        char value[AXIS_TEXT_BYTES + 1];
        cell_format_axis(leader, figure->facets.axes[i], value, sizeof value);
        append_to_name(figure->name, "-");
        append_to_name(figure->name, axis_table[figure->facets.axes[i]].key);
        append_to_name(figure->name, value);
    }
    figure->base_length = strlen(figure->name);
    append_to_name(figure->name, suffix);
    char op[64] = "model";
    if (cell_uses_axis(leader, AXIS_OP))
        cell_format_axis(leader, AXIS_OP, op, sizeof op);
    (void)snprintf(figure->title, sizeof figure->title, "%s: %s", op, figure->kind->title);
}

static bool append_figure(FigureList *list, const Figure *figure)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 8;
        Figure *items = realloc(list->items, capacity * sizeof *items);
        if (!items)
            return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *figure;
    return true;
}

// The figure of the group that the cell is the first of.
static bool find_figure(const Search *search, const Cell *leader, size_t group, const char *suffix,
                        FigureList *list, size_t *sibling_count)
{
    Figure figure = search->blank;
    bool complete = sort_cells(search, group, &figure);
    const bool shown = complete && is_worth_showing(&figure);
    if (shown && *sibling_count == FIGURE_MOST_SIBLINGS) {
        list->omitted++;
    } else if (shown) {
        ++*sibling_count;
        name_figure(&figure, leader, suffix);
        complete = append_figure(list, &figure);
        if (complete)
            return true;
    }
    figure_clear(&figure);
    return complete;
}

static bool find_in_sweep(const Search *search, const char *suffix, FigureList *list)
{
    const PlanSweep *sweep = search->blank.sweep;
    const Cell *cells = search->blank.run->plan->cells;
    bool *done = calloc(search->facets.count + 1, sizeof *done);
    bool complete = done != NULL;
    size_t sibling_count = 0;
    for (size_t i = 0; complete && i < sweep->cell_count; i++) {
        const Cell *cell = &cells[sweep->first_cell + i];
        const size_t group = search->facets.group_of[sweep->first_cell + i];
        if (!done[group] && cell_uses_axis(cell, search->blank.kind->x))
            complete = find_figure(search, cell, group, suffix, list, &sibling_count);
        done[group] = true;
    }
    free(done);
    return complete;
}

// `claimed`: of each sweep, whether the figures of an earlier one take it in.
static bool find_of_kind(Search *search, bool *claimed, const char *suffix, FigureList *list)
{
    const Plan *plan = search->blank.run->plan;
    const bool is_claimed = claimed[search->blank.sweep - plan->sweeps];
    bool complete = find_taken_sweeps(search);
    for (size_t i = 0; complete && i < plan->sweep_count; i++)
        claimed[i] = claimed[i] || search->takes[i];
    if (complete && !is_claimed)
        complete = begin_search(search) && find_in_sweep(search, suffix, list);
    end_search(search);
    return complete;
}

bool figures_find(const RunRecord *run, const CellSummary *summaries, const char *suffix,
                  FigureList *list)
{
    const Plan *plan = run->plan;
    for (const FigureKind *kind = figure_kind_table; kind->name; kind++) {
        bool *claimed = calloc(plan->sweep_count + 1, sizeof *claimed);
        bool complete = claimed != NULL;
        for (size_t i = 0; complete && i < plan->sweep_count; i++) {
            Search search = {
                .blank = {
                    .kind = kind, .run = run, .summaries = summaries, .sweep = &plan->sweeps[i]}};
            if (plan->sweeps[i].cell_count > 0)
                complete = find_of_kind(&search, claimed, suffix, list);
        }
        free(claimed);
        if (!complete)
            return false;
    }
    return true;
}
