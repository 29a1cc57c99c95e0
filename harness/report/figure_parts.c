// SPDX-License-Identifier: Apache-2.0
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>
#include <string.h>

const Range range_empty = {NAN, NAN};

void range_widen(Range *range, double value)
{
    range->low = fmin(range->low, value); // fmin and fmax ignore a NAN
    range->high = fmax(range->high, value);
}

MemoryUnit figure_choose_memory_unit(double most_bytes)
{
    const bool large = most_bytes >= 4 * 1024.0 * 1024;
    return (MemoryUnit){large ? "MiB" : "KiB", large ? 1024.0 * 1024 : 1024};
}

double figure_metric(const Figure *figure, size_t cell, const char *name)
{
    return metric_value(name, figure->run, &figure->summaries[cell]);
}

void figure_count_bars(const Figure *figure, BarReader read, size_t *ranges, size_t *points)
{
    for (size_t i = 0; i < figure->series_count; i++)
        for (size_t j = 0; j < figure->series[i].count; j++, ++*points)
            *ranges += read(figure, figure->series[i].points[j].cell).is_range;
}

const char *bars_describe(size_t ranges, size_t points)
{
    if (ranges == 0)
        return "95 % order-statistic interval of the median";
    return ranges == points
               ? "range of the samples (fewer than 6: no 95 % interval)"
               : "95 % order-statistic interval of the median, or with fewer than 6 samples their "
                 "range";
}

const char *figure_describe_bars(const Figure *figure, BarReader read)
{
    size_t ranges = 0;
    size_t points = 0;
    figure_count_bars(figure, read, &ranges, &points);
    return bars_describe(ranges, points);
}

// Logarithmic where a linear axis would flatten the lower end: to base 10, which needs no scale,
// over more decades than one scale can name.
ValueAxis figure_choose_axis(Range range, bool counts)
{
    const double ratio = range.low > 0 ? range.high / range.low : 1;
    ValueAxis axis = {.base = ratio > (counts ? 100 : 1000) ? 10
                              : ratio > 4                   ? 2
                                                            : 0,
                      .scale = 1,
                      .prefix = ""};
    if (counts && axis.base < 10 && range.high >= 1e3) {
        axis.scale = range.high >= 1e6 ? 1e6 : 1e3;
        axis.prefix = range.high >= 1e6 ? "10⁶ " : "10³ ";
    }
    axis.low = axis.base > 0 ? range.low / axis.scale / 1.3 : 0;
    axis.high = range.high / axis.scale * (axis.base > 0 ? pow(ratio, 0.16) : 1.2);
    axis.high = axis.high > 0 ? axis.high : 1;
    return axis;
}

Range figure_find_range(const Figure *figure, BarReader read)
{
    Range range = range_empty;
    for (size_t i = 0; i < figure->series_count; i++) {
        for (size_t j = 0; j < figure->series[i].count; j++) {
            const Bar bar = read(figure, figure->series[i].points[j].cell);
            range_widen(&range, bar.value);
            range_widen(&range, bar.low);
            range_widen(&range, bar.high);
        }
    }
    return range;
}

void figure_define_series(const Figure *figure, FILE *script)
{
    const char *levels[FIGURE_MOST_LEVELS];
    for (size_t i = 0; i < figure->series_count; i++)
        levels[i] = figure->series[i].level;
    script_number(script, "series_count", (double)figure->series_count);
    script_texts(script, "series_level", levels, figure->series_count);
}

// The least place asked for that is beyond `last`; infinite where there is none.
static double find_next_tick(const Figure *figure, double last)
{
    double next = INFINITY;
    for (size_t i = 0; i < figure->series_count; i++) {
        for (size_t j = 0; j < figure->series[i].count; j++) {
            const FigurePoint *point = &figure->series[i].points[j];
            if (!point->automatic && point->x > last && point->x < next)
                next = point->x;
        }
    }
    return next;
}

// "96", "10k", "64Ki", "1M": short where that loses nothing.
static void label_tick(double value, char *text, size_t text_bytes)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{1 << 20, "Mi"}, {1e6, "M"}, {1 << 10, "Ki"}, {1e3, "k"}};
    for (size_t i = 0; value >= 1e4 && i < sizeof units / sizeof *units; i++) {
        if (fmod(value, units[i].unit) == 0) {
            (void)snprintf(text, text_bytes, "%.0f%s", value / units[i].unit, units[i].name);
            return;
        }
    }
    (void)snprintf(text, text_bytes, "%.10g", value);
}

static double find_next_tick_of_all(const Figure *const *figures, size_t count, double last)
{
    double next = INFINITY;
    for (size_t i = 0; i < count; i++)
        next = fmin(next, find_next_tick(figures[i], last));
    return next;
}

static void define_ticks(const Figure *const *figures, size_t figure_count, FILE *script)
{
    size_t count = 0;
    (void)fprintf(script, "ticks = \"set xtics nomirror (");
    for (double at = find_next_tick_of_all(figures, figure_count, -INFINITY); isfinite(at);
         at = find_next_tick_of_all(figures, figure_count, at), count++) {
        char label[32];
        label_tick(at, label, sizeof label);
        (void)fprintf(script, "%s'%s' %.10g", count ? ", " : "", label, at);
    }
    (void)fprintf(script, ")\"\n");
}

// "block size [elements]", "m = n = k [elements]".
static void define_x_label(const Figure *figure, FILE *script)
{
    const Axis *axis = &axis_table[figure->kind->x];
    char label[128];
    sweep_axis_title(figure->run->plan, figure->sweep, figure->kind->x, label, sizeof label);
    for (char *at = label; *at; at++)
        if (*at == '_')
            *at = ' ';
    if (axis->unit[0])
        (void)snprintf(label + strlen(label), sizeof label - strlen(label), " [%s]", axis->unit);
    script_text(script, "x_label", label);
}

// Whether one of its points is an automatic block.
static bool widen_x(const Figure *figure, Range *range)
{
    bool automatic = false;
    for (size_t i = 0; i < figure->series_count; i++) {
        for (size_t j = 0; j < figure->series[i].count; j++) {
            range_widen(range, figure->series[i].points[j].x);
            automatic = automatic || figure->series[i].points[j].automatic;
        }
    }
    return automatic;
}

void figure_define_x(const Figure *figure, FILE *script)
{
    figures_define_x(&figure, 1, script);
}

void figures_define_x(const Figure *const *figures, size_t count, FILE *script)
{
    Range range = range_empty;
    bool automatic = false;
    for (size_t i = 0; i < count; i++)
        automatic = widen_x(figures[i], &range) || automatic;
    define_x_label(figures[0], script);
    define_ticks(figures, count, script);
    const bool logarithmic = range.low > 0;
    const double factor = logarithmic ? pow(range.high / range.low, 0.05) : 1;
    const double margin = logarithmic ? 0 : (range.high - range.low) * 0.05;
    script_number(script, "x_logarithmic", logarithmic);
    script_number(script, "x_low", range.low / factor - margin);
    script_number(script, "x_high", range.high * factor + margin);
    script_number(script, "automatic", automatic);
}

void figure_tabulate_bars(const Figure *figure, BarReader read, const char *value, FILE *data)
{
    (void)fprintf(data, "# columns: %s, %s, low, high, samples, automatic\n",
                  axis_table[figure->kind->x].key, value);
    for (size_t i = 0; i < figure->series_count; i++) {
        const FigureSeries *series = &figure->series[i];
        (void)fprintf(data, "%s# %s\n", i ? "\n\n" : "", series->level);
        for (size_t j = 0; j < series->count; j++) {
            const size_t cell = series->points[j].cell;
            const Bar bar = read(figure, cell);
            data_column(data, series->points[j].x);
            data_column(data, bar.value);
            data_column(data, bar.low);
            data_column(data, bar.high);
            data_column(data, figure_metric(figure, cell, "samples"));
            (void)fprintf(data, " %d\n", series->points[j].automatic);
        }
    }
}
