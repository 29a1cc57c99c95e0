// SPDX-License-Identifier: Apache-2.0
// figure_cap.c - time of a pass over the cap that memory is kept within, measured and as planned:
// of activations by a scheduler, of weights by a loader.
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>

// Metrics of a kind; `least` and `most` are between which caps mean anything.
typedef struct CapMetrics {
    AxisId x;
    const char *predicted, *proved, *peak, *least, *most;
    const char *x_label, *line, *explanation, *least_label, *most_label;
} CapMetrics;

static const CapMetrics cap_table[] = {
    {AXIS_ACTIVATION_CAP, "scheduler_predicted_ns", "scheduler_proved", "scheduler_peak_bytes",
     "scheduler_least_bytes", "scheduler_store_all_bytes", "cap on activations",
     "optimum by the plan",
     "Optimum by the plan: its time by the times of layers that it was made with (model); filled "
     "where proved to be the least.",
     "least", "store all"},
    {AXIS_MEMORY_CAP, "loader_predicted_ns", NULL, "loader_peak_bytes", "loader_least_bytes",
     "loader_weight_bytes", "cap on weights", "pipeline",
     "Pipeline: time with that window and cap by the recurrence (model), from the loads and "
     "computes measured in the same passes.",
     "largest layer", "all weights"},
};

static const CapMetrics *find_metrics(const Figure *figure)
{
    return &cap_table[figure->kind->x == cap_table[0].x ? 0 : 1];
}

bool figure_has_activation_cap(const RunRecord *run, const CellSummary *summary)
{
    return !isnan(metric_value("time_ns", run, summary)) &&
           !isnan(metric_value("scheduler_predicted_ns", run, summary));
}

// Two vertical lines, where they are known.
static void define_marks(const Figure *figure, const CapMetrics *metrics, Range *x, FILE *script)
{
    const size_t cell = figure->series[0].points[0].cell;
    const double places[] = {figure_metric(figure, cell, metrics->least),
                             figure_metric(figure, cell, metrics->most)};
    const char *labels[] = {metrics->least_label, metrics->most_label};
    size_t count = 0;
    double known[2];
    const char *names[2];
    for (size_t i = 0; i < 2; i++) {
        if (isnan(places[i]))
            continue;
        range_widen(x, places[i]);
        known[count] = places[i];
        names[count++] = labels[i];
    }
    script_number(script, "mark_count", (double)count);
    script_numbers(script, "mark_place", known, count);
    script_texts(script, "mark_label", names, count);
}

void figure_define_cap(const Figure *figure, FILE *script)
{
    const CapMetrics *metrics = find_metrics(figure);
    const BarReader read = figure_time_views[0].read;
    Range times = figure_find_range(figure, read);
    Range x = range_empty;
    bool uncapped = false;
    char text[640];
    figure_define_series(figure, script);
    for (size_t i = 0; i < figure->series_count; i++)
        for (size_t j = 0; j < figure->series[i].count; j++) {
            const FigurePoint *point = &figure->series[i].points[j];
            range_widen(&x, point->x);
            range_widen(&times, figure_metric(figure, point->cell, metrics->predicted) / 1e6);
            uncapped = uncapped || point->automatic;
        }
    define_marks(figure, metrics, &x, script);
    const double margin = (x.high - x.low) * 0.05;
    const MemoryUnit unit = figure_choose_memory_unit(x.high);
    (void)snprintf(text, sizeof text, "%s [%s]", metrics->x_label, unit.name);
    script_text(script, "x_label", text);
    script_number(script, "unit", unit.bytes);
    script_text(script, "y_label", "time of one pass [ms]");
    script_text(script, "line_label", metrics->line);
    script_number(script, "x_low", fmax(x.low - margin, 0) / unit.bytes);
    script_number(script, "x_high", (x.high + margin) / unit.bytes);
    script_number(script, "y_high", times.high * 1.15);
    script_number(script, "uncapped", uncapped);
    script_number(script, "has_proofs", metrics->proved != NULL);
    (void)snprintf(text, sizeof text, "Medians over worker processes (clock); bars: %s.\n%s",
                   figure_describe_bars(figure, read), metrics->explanation);
    script_text(script, "caption", text);
}

void figure_tabulate_cap(const Figure *figure, FILE *data)
{
    const CapMetrics *metrics = find_metrics(figure);
    (void)fprintf(data, "# columns: cap [B], time [ms] (clock), low, high, samples, 1 = no cap, "
                        "predicted [ms] (model), 1 = proved, peak [B] (os)\n");
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
            data_column(data, figure_metric(figure, cell, metrics->predicted) / 1e6);
            data_column(data, metrics->proved ? figure_metric(figure, cell, metrics->proved)
                                              : (double)NAN);
            data_column(data, figure_metric(figure, cell, metrics->peak));
            (void)fputc('\n', data);
        }
    }
}
