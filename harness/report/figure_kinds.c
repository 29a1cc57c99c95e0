// SPDX-License-Identifier: Apache-2.0
// figure_kinds.c - the table of figures, and what each gives its template in plots/.
#include "report/figure_script.h"
#include "report/figures.h"
#include "report/format.h"

#include <math.h>
#include <string.h>

typedef struct Range {
    double low, high; // NAN, NAN: nothing yet
} Range;

static const Range empty_range = {NAN, NAN};

static void widen(Range *range, double value)
{
    range->low = fmin(range->low, value); // fmin and fmax ignore a NAN
    range->high = fmax(range->high, value);
}

static double read_metric(const Figure *figure, size_t cell, const char *name)
{
    return metric_value(name, figure->run, &figure->summaries[cell]);
}

// A metric named <stem><variant>, "gflops" and "_low".
static double read_variant(const Figure *figure, size_t cell, const char *stem, const char *variant)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s%s", stem, variant);
    return read_metric(figure, cell, name);
}

// A measured value with its bar: the interval of the median or, with too few samples for one, the
// range of the samples.
typedef struct Bar {
    double value, low, high;
    bool is_range;
} Bar;

static Bar read_rate(const Figure *figure, size_t cell)
{
    const char *stem = figure->kind->metric;
    Bar bar = {.value = read_metric(figure, cell, stem),
               .low = read_variant(figure, cell, stem, "_low"),
               .high = read_variant(figure, cell, stem, "_high")};
    bar.is_range = isnan(bar.low);
    if (bar.is_range) {
        bar.low = read_variant(figure, cell, stem, "_least");
        bar.high = read_variant(figure, cell, stem, "_most");
    }
    return bar;
}

static Bar read_time_ms(const Figure *figure, size_t cell)
{
    Bar bar = {.value = read_metric(figure, cell, "time_ns") / 1e6,
               .low = read_metric(figure, cell, "time_low_ns") / 1e6,
               .high = read_metric(figure, cell, "time_high_ns") / 1e6};
    bar.is_range = isnan(bar.low);
    if (bar.is_range) {
        bar.low = read_metric(figure, cell, "time_least_ns") / 1e6;
        bar.high = read_metric(figure, cell, "time_most_ns") / 1e6;
    }
    return bar;
}

typedef Bar (*BarReader)(const Figure *figure, size_t cell);

// What the bars of the figure are, for the caption.
static const char *describe_bars(const Figure *figure, BarReader read)
{
    size_t ranges = 0;
    size_t points = 0;
    for (size_t i = 0; i < figure->series_count; i++)
        for (size_t j = 0; j < figure->series[i].count; j++, points++)
            ranges += read(figure, figure->series[i].points[j].cell).is_range;
    if (ranges == 0)
        return "95 % order-statistic interval of the median";
    return ranges == points
               ? "range of the samples (fewer than 6: no 95 % interval)"
               : "95 % order-statistic interval of the median, or with fewer than 6 samples their "
                 "range";
}

static Range find_range(const Figure *figure, BarReader read)
{
    Range range = empty_range;
    for (size_t i = 0; i < figure->series_count; i++) {
        for (size_t j = 0; j < figure->series[i].count; j++) {
            const Bar bar = read(figure, figure->series[i].points[j].cell);
            widen(&range, bar.low);
            widen(&range, bar.high);
        }
    }
    return range;
}

static void define_series(const Figure *figure, FILE *script)
{
    const char *levels[FIGURE_MOST_LEVELS];
    for (size_t i = 0; i < figure->series_count; i++)
        levels[i] = figure->series[i].level;
    script_number(script, "series_count", (double)figure->series_count);
    script_texts(script, "series_level", levels, figure->series_count);
}

// Ticks at the places asked for, and limits a little outside of all points.
static void define_x(const Figure *figure, FILE *script)
{
    const Axis *axis = &axis_table[figure->kind->x];
    char label[96];
    (void)snprintf(label, sizeof label, "%s%s%s%s", axis->key, axis->unit[0] ? " [" : "",
                   axis->unit, axis->unit[0] ? "]" : "");
    for (char *at = label; *at; at++)
        *at = *at == '_' ? ' ' : *at;
    script_text(script, "x_label", label);
    Range range = empty_range;
    bool automatic = false;
    (void)fprintf(script, "x_ticks = '");
    double last = -INFINITY;
    for (;;) { // the next greater place, until there is none
        double next = INFINITY;
        for (size_t i = 0; i < figure->series_count; i++) {
            for (size_t j = 0; j < figure->series[i].count; j++) {
                const FigurePoint *point = &figure->series[i].points[j];
                widen(&range, point->x);
                automatic = automatic || point->automatic;
                if (!point->automatic && point->x > last && point->x < next)
                    next = point->x;
            }
        }
        if (!isfinite(next))
            break;
        (void)fprintf(script, "%s%.10g", isfinite(last) ? ", " : "", next);
        last = next;
    }
    (void)fprintf(script, "'\n");
    const double margin = pow(range.high / range.low, 0.05);
    script_number(script, "x_low", range.low / margin);
    script_number(script, "x_high", range.high * margin);
    script_number(script, "automatic", automatic);
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
        widen(range, peaks[count++]);
    }
    script_number(script, "peak_count", (double)count);
    script_texts(script, "peak_level", levels, count);
    script_numbers(script, "peak_value", peaks, count);
    return count;
}

static void define_rate(const Figure *figure, FILE *script)
{
    const Metric *metric = metric_find(figure->kind->metric);
    define_series(figure, script);
    define_x(figure, script);
    Range range = find_range(figure, read_rate);
    const size_t peaks = define_peaks(figure, &range, script);
    char text[512];
    (void)snprintf(text, sizeof text, "throughput [%s]", metric->unit);
    script_text(script, "y_label", text);
    script_number(script, "y_low", range.low / 1.25);
    script_number(script, "y_high", range.high * 1.25);
    (void)snprintf(
        text, sizeof text,
        "Median over worker processes; bars: %s. Time: clock; amount of work: nominal.%s",
        describe_bars(figure, read_rate),
        peaks ? "\nPeak: register-only multiply-adds of one core, measured (clock)."
        : strcmp(figure->kind->metric, "gflops") == 0
            ? "\nPeak: unavailable (the machine's limits were not measured)."
            : "");
    script_text(script, "caption", text);
}

static void tabulate_bars(const Figure *figure, BarReader read, const char *value, FILE *data)
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
            data_column(data, read_metric(figure, cell, "samples"));
            (void)fprintf(data, " %d\n", series->points[j].automatic);
        }
    }
}

static void tabulate_rate(const Figure *figure, FILE *data)
{
    const Metric *metric = metric_find(figure->kind->metric);
    char value[96];
    (void)snprintf(value, sizeof value, "%s [%s] (clock)", metric->name, metric->unit);
    tabulate_bars(figure, read_rate, value, data);
}

static bool has_gflops(const RunRecord *run, const CellSummary *summary)
{
    return !isnan(metric_value("gflops", run, summary));
}

static bool has_gelements(const RunRecord *run, const CellSummary *summary)
{
    return isnan(metric_value("gflops", run, summary)) &&
           !isnan(metric_value("gelements_per_s", run, summary));
}

static const struct {
    const char *name, *predicted, *low, *high, *measured;
    int cache_level;
} panel_table[] = {
    {"L1", "predicted_l1_misses", "predicted_l1_misses_low", "predicted_l1_misses_high",
     "PAPI_L1_DCM", 1},
    {"L2", "predicted_l2_misses", "predicted_l2_misses_low", "predicted_l2_misses_high",
     "PAPI_L2_DCM", 2},
    {"L3", "predicted_l3_misses", "predicted_l3_misses_low", "predicted_l3_misses_high",
     "PAPI_L3_TCM", 3},
};
enum { PANEL_COUNT = sizeof panel_table / sizeof *panel_table };

static bool has_misses(const RunRecord *run, const CellSummary *summary)
{
    for (size_t i = 0; i < PANEL_COUNT; i++)
        if (!isnan(metric_value(panel_table[i].predicted, run, summary)) ||
            !isnan(metric_value(panel_table[i].measured, run, summary)))
            return true;
    return false;
}

// One panel: what its axis has to cover, and whether anything was measured.
typedef struct Panel {
    size_t row; // of panel_table
    Range range;
    bool measured;
} Panel;

static Panel find_panel(const Figure *figure, size_t row)
{
    Panel panel = {.row = row, .range = empty_range};
    for (size_t i = 0; i < figure->series_count; i++) {
        for (size_t j = 0; j < figure->series[i].count; j++) {
            const size_t cell = figure->series[i].points[j].cell;
            const double measured = read_metric(figure, cell, panel_table[row].measured);
            panel.measured = panel.measured || !isnan(measured);
            widen(&panel.range, measured);
            widen(&panel.range, read_metric(figure, cell, panel_table[row].predicted));
            widen(&panel.range, read_metric(figure, cell, panel_table[row].low));
            widen(&panel.range, read_metric(figure, cell, panel_table[row].high));
        }
    }
    return panel;
}

// The cache levels that have anything to show.
static size_t find_panels(const Figure *figure, Panel panels[PANEL_COUNT])
{
    size_t count = 0;
    for (size_t row = 0; row < PANEL_COUNT; row++) {
        panels[count] = find_panel(figure, row);
        count += isnan(panels[count].range.high) ? 0 : 1;
    }
    return count;
}

// "L2 · 1 MiB" by the machine's record, "L2" where that does not tell.
static void title_panel(const Figure *figure, size_t row, char *text, size_t text_bytes)
{
    (void)snprintf(text, text_bytes, "%s", panel_table[row].name);
    const json_t *caches = json_object_get(figure->run->machine, "caches");
    for (size_t i = 0; i < json_array_size(caches); i++) {
        const json_t *cache = json_array_get(caches, i);
        const char *type = json_string_value(json_object_get(cache, "type"));
        const double bytes = json_number_value(json_object_get(cache, "size_bytes"));
        if (json_integer_value(json_object_get(cache, "level")) != panel_table[row].cache_level ||
            (type && strcmp(type, "instruction") == 0) || bytes <= 0)
            continue;
        const bool large = bytes >= 1024.0 * 1024;
        (void)snprintf(text, text_bytes, "%s · %.4g %s", panel_table[row].name,
                       bytes / (large ? 1024.0 * 1024 : 1024), large ? "MiB" : "KiB");
        return;
    }
}

// Why the first cell has no measured misses; for the caption.
static const char *find_missing_reason(const Figure *figure)
{
    const CellSummary *summary = &figure->summaries[figure->series[0].points[0].cell];
    return metric_reason(metric_find(panel_table[0].measured), figure->run, summary);
}

static void define_panels(const Figure *figure, const Panel *panels, size_t count, FILE *script)
{
    char titles[PANEL_COUNT][64];
    const char *title_list[PANEL_COUNT];
    const char *units[PANEL_COUNT];
    double scale[PANEL_COUNT], wide[PANEL_COUNT], measured[PANEL_COUNT];
    double low[PANEL_COUNT], high[PANEL_COUNT];
    for (size_t i = 0; i < count; i++) {
        const Range range = panels[i].range;
        title_panel(figure, panels[i].row, titles[i], sizeof titles[i]);
        title_list[i] = titles[i];
        scale[i] = range.high >= 1e6 ? 1e6 : range.high >= 1e3 ? 1e3 : 1;
        units[i] = range.high >= 1e6   ? "misses [10⁶ lines]"
                   : range.high >= 1e3 ? "misses [10³ lines]"
                                       : "misses [lines]";
        measured[i] = panels[i].measured;
        // Logarithmic where a linear axis would flatten the lower end; room above for a note.
        wide[i] = range.low > 0 && range.high / range.low > 4;
        low[i] = wide[i] != 0 ? range.low / scale[i] / 1.3 : 0;
        high[i] = range.high / scale[i] * (wide[i] != 0 ? pow(range.high / range.low, 0.16) : 1.2);
        high[i] = high[i] > 0 ? high[i] : 1;
    }
    script_number(script, "panel_count", (double)count);
    script_texts(script, "panel_title", title_list, count);
    script_texts(script, "panel_unit", units, count);
    script_numbers(script, "panel_scale", scale, count);
    script_numbers(script, "panel_wide", wide, count);
    script_numbers(script, "panel_measured", measured, count);
    script_numbers(script, "panel_low", low, count);
    script_numbers(script, "panel_high", high, count);
}

static void define_misses(const Figure *figure, FILE *script)
{
    define_series(figure, script);
    define_x(figure, script);
    Panel panels[PANEL_COUNT];
    const size_t count = find_panels(figure, panels);
    define_panels(figure, panels, count, script);
    bool any_measured = false;
    for (size_t i = 0; i < count; i++)
        any_measured = any_measured || panels[i].measured;
    script_number(script, "any_measured", any_measured);
    const char *reason = find_missing_reason(figure);
    const bool no_pmu = strstr(reason, "PMU") != NULL;
    script_text(script, "missing_text",
                no_pmu ? "measured: unavailable (no PMU)" : "measured: unavailable");
    char text[640];
    (void)snprintf(text, sizeof text,
                   "Predicted: model, one iteration from cold caches; bars: interval of the "
                   "prediction.\nMeasured: %s%.200s%s",
                   any_measured ? "hardware counters, one iteration, warm (pmu)" : "unavailable (",
                   any_measured ? "" : reason, any_measured ? "." : ").");
    script_text(script, "caption", text);
}

static void tabulate_misses(const Figure *figure, FILE *data)
{
    Panel panels[PANEL_COUNT];
    const size_t count = find_panels(figure, panels);
    (void)fprintf(
        data, "# columns: %s, predicted [lines] (model), low, high, measured (pmu), automatic\n",
        axis_table[figure->kind->x].key);
    for (size_t i = 0; i < count * figure->series_count; i++) {
        const size_t row = panels[i / figure->series_count].row;
        const FigureSeries *series = &figure->series[i % figure->series_count];
        (void)fprintf(data, "%s# %s, %s\n", i ? "\n\n" : "", panel_table[row].name, series->level);
        for (size_t j = 0; j < series->count; j++) {
            const size_t cell = series->points[j].cell;
            data_column(data, series->points[j].x);
            data_column(data, read_metric(figure, cell, panel_table[row].predicted));
            data_column(data, read_metric(figure, cell, panel_table[row].low));
            data_column(data, read_metric(figure, cell, panel_table[row].high));
            data_column(data, read_metric(figure, cell, panel_table[row].measured));
            (void)fprintf(data, " %d\n", series->points[j].automatic);
        }
    }
}

static bool has_time(const RunRecord *run, const CellSummary *summary)
{
    return !isnan(metric_value("time_ns", run, summary));
}

// "builtin:cnn:width=8,depth=2" in lines; of a path the last part.
static void label_model(const char *model, char *text, size_t text_bytes)
{
    const char *slash = strrchr(model, '/');
    (void)snprintf(text, text_bytes, "%s", slash ? slash + 1 : model);
    for (char *at = text; *at; at++)
        *at = *at == ',' || (*at == ':' && at > text) ? '\n' : *at;
}

// A point of that category, or NULL where all its cells are left out.
static const FigurePoint *find_category(const Figure *figure, double x)
{
    for (size_t i = 0; i < figure->series_count; i++)
        for (size_t j = 0; j < figure->series[i].count; j++)
            if (figure->series[i].points[j].x == x)
                return &figure->series[i].points[j];
    return NULL;
}

static void define_categories(const Figure *figure, FILE *script)
{
    double count = 0;
    for (size_t i = 0; i < figure->series_count; i++)
        count = fmax(count, figure->series[i].points[figure->series[i].count - 1].x);
    script_number(script, "category_count", count);
    (void)fprintf(script, "array category_label[%.0f] = [", count);
    for (double x = 1; x <= count; x++) {
        const FigurePoint *point = find_category(figure, x);
        char label[AXIS_TEXT_BYTES + 1] = "";
        if (point)
            label_model(figure->run->plan->cells[point->cell].values[figure->kind->x].text, label,
                        sizeof label);
        (void)fprintf(script, "%s", x > 1 ? ", " : "");
        script_quote(script, label);
    }
    (void)fprintf(script, "]\n");
}

static void define_models(const Figure *figure, FILE *script)
{
    define_series(figure, script);
    define_categories(figure, script);
    const Range range = find_range(figure, read_time_ms);
    script_text(script, "y_label", "time of one pass [ms]");
    script_number(script, "y_low", range.low / 2);
    script_number(script, "y_high", range.high * 2);
    char text[320];
    (void)snprintf(text, sizeof text, "Median over worker processes (clock); bars: %s.",
                   describe_bars(figure, read_time_ms));
    script_text(script, "caption", text);
}

static void tabulate_models(const Figure *figure, FILE *data)
{
    tabulate_bars(figure, read_time_ms, "time [ms] (clock)", data);
}

const FigureKind figure_kind_table[] = {
    {"gflops-over-block-size", "rate", AXIS_BLOCK_SIZE, "gflops", "throughput over block size",
     has_gflops, define_rate, tabulate_rate},
    {"gflops-over-n", "rate", AXIS_N, "gflops", "throughput over size", has_gflops, define_rate,
     tabulate_rate},
    {"gelements-over-size", "rate", AXIS_SIZE, "gelements_per_s", "throughput over length",
     has_gelements, define_rate, tabulate_rate},
    {"misses-over-block-size", "misses", AXIS_BLOCK_SIZE, NULL,
     "predicted and measured cache misses over block size", has_misses, define_misses,
     tabulate_misses},
    {"misses-over-n", "misses", AXIS_N, NULL, "predicted and measured cache misses over size",
     has_misses, define_misses, tabulate_misses},
    {"time-by-model", "models", AXIS_MODEL, NULL, "time of one pass by SIMD level", has_time,
     define_models, tabulate_models},
    {.name = NULL},
};
