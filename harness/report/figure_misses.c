// SPDX-License-Identifier: Apache-2.0
// figure_misses.c - predicted against measured cache misses, a panel per cache level.
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>
#include <string.h>

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

bool figure_has_misses(const RunRecord *run, const CellSummary *summary)
{
    for (size_t i = 0; i < PANEL_COUNT; i++)
        if (!isnan(metric_value(panel_table[i].predicted, run, summary)) ||
            !isnan(metric_value(panel_table[i].measured, run, summary)))
            return true;
    return false;
}

// A fact of a cell, told beside the times; NAN unknown.
static double read_fact(const Figure *figure, size_t cell, const char *before, int level,
                        const char *after)
{
    const CellSummary *summary = &figure->summaries[cell];
    char name[48];
    double value = NAN;
    (void)snprintf(name, sizeof name, "%s%d%s", before, level, after);
    for (size_t i = 0; i < summary->record_count && isnan(value); i++)
        if (summary->records[i]->task == SAMPLE_COUNT || summary->records[i]->task == SAMPLE_VERIFY)
            value = sample_value(summary->records[i], name);
    return value;
}

// Lines that every access of the kernel brought into the level in a simulation.
static double read_simulated(const Figure *figure, size_t cell, int level)
{
    return read_fact(figure, cell, "sim.cold.L", level, ".fills");
}

// One panel: what its axis has to cover, and whether anything was measured.
typedef struct Panel {
    size_t row; // of panel_table
    Range range;
    bool measured, simulated;
} Panel;

static Panel find_panel(const Figure *figure, size_t row)
{
    Panel panel = {.row = row, .range = range_empty};
    for (size_t i = 0; i < figure->series_count; i++) {
        for (size_t j = 0; j < figure->series[i].count; j++) {
            const size_t cell = figure->series[i].points[j].cell;
            const double measured = figure_metric(figure, cell, panel_table[row].measured);
            panel.measured = panel.measured || !isnan(measured);
            range_widen(&panel.range, measured);
            const double simulated = read_simulated(figure, cell, panel_table[row].cache_level);
            panel.simulated = panel.simulated || !isnan(simulated);
            range_widen(&panel.range, simulated);
            range_widen(&panel.range, figure_metric(figure, cell, panel_table[row].predicted));
            range_widen(&panel.range, figure_metric(figure, cell, panel_table[row].low));
            range_widen(&panel.range, figure_metric(figure, cell, panel_table[row].high));
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

// What the cells were computed for; NAN where that is unknown or not the same for all.
static double find_level_bytes(const Figure *figure, int level)
{
    double bytes = NAN;
    for (size_t i = 0; i < figure->series_count; i++)
        for (size_t j = 0; j < figure->series[i].count; j++) {
            const size_t cell = figure->series[i].points[j].cell;
            const double here = read_fact(figure, cell, "geometry.L", level, ".size_bytes");
            if (isnan(here) || (!isnan(bytes) && here != bytes))
                return NAN;
            bytes = here;
        }
    return bytes;
}

// "L2 · 1 MiB", "L2" where its size is not known.
static void title_panel(const Figure *figure, size_t row, char *text, size_t text_bytes)
{
    const double bytes = find_level_bytes(figure, panel_table[row].cache_level);
    const bool large = bytes >= 1024.0 * 1024;
    (void)snprintf(text, text_bytes, "%s", panel_table[row].name);
    if (!isnan(bytes))
        (void)snprintf(text, text_bytes, "%s · %.4g %s", panel_table[row].name,
                       bytes / (large ? 1024.0 * 1024 : 1024), large ? "MiB" : "KiB");
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
    char units[PANEL_COUNT][32];
    const char *unit_list[PANEL_COUNT];
    double scale[PANEL_COUNT], base[PANEL_COUNT], measured[PANEL_COUNT];
    double low[PANEL_COUNT], high[PANEL_COUNT];
    for (size_t i = 0; i < count; i++) {
        title_panel(figure, panels[i].row, titles[i], sizeof titles[i]);
        title_list[i] = titles[i];
        const ValueAxis axis = figure_choose_axis(panels[i].range, true);
        base[i] = axis.base;
        scale[i] = axis.scale;
        (void)snprintf(units[i], sizeof units[i], "misses [%slines]", axis.prefix);
        unit_list[i] = units[i];
        measured[i] = panels[i].measured;
        low[i] = axis.low;
        high[i] = axis.high;
    }
    script_number(script, "panel_count", (double)count);
    script_texts(script, "panel_title", title_list, count);
    script_texts(script, "panel_unit", unit_list, count);
    script_numbers(script, "panel_scale", scale, count);
    script_numbers(script, "panel_base", base, count);
    script_numbers(script, "panel_measured", measured, count);
    script_numbers(script, "panel_low", low, count);
    script_numbers(script, "panel_high", high, count);
}

void figure_define_misses(const Figure *figure, FILE *script)
{
    figure_define_series(figure, script);
    figure_define_x(figure, script);
    Panel panels[PANEL_COUNT];
    const size_t count = find_panels(figure, panels);
    define_panels(figure, panels, count, script);
    bool any_measured = false;
    for (size_t i = 0; i < count; i++)
        any_measured = any_measured || panels[i].measured;
    script_number(script, "any_measured", any_measured);
    bool any_simulated = false;
    for (size_t i = 0; i < count; i++)
        any_simulated = any_simulated || panels[i].simulated;
    script_number(script, "any_simulated", any_simulated);
    const char *reason = find_missing_reason(figure);
    const bool no_pmu = strstr(reason, "PMU") != NULL;
    script_text(script, "missing_text",
                no_pmu ? "measured: unavailable (no PMU)" : "measured: unavailable");
    char text[640];
    (void)snprintf(text, sizeof text,
                   "Predicted: model, one iteration from cold caches; band: interval of the "
                   "prediction.%s\nMeasured: %s%.200s%s",
                   any_simulated ? " Simulated: sim, every access." : "",
                   any_measured ? "hardware counters, one iteration, warm (pmu)" : "unavailable (",
                   any_measured ? "" : reason, any_measured ? "." : ").");
    script_text(script, "caption", text);
}

void figure_tabulate_misses(const Figure *figure, FILE *data)
{
    Panel panels[PANEL_COUNT];
    const size_t count = find_panels(figure, panels);
    (void)fprintf(data,
                  "# columns: %s, predicted [lines] (model), low, high, measured (pmu), automatic, "
                  "simulated (sim)\n",
                  axis_table[figure->kind->x].key);
    for (size_t i = 0; i < count * figure->series_count; i++) {
        const size_t row = panels[i / figure->series_count].row;
        const FigureSeries *series = &figure->series[i % figure->series_count];
        (void)fprintf(data, "%s# %s, %s\n", i ? "\n\n" : "", panel_table[row].name, series->level);
        for (size_t j = 0; j < series->count; j++) {
            const size_t cell = series->points[j].cell;
            data_column(data, series->points[j].x);
            data_column(data, figure_metric(figure, cell, panel_table[row].predicted));
            data_column(data, figure_metric(figure, cell, panel_table[row].low));
            data_column(data, figure_metric(figure, cell, panel_table[row].high));
            data_column(data, figure_metric(figure, cell, panel_table[row].measured));
            (void)fprintf(data, " %d", series->points[j].automatic);
            data_column(data, read_simulated(figure, cell, panel_table[row].cache_level));
            (void)fputc('\n', data);
        }
    }
}

static Bar read_row(const Figure *figure, size_t cell, size_t row)
{
    return (Bar){.value = figure_metric(figure, cell, panel_table[row].predicted),
                 .low = figure_metric(figure, cell, panel_table[row].low),
                 .high = figure_metric(figure, cell, panel_table[row].high)};
}

#define ROW_READER(name, row)                                                                      \
    static Bar name(const Figure *figure, size_t cell)                                             \
    {                                                                                              \
        return read_row(figure, cell, row);                                                        \
    }
ROW_READER(read_l1, 0)
ROW_READER(read_l2, 1)
ROW_READER(read_l3, 2)
#undef ROW_READER

const FigureView figure_miss_views[] = {
    {"L1", "misses", "lines", read_l1, "PAPI_L1_DCM"},
    {"L2", "misses", "lines", read_l2, "PAPI_L2_DCM"},
    {"L3", "misses", "lines", read_l3, "PAPI_L3_TCM"},
    {.name = NULL},
};
