// SPDX-License-Identifier: Apache-2.0
// figure_categories.c - a time or a rate by a named axis and SIMD level, side by side.
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>
#include <string.h>

// Cells with a memory optimizer are shown with the memory they take, those with a loader or
// a scheduler over window and cap.
bool figure_has_time(const RunRecord *run, const CellSummary *summary)
{
    return !isnan(metric_value("time_ns", run, summary)) &&
           isnan(metric_value("memory_planned_bytes", run, summary)) &&
           isnan(metric_value("loader_load_ns", run, summary)) &&
           isnan(metric_value("scheduler_predicted_ns", run, summary));
}

static Bar read_time_ms(const Figure *figure, size_t cell)
{
    Bar bar = {.value = figure_metric(figure, cell, "time_ns") / 1e6,
               .low = figure_metric(figure, cell, "time_low_ns") / 1e6,
               .high = figure_metric(figure, cell, "time_high_ns") / 1e6};
    bar.is_range = isnan(bar.low);
    if (bar.is_range) {
        bar.low = figure_metric(figure, cell, "time_least_ns") / 1e6;
        bar.high = figure_metric(figure, cell, "time_most_ns") / 1e6;
    }
    return bar;
}

// "builtin:cnn:width=8,depth=2" in lines, the first "builtin:cnn"; of a path the last part.
static void label_category(const char *value, char *text, size_t text_bytes)
{
    const char *slash = strrchr(value, '/');
    (void)snprintf(text, text_bytes, "%s", slash ? slash + 1 : value);
    enum { LONG_LINE = 12 };
    const char *line = text;
    bool colon_seen = false;
    for (char *at = text; *at; at++) {
        const bool is_colon = *at == ':';
        if ((*at == ',' && at - line >= LONG_LINE) || (is_colon && colon_seen)) {
            *at = '\n';
            line = at + 1;
        }
        colon_seen = colon_seen || is_colon;
    }
}

const FigurePoint *figure_find_category(const Figure *figure, double x)
{
    for (size_t i = 0; i < figure->series_count; i++)
        for (size_t j = 0; j < figure->series[i].count; j++)
            if (figure->series[i].points[j].x == x)
                return &figure->series[i].points[j];
    return NULL;
}

size_t figure_count_categories(const Figure *figure)
{
    size_t count = 0;
    for (size_t i = 0; i < figure->series_count; i++) {
        const double last = figure->series[i].points[figure->series[i].count - 1].x;
        count = last > (double)count ? (size_t)last : count;
    }
    return count;
}

static void define_categories(const Figure *figure, FILE *script)
{
    const size_t count = figure_count_categories(figure);
    script_number(script, "category_count", (double)count);
    (void)fprintf(script, "array category_label[%zu] = [", count);
    for (size_t x = 1; x <= count; x++) {
        const FigurePoint *point = figure_find_category(figure, (double)x);
        char label[AXIS_TEXT_BYTES + 1] = "";
        char value[AXIS_TEXT_BYTES + 1];
        if (point) {
            cell_format_axis(&figure->run->plan->cells[point->cell], figure->kind->x, value,
                             sizeof value);
            label_category(value, label, sizeof label);
        }
        (void)fprintf(script, "%s", x > 1 ? ", " : "");
        script_quote(script, label);
    }
    (void)fprintf(script, "]\n");
}

// A kind without a metric shows the time.
static BarReader find_reader(const Figure *figure)
{
    return figure->kind->metric ? figure_read_rate : read_time_ms;
}

void figure_define_categories(const Figure *figure, FILE *script)
{
    const BarReader read = find_reader(figure);
    figure_define_series(figure, script);
    define_categories(figure, script);
    const Range range = figure_find_range(figure, read);
    char text[320];
    (void)snprintf(text, sizeof text, "%s [%s]",
                   figure->kind->metric ? "throughput" : "time of one pass",
                   figure->kind->metric ? metric_find(figure->kind->metric)->unit : "ms");
    script_text(script, "y_label", text);
    script_number(script, "y_low", range.low / 2);
    script_number(script, "y_high", range.high * 2);
    (void)snprintf(text, sizeof text, "Median over worker processes (clock); bars: %s.",
                   figure_describe_bars(figure, read));
    script_text(script, "caption", text);
}

void figure_tabulate_categories(const Figure *figure, FILE *data)
{
    char value[96] = "time [ms] (clock)";
    if (figure->kind->metric)
        (void)snprintf(value, sizeof value, "%s [%s] (clock)", figure->kind->metric,
                       metric_find(figure->kind->metric)->unit);
    figure_tabulate_bars(figure, find_reader(figure), value, data);
}

const FigureView figure_time_views[] = {
    {"", "time of one pass", "ms", read_time_ms, NULL},
    {.name = NULL},
};
