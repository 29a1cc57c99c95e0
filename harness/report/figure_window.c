// SPDX-License-Identifier: Apache-2.0
// figure_window.c - time of a pass over the prefetch window, with what the recurrence of the
// pipeline and its bound give for the loads and computes that were measured.
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>

bool figure_has_window(const RunRecord *run, const CellSummary *summary)
{
    return !isnan(metric_value("time_ns", run, summary)) &&
           !isnan(metric_value("loader_predicted_ns", run, summary));
}

static double read_ms(const Figure *figure, size_t cell, const char *metric)
{
    return figure_metric(figure, cell, metric) / 1e6;
}

void figure_define_window(const Figure *figure, FILE *script)
{
    const BarReader read = figure_time_views[0].read;
    Range times = figure_find_range(figure, read);
    char text[640];
    figure_define_series(figure, script);
    figure_define_x(figure, script);
    for (size_t i = 0; i < figure->series_count; i++)
        for (size_t j = 0; j < figure->series[i].count; j++)
            range_widen(&times,
                        read_ms(figure, figure->series[i].points[j].cell, "loader_predicted_ns"));
    script_text(script, "y_label", "time of one pass [ms]");
    script_number(script, "y_high", times.high * 1.12);
    (void)snprintf(text, sizeof text,
                   "Medians over worker processes (clock); bars: %s.\nPipeline: time with that "
                   "window and cap by the recurrence (model), from the loads and computes "
                   "measured in the same passes.\nBound: no window and no cap can be below.",
                   figure_describe_bars(figure, read));
    script_text(script, "caption", text);
}

void figure_tabulate_window(const Figure *figure, FILE *data)
{
    (void)fprintf(data, "# columns: window [layers], time [ms] (clock), low, high, samples, "
                        "automatic, pipeline [ms] (model), bound [ms] (model)\n");
    for (size_t i = 0; i < figure->series_count; i++) {
        const FigureSeries *series = &figure->series[i];
        (void)fprintf(data, "%s# %s\n", i ? "\n\n" : "", series->level);
        for (size_t j = 0; j < series->count; j++) {
            const size_t cell = series->points[j].cell;
            const Bar bar = figure_time_views[0].read(figure, cell);
            data_column(data, series->points[j].x);
            data_column(data, bar.value);
            data_column(data, bar.low);
            data_column(data, bar.high);
            data_column(data, figure_metric(figure, cell, "samples"));
            (void)fprintf(data, " %d", series->points[j].automatic);
            data_column(data, read_ms(figure, cell, "loader_predicted_ns"));
            data_column(data, read_ms(figure, cell, "loader_bound_ns"));
            (void)fputc('\n', data);
        }
    }
}
