// SPDX-License-Identifier: Apache-2.0
// figure_front.c - what memory buys: measured time over measured peak memory, with the points that
// no other one beats in both.
#include "report/figure_parts.h"

#include "report/figure_script.h"
#include "stats/pareto.h"

#include <math.h>
#include <stdlib.h>

static const double mebibyte = 1024.0 * 1024;

bool figure_has_front(const RunRecord *run, const CellSummary *summary)
{
    return !isnan(metric_value("time_ns", run, summary)) &&
           !isnan(metric_value("memory_peak_bytes", run, summary)) &&
           !isnan(metric_value("memory_planned_bytes", run, summary));
}

static double read_mebibytes(const Figure *figure, size_t cell, const char *metric)
{
    return figure_metric(figure, cell, metric) / mebibyte;
}

void figure_define_front(const Figure *figure, FILE *script)
{
    const BarReader read = figure_time_views[0].read;
    const Range times = figure_find_range(figure, read);
    Range memory = range_empty;
    char text[512];
    figure_define_series(figure, script);
    for (size_t i = 0; i < figure->series_count; i++)
        for (size_t j = 0; j < figure->series[i].count; j++)
            range_widen(&memory, read_mebibytes(figure, figure->series[i].points[j].cell,
                                                "memory_peak_bytes"));
    const double margin = fmax((memory.high - memory.low) * 0.06, memory.high * 0.005);
    const double room = fmax((times.high - times.low) * 0.1, times.high * 0.02);
    script_text(script, "x_label", "peak memory above that of an idle process [MiB]");
    script_text(script, "y_label", "time of one pass [ms]");
    script_number(script, "x_low", memory.low - margin);
    script_number(script, "x_high", memory.high + margin);
    script_number(script, "y_low", fmax(times.low - room, 0));
    script_number(script, "y_high", times.high + room);
    (void)snprintf(text, sizeof text,
                   "Medians over worker processes: time (clock; bars: %s), largest resident "
                   "memory (os).\nNumbers are values of %s. Filled: no other point is better in "
                   "both, by the medians.",
                   figure_describe_bars(figure, read), axis_table[figure->kind->x].key);
    script_text(script, "caption", text);
}

static void write_point(const Figure *figure, const FigurePoint *point, bool on_front, FILE *data)
{
    char value[AXIS_TEXT_BYTES + 1];
    const Bar bar = figure_time_views[0].read(figure, point->cell);
    cell_format_axis(&figure->run->plan->cells[point->cell], figure->kind->x, value, sizeof value);
    data_column(data, read_mebibytes(figure, point->cell, "memory_peak_bytes"));
    data_column(data, bar.value);
    data_column(data, bar.low);
    data_column(data, bar.high);
    (void)fprintf(data, " %d", on_front);
    data_column(data, read_mebibytes(figure, point->cell, "memory_planned_bytes"));
    data_column(data, figure_metric(figure, point->cell, "memory_predicted_time_ns") / 1e6);
    (void)fprintf(data, " %s\n", value);
}

// The front comes first and from left to right, so that it is one line.
static bool stands_before(const ParetoPoint *points, const bool *on_front, size_t a, size_t b)
{
    return on_front[a] != on_front[b] ? on_front[a] : points[a].x < points[b].x;
}

static void write_series(const Figure *figure, const FigureSeries *series, FILE *data)
{
    ParetoPoint *points = calloc(series->count + 1, sizeof *points);
    bool *on_front = calloc(series->count + 1, sizeof *on_front);
    bool *written = calloc(series->count + 1, sizeof *written);
    for (size_t j = 0; points && j < series->count; j++) {
        points[j].x = figure_metric(figure, series->points[j].cell, "memory_peak_bytes");
        points[j].y = figure_metric(figure, series->points[j].cell, "time_ns");
    }
    if (points && on_front && written)
        stat_pareto_front(points, series->count, on_front);
    for (size_t round = 0; points && on_front && written && round < series->count; round++) {
        size_t next = series->count;
        for (size_t j = 0; j < series->count; j++)
            if (!written[j] && (next == series->count || stands_before(points, on_front, j, next)))
                next = j;
        written[next] = true;
        write_point(figure, &series->points[next], on_front[next], data);
    }
    free(points);
    free(on_front);
    free(written);
}

void figure_tabulate_front(const Figure *figure, FILE *data)
{
    (void)fprintf(data,
                  "# columns: peak [MiB] (os), time [ms] (clock), low, high, 1 = on the front, "
                  "planned [MiB] (model), predicted time [ms] (model), %s\n",
                  axis_table[figure->kind->x].key);
    for (size_t i = 0; i < figure->series_count; i++) {
        (void)fprintf(data, "%s# %s\n", i ? "\n\n" : "", figure->series[i].level);
        write_series(figure, &figure->series[i], data);
    }
}
