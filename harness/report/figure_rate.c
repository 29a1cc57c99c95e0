// SPDX-License-Identifier: Apache-2.0
// figure_rate.c - rates over one axis, with the measured peaks.
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>
#include <string.h>

// A metric named <stem><variant>, "gflops" and "_low".
static double read_variant(const Figure *figure, size_t cell, const char *stem, const char *variant)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s%s", stem, variant);
    return figure_metric(figure, cell, name);
}

Bar figure_read_rate(const Figure *figure, size_t cell)
{
    const char *stem = figure->kind->metric;
    Bar bar = {.value = figure_metric(figure, cell, stem),
               .low = read_variant(figure, cell, stem, "_low"),
               .high = read_variant(figure, cell, stem, "_high")};
    bar.is_range = isnan(bar.low);
    if (bar.is_range) {
        bar.low = read_variant(figure, cell, stem, "_least");
        bar.high = read_variant(figure, cell, stem, "_most");
    }
    return bar;
}

// Only operations per second have a measured peak to be held against.
static size_t define_peaks(const Figure *figure, Range *range, FILE *script)
{
    const char *levels[FIGURE_MOST_LEVELS];
    double peaks[FIGURE_MOST_LEVELS];
    size_t count = 0;
    for (size_t i = 0; strcmp(figure->kind->metric, "gflops") == 0 && i < figure->series_count;
         i++) {
        Interval spread;
        levels[count] = figure->series[i].level;
        peaks[count] = metrics_peak(figure->run, levels[count], &spread);
        if (isnan(peaks[count]))
            continue;
        range_widen(range, peaks[count++]);
    }
    script_number(script, "peak_count", (double)count);
    script_texts(script, "peak_level", levels, count);
    script_numbers(script, "peak_value", peaks, count);
    return count;
}

void figure_define_rate(const Figure *figure, FILE *script)
{
    const Metric *metric = metric_find(figure->kind->metric);
    figure_define_series(figure, script);
    figure_define_x(figure, script);
    Range range = figure_find_range(figure, figure_read_rate);
    const size_t peaks = define_peaks(figure, &range, script);
    char text[512];
    (void)snprintf(text, sizeof text, "throughput [%s]", metric->unit);
    script_text(script, "y_label", text);
    script_number(script, "y_low", range.low / 1.25);
    script_number(script, "y_high", range.high * 1.25);
    (void)snprintf(
        text, sizeof text,
        "Median over worker processes; bars: %s. Time: clock; amount of work: nominal.%s",
        figure_describe_bars(figure, figure_read_rate),
        peaks ? "\nPeak: register-only multiply-adds of one core, measured (clock)."
        : strcmp(figure->kind->metric, "gflops") == 0
            ? "\nPeak: unavailable (the machine's limits were not measured)."
            : "");
    script_text(script, "caption", text);
}

void figure_tabulate_rate(const Figure *figure, FILE *data)
{
    const Metric *metric = metric_find(figure->kind->metric);
    char value[96];
    (void)snprintf(value, sizeof value, "%s [%s] (clock)", metric->name, metric->unit);
    figure_tabulate_bars(figure, figure_read_rate, value, data);
}

bool figure_has_gflops(const RunRecord *run, const CellSummary *summary)
{
    return !isnan(metric_value("gflops", run, summary));
}

bool figure_has_gelements(const RunRecord *run, const CellSummary *summary)
{
    return isnan(metric_value("gflops", run, summary)) &&
           !isnan(metric_value("gelements_per_s", run, summary));
}

const FigureView figure_rate_views[] = {
    {"", "throughput", NULL, figure_read_rate, NULL},
    {.name = NULL},
};
