// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // asprintf
#include "compare/along_pairs.h"

#include "report/cell_groups.h"
#include "stats/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A point while lines are looked for.
typedef struct PlacedCell {
    size_t group; // cells that agree on all other axes
    const PlanSweep *sweep;
    double place; // on the axis
    size_t cell;
} PlacedCell;

// The first number of the list that the cell has.
static double first_known(const char *const *names, const RunRecord *run,
                          const CellSummary *summary)
{
    double value = NAN;
    for (size_t i = 0; isnan(value) && names[i]; i++)
        value = metric_value(names[i], run, summary);
    return value;
}

static AlongPoint make_point(const RunRecord *run, AxisId axis, const CellSummary *summary)
{
    static const char *const peaks[] = {"memory_peak_bytes", "scheduler_peak_bytes",
                                        "loader_peak_bytes", NULL};
    static const char *const planned[] = {"memory_planned_bytes", "scheduler_planned_bytes", NULL};
    static const char *const predicted[] = {"memory_predicted_time_ns", "scheduler_predicted_ns",
                                            "loader_predicted_ns", NULL};
    const Cell *cell = &run->plan->cells[summary->cell];
    AlongPoint point = {.id = cell->id,
                        .cell = summary->cell,
                        .time_ns = metric_value("time_ns", run, summary),
                        .peak_bytes = first_known(peaks, run, summary),
                        .planned_bytes = first_known(planned, run, summary),
                        .predicted_ns = first_known(predicted, run, summary)};
    axis_format(axis, cell->values[axis], point.value, sizeof point.value);
    return point;
}

static double place_on_axis(const Cell *cell, AxisId axis)
{
    const AxisValue value = cell->values[axis];
    if (axis_table[axis].kind == AXIS_REAL)
        return value.real;
    const bool bounds = axis_table[axis].kind == AXIS_CAP || axis == AXIS_MEMORY_BUDGET;
    return bounds && value.integer == 0 ? INFINITY : (double)value.integer;
}

static int compare_placed(const void *a, const void *b)
{
    const PlacedCell *left = a;
    const PlacedCell *right = b;
    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    if (left->sweep != right->sweep)
        return left->sweep->first_cell < right->sweep->first_cell ? -1 : 1;
    return (left->place > right->place) - (left->place < right->place);
}

static bool is_one_line(const PlacedCell *a, const PlacedCell *b)
{
    return a->group == b->group && a->sweep == b->sweep;
}

// The cells that use the axis, line by line and along it. False: out of memory.
static bool place_cells(const Plan *plan, AxisId axis, PlacedCell *placed, size_t *count)
{
    AxisList others = {.count = 0};
    CellGroups groups;
    for (AxisId other = 0; other < AXIS_COUNT; other++)
        if (other != axis)
            others.axes[others.count++] = other;
    if (!cell_groups_find(plan, &others, &groups))
        return false;
    for (size_t i = 0; i < plan->cell_count; i++)
        if (cell_uses_axis(&plan->cells[i], axis))
            placed[(*count)++] = (PlacedCell){groups.group_of[i], plan->cells[i].sweep,
                                              place_on_axis(&plan->cells[i], axis), i};
    cell_groups_clear(&groups);
    qsort(placed, *count, sizeof *placed, compare_placed);
    return true;
}

static void add_line(AlongPairs *pairs, const RunRecord *run, const CellSummary *summaries,
                     const PlacedCell *placed, size_t count)
{
    AlongLine *line = &pairs->lines[pairs->line_count++];
    *line = (AlongLine){.first_point = pairs->point_count,
                        .point_count = count,
                        .first_pair = pairs->pair_count,
                        .pair_count = count * (count - 1) / 2};
    pairs->pair_count += line->pair_count;
    for (size_t i = 0; i < count; i++)
        pairs->points[pairs->point_count++] =
            make_point(run, pairs->axis, &summaries[placed[i].cell]);
}

static bool find_lines(AlongPairs *pairs, const RunRecord *run, const CellSummary *summaries)
{
    PlacedCell *placed = calloc(run->plan->cell_count + 1, sizeof *placed);
    size_t count = 0;
    size_t first = 0;
    const bool found = placed && place_cells(run->plan, pairs->axis, placed, &count);
    for (size_t i = 0; found && i < count; i++) {
        if (i + 1 < count && is_one_line(&placed[i], &placed[i + 1]))
            continue;
        if (i > first)
            add_line(pairs, run, summaries, placed + first, i + 1 - first);
        first = i + 1;
    }
    free(placed);
    return found;
}

static bool list_pairs(AlongPairs *pairs)
{
    size_t count = 0;
    pairs->pairs = calloc(pairs->pair_count + 1, sizeof *pairs->pairs);
    for (size_t i = 0; pairs->pairs && i < pairs->line_count; i++) {
        const size_t first = pairs->lines[i].first_point;
        for (size_t later = 1; later < pairs->lines[i].point_count; later++)
            for (size_t earlier = 0; earlier < later; earlier++)
                pairs->pairs[count++] = (AlongPair){first + earlier, first + later};
    }
    return pairs->pairs != NULL;
}

// The cell of a pair: what one of its points measured, under a name that both sides have.
static bool copy_cell(const MeasuredSide *from, const MeasuredCell *source, const char *id,
                      const MeasuredSide *to, MeasuredCell *cell)
{
    static const size_t metrics[] = {COMPARED_TIME, COMPARED_MEMORY};
    cell->id = strdup(id);
    cell->group = strdup(source->group);
    cell->failed = source->failed;
    cell->above_roof = source->above_roof;
    cell->stopped_early = source->stopped_early;
    memcpy(cell->reason, source->reason, sizeof cell->reason);
    bool copied = cell->id && cell->group;
    for (size_t i = 0; copied && i < sizeof metrics / sizeof *metrics; i++) {
        const size_t count = measured_values(from, source, metrics[i], NULL);
        double *values = count > 0 ? measured_series_add(to, cell, metrics[i], 0, count) : NULL;
        if (values)
            (void)measured_values(from, source, metrics[i], values);
        copied = values || count == 0;
    }
    return copied;
}

static MeasuredSide *create_side(const AlongPairs *pairs, const MeasuredSide *measured)
{
    MeasuredSide *side = measured_side_create(SIDE_RUN, measured->path, pairs->pair_count, 1);
    if (!side)
        return NULL;
    memcpy(side->scenario, measured->scenario, sizeof side->scenario);
    memcpy(side->commit, measured->commit, sizeof side->commit);
    memcpy(side->machine_key, measured->machine_key, sizeof side->machine_key);
    memcpy(side->environment_digest, measured->environment_digest, sizeof side->environment_digest);
    return side;
}

static bool copy_pair(const AlongPairs *pairs, size_t index, const MeasuredSide *measured)
{
    const AlongPoint *earlier = &pairs->points[pairs->pairs[index].earlier];
    const AlongPoint *later = &pairs->points[pairs->pairs[index].later];
    char *id = NULL;
    if (asprintf(&id, "%s after %s:%s", later->id, axis_table[pairs->axis].key, earlier->value) < 0)
        return false;
    const bool copied = copy_cell(measured, &measured->cells[earlier->cell], id, pairs->base,
                                  &pairs->base->cells[index]) &&
                        copy_cell(measured, &measured->cells[later->cell], id, pairs->latest,
                                  &pairs->latest->cells[index]);
    free(id);
    return copied;
}

static bool make_sides(AlongPairs *pairs, const RunRecord *run)
{
    MeasuredSide *measured = measured_side_of_run(run);
    pairs->base = measured ? create_side(pairs, measured) : NULL;
    pairs->latest = pairs->base ? create_side(pairs, measured) : NULL;
    bool made = pairs->latest != NULL;
    for (size_t i = 0; made && i < pairs->pair_count; i++)
        made = copy_pair(pairs, i, measured);
    measured_side_free(measured);
    return made && measured_side_index(pairs->base) && measured_side_index(pairs->latest);
}

static bool choose_axis(const char *key, AxisId *axis, Problem *problem)
{
    *axis = axis_find(key);
    if (*axis == AXIS_COUNT) {
        const char *near = axis_nearest(key);
        return problem_set(problem, "compare: --along: there is no axis '%s'%s%s%s", key,
                           near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    if (axis_is_category(*axis))
        return problem_set(problem,
                           "compare: --along: expected an axis of numbers; the values of '%s' are "
                           "in no order",
                           key);
    return true;
}

AlongPairs *along_pairs_make(const RunRecord *run, const char *axis, Problem *problem)
{
    AxisId id;
    if (!choose_axis(axis, &id, problem))
        return NULL;
    const size_t room = run->plan->cell_count + 1;
    CellSummary *summaries = metrics_summarise(run);
    AlongPairs *pairs = calloc(1, sizeof *pairs);
    if (pairs)
        *pairs = (AlongPairs){.axis = id,
                              .path = run->path,
                              .points = calloc(room, sizeof *pairs->points),
                              .lines = calloc(room, sizeof *pairs->lines)};
    const bool found = summaries && pairs && pairs->points && pairs->lines &&
                       find_lines(pairs, run, summaries) && list_pairs(pairs);
    metrics_free(summaries, run->plan->cell_count);
    if (found && pairs->line_count == 0)
        (void)problem_set(problem,
                          "%s: --along %s: expected cells that differ in it alone; no two do",
                          run->path, axis);
    else if (!found || !make_sides(pairs, run))
        (void)problem_set(problem, "%s: out of memory", run->path);
    if (!problem->text[0])
        return pairs;
    along_pairs_free(pairs);
    return NULL;
}

void along_pairs_free(AlongPairs *pairs)
{
    if (!pairs)
        return;
    measured_side_free(pairs->base);
    measured_side_free(pairs->latest);
    free(pairs->points);
    free(pairs->lines);
    free(pairs->pairs);
    free(pairs);
}
