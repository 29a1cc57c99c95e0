// SPDX-License-Identifier: Apache-2.0
#include "report/figures.h"

#include "hyperion/simd.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_tied(const Figure *figure, AxisId axis)
{
    const Plan *plan = figure->run->plan;
    if (axis == figure->kind->x || axis == AXIS_SIMD_LEVEL ||
        sweep_axis_follows(plan, figure->sweep, axis, figure->kind->x))
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

static bool same_facet(const Figure *figure, const Cell *a, const Cell *b)
{
    for (size_t i = 0; i < figure->facets.count; i++)
        if (!cells_agree(a, b, figure->facets.axes[i]))
            return false;
    return true;
}

static bool is_category(AxisId axis)
{
    return axis_table[axis].kind == AXIS_TEXT || axis_table[axis].kind == AXIS_WORD;
}

// Whether the cell binds everything like some cell of the figure's sweep but for the SIMD level and
// a numeric x axis.
static bool fits_sweep(const Figure *figure, const Cell *cell)
{
    const Cell *own = &figure->run->plan->cells[figure->sweep->first_cell];
    for (size_t i = 0; i < figure->sweep->cell_count; i++) {
        bool fits = own[i].workload == cell->workload;
        for (AxisId axis = 0; fits && axis < AXIS_COUNT; axis++)
            fits = axis == AXIS_SIMD_LEVEL || (axis == figure->kind->x && !is_category(axis)) ||
                   cells_agree(&own[i], cell, axis);
        if (fits)
            return true;
    }
    return false;
}

bool figure_takes_sweep(const Figure *figure, const PlanSweep *sweep)
{
    if (sweep == figure->sweep)
        return true;
    const Cell *cells = &figure->run->plan->cells[sweep->first_cell];
    for (size_t i = 0; i < sweep->cell_count; i++)
        if (!fits_sweep(figure, &cells[i]))
            return false;
    return sweep->cell_count > 0;
}

// Position of the cell's value of the x axis among those of the figure's sweep, in order of
// appearance, from 1.
static double find_category(const Figure *figure, const Cell *cell)
{
    const AxisId axis = figure->kind->x;
    const Cell *own = &figure->run->plan->cells[figure->sweep->first_cell];
    double position = 1;
    for (size_t i = 0; i < figure->sweep->cell_count; i++) {
        if (cells_agree(&own[i], cell, axis))
            break;
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && !cells_agree(&own[i], &own[j], axis);
        position += first;
    }
    return position;
}

static FigurePoint place_cell(const Figure *figure, size_t index)
{
    const Cell *cell = &figure->run->plan->cells[index];
    const AxisId axis = figure->kind->x;
    FigurePoint point = {.cell = index};
    point.x = is_category(axis) ? find_category(figure, cell) : cell_axis_number(cell, axis);
    if (axis == AXIS_BLOCK_SIZE && point.x == 0) {
        point.automatic = true;
        point.x = metric_value("mc", figure->run, &figure->summaries[index]);
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

// Puts the cell into the series if it belongs to the facet of `leader` and to the series' level.
static void sort_cell(Figure *figure, FigureSeries *series, size_t leader, size_t index)
{
    const Cell *cells = figure->run->plan->cells;
    const CellSummary *summary = &figure->summaries[index];
    if (!same_facet(figure, &cells[leader], &cells[index]) ||
        strcmp(metrics_level(figure->run, summary), series->level) != 0)
        return;
    const FigurePoint point = place_cell(figure, index);
    if (summary->failed || isnan(point.x) || !figure->kind->shows(figure->run, summary))
        figure->left_out++;
    else
        insert_point(series, point);
}

static bool fill_series(Figure *figure, FigureSeries *series, size_t leader)
{
    const Plan *plan = figure->run->plan;
    series->points = calloc(plan->cell_count, sizeof *series->points);
    for (size_t i = 0; series->points && i < plan->sweep_count; i++) {
        const PlanSweep *sweep = &plan->sweeps[i];
        if (!figure_takes_sweep(figure, sweep))
            continue;
        for (size_t j = 0; j < sweep->cell_count; j++)
            sort_cell(figure, series, leader, sweep->first_cell + j);
    }
    return series->points != NULL;
}

// Cells of the facet that `leader` belongs to, a series a level.
static bool sort_cells(Figure *figure, size_t leader)
{
    for (int level = 0; level < FIGURE_MOST_LEVELS; level++) {
        FigureSeries series = {.level = hyperionSIMDLevelName(level)};
        if (!fill_series(figure, &series, leader))
            return false;
        if (series.count > 0)
            figure->series[figure->series_count++] = series;
        else
            free(series.points);
    }
    return true;
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
    if (is_category(figure->kind->x))
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
    append_to_name(figure->name, suffix);
    char op[64] = "model";
    if (cell_uses_axis(leader, AXIS_OP))
        cell_format_axis(leader, AXIS_OP, op, sizeof op);
    (void)snprintf(figure->title, sizeof figure->title, "%s: %s", op, figure->kind->title);
}

// Axes that follow the x axis and are not in its title.
static void describe_along(const Figure *figure, char *text, size_t text_bytes)
{
    const Plan *plan = figure->run->plan;
    const AxisList varying = sweep_axes_varying(plan, figure->sweep);
    for (size_t i = 0; i < varying.count; i++) {
        const AxisId axis = varying.axes[i];
        bool said = axis == figure->kind->x || axis == AXIS_SIMD_LEVEL;
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

static void clear_figure(Figure *figure)
{
    for (size_t i = 0; i < FIGURE_MOST_LEVELS; i++)
        free(figure->series[i].points);
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

// One figure for each cell that is the first of its facet.
static bool find_in_sweep(Figure *blank, const char *suffix, FigureList *list)
{
    const Cell *cells = blank->run->plan->cells;
    const size_t first = blank->sweep->first_cell;
    const size_t before = list->count;
    for (size_t i = first; i < first + blank->sweep->cell_count; i++) {
        bool leads = cell_uses_axis(&cells[i], blank->kind->x);
        for (size_t j = first; leads && j < i; j++)
            leads = !same_facet(blank, &cells[i], &cells[j]);
        if (!leads)
            continue;
        Figure figure = *blank;
        bool complete = sort_cells(&figure, i);
        const bool shown = complete && is_worth_showing(&figure);
        if (shown && list->count - before == FIGURE_MOST_SIBLINGS) {
            list->omitted++;
        } else if (shown) {
            name_figure(&figure, &cells[i], suffix);
            complete = append_figure(list, &figure);
            if (complete)
                continue;
        }
        clear_figure(&figure);
        if (!complete)
            return false;
    }
    return true;
}

// Whether the figure of an earlier sweep takes this one in.
static bool is_taken(const Figure *blank)
{
    const Plan *plan = blank->run->plan;
    for (const PlanSweep *earlier = plan->sweeps; earlier < blank->sweep; earlier++) {
        Figure other = *blank;
        other.sweep = earlier;
        if (earlier->cell_count > 0 && figure_takes_sweep(&other, blank->sweep))
            return true;
    }
    return false;
}

bool figures_find(const RunRecord *run, const CellSummary *summaries, const char *suffix,
                  FigureList *list)
{
    for (const FigureKind *kind = figure_kind_table; kind->name; kind++) {
        for (size_t i = 0; i < run->plan->sweep_count; i++) {
            Figure blank = {
                .kind = kind, .run = run, .summaries = summaries, .sweep = &run->plan->sweeps[i]};
            if (blank.sweep->cell_count == 0 || is_taken(&blank))
                continue;
            find_facets(&blank);
            if (!find_in_sweep(&blank, suffix, list))
                return false;
        }
    }
    return true;
}

void figures_clear(FigureList *list)
{
    for (size_t i = 0; i < list->count; i++)
        clear_figure(&list->items[i]);
    free(list->items);
    *list = (FigureList){.items = NULL};
}
