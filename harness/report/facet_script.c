// SPDX-License-Identifier: Apache-2.0
// facet_script.c - definitions and data of a figure by machine. Blocks of data stand by panel; in a
// panel by run, and in a run by SIMD level.
#include "report/figure_facets.h"

#include "report/figure_script.h"
#include "report/format.h"

#include <math.h>
#include <string.h>

enum {
    CATEGORY_BYTES = 34, // of a label below a narrow panel
    MOST_STYLES = 8,     // told apart by their dashes; later runs of a machine look like the last
    MOST_NAMED_RUNS = 3, // of a style in the legend
    MOST_BLOCKS = 256
};

static bool is_shown(const Facet *facet, const FacetMember *member)
{
    return member->panel >= facet->first_shown &&
           member->panel < facet->first_shown + facet->shown_count;
}

static size_t find_style(const FacetMember *member)
{
    return member->style < MOST_STYLES ? member->style : MOST_STYLES - 1;
}

static size_t count_styles(const Facet *facet)
{
    size_t count = 0;
    for (size_t i = 0; i < facet->member_count; i++)
        if (find_style(&facet->members[i]) >= count)
            count = find_style(&facet->members[i]) + 1;
    return count;
}

static bool facet_has_level(const Facet *facet, const char *level)
{
    for (size_t i = 0; i < facet->member_count; i++)
        for (size_t j = 0; j < facet->figures[i]->series_count; j++)
            if (strcmp(facet->figures[i]->series[j].level, level) == 0)
                return true;
    return false;
}

// The levels of all members, least first; their count.
static size_t find_levels(const Facet *facet, const char *levels[METRICS_LEVEL_COUNT])
{
    size_t count = 0;
    for (size_t i = 0; i < METRICS_LEVEL_COUNT; i++)
        if (facet_has_level(facet, metrics_level_names[i]))
            levels[count++] = metrics_level_names[i];
    return count;
}

static double measured_value(const Facet *facet, size_t member, size_t cell)
{
    return facet->view->measured
               ? figure_metric(facet->figures[member], cell, facet->view->measured)
               : (double)NAN;
}

static Range find_measured_range(const Facet *facet)
{
    Range range = range_empty;
    for (size_t i = 0; i < facet->member_count; i++)
        for (size_t j = 0; j < facet->figures[i]->series_count; j++)
            for (size_t k = 0; k < facet->figures[i]->series[j].count; k++)
                range_widen(&range,
                            measured_value(facet, i, facet->figures[i]->series[j].points[k].cell));
    return range;
}

static bool shows_peaks(const Facet *facet)
{
    const char *metric = facet->figures[0]->kind->metric;
    return metric && strcmp(metric, "gflops") == 0;
}

// Measured peaks of each machine at the levels that the figure shows, of its first run.
static size_t define_peaks(const Facet *facet, const char *const *levels, size_t level_count,
                           Range *range, FILE *script)
{
    const char *names[FACET_MOST_PANELS * METRICS_LEVEL_COUNT];
    double panels[FACET_MOST_PANELS * METRICS_LEVEL_COUNT];
    double values[FACET_MOST_PANELS * METRICS_LEVEL_COUNT];
    size_t count = 0;
    for (size_t i = 0; shows_peaks(facet) && i < facet->member_count; i++) {
        for (size_t j = 0; facet->members[i].style == 0 && j < level_count; j++) {
            Interval spread;
            const double peak = metrics_peak(facet->figures[i]->run, levels[j], &spread);
            range_widen(range, peak);
            if (isnan(peak) || !is_shown(facet, &facet->members[i]))
                continue;
            names[count] = levels[j];
            panels[count] = (double)(facet->members[i].panel - facet->first_shown + 1);
            values[count++] = peak;
        }
    }
    script_number(script, "peak_count", (double)count);
    script_texts(script, "peak_level", names, count);
    script_numbers(script, "peak_panel", panels, count);
    script_numbers(script, "peak_value", values, count);
    return count;
}

static void define_panels(const Facet *facet, FILE *script)
{
    char titles[FACET_MOST_PANELS][MACHINE_TEXT_BYTES + 32];
    char notes[FACET_MOST_PANELS][MACHINE_TEXT_BYTES];
    const char *title_list[FACET_MOST_PANELS];
    const char *note_list[FACET_MOST_PANELS];
    for (size_t i = 0; i < facet->member_count; i++) {
        const FacetMember *member = &facet->members[i];
        if (!is_shown(facet, member) || member->style > 0)
            continue;
        const size_t panel = member->panel - facet->first_shown;
        const json_t *machine = facet->figures[i]->run->machine;
        char name[MACHINE_TEXT_BYTES];
        run_machine_describe(machine, name, sizeof name);
        (void)snprintf(titles[panel], sizeof titles[panel], "M%zu: %s", member->machine + 1, name);
        (void)snprintf(notes[panel], sizeof notes[panel], "key %.60s", run_machine_key(machine));
        title_list[panel] = titles[panel];
        note_list[panel] = notes[panel];
    }
    const size_t wide = facet->shown_count > 2 ? facet->shown_count - 2 : 0;
    script_number(script, "width", 1000 + 280 * (double)wide);
    script_number(script, "panel_count", (double)facet->shown_count);
    script_texts(script, "panel_title", title_list, facet->shown_count);
    script_texts(script, "panel_note", note_list, facet->shown_count);
}

// Which runs are drawn in each style: "run 1, 2".
static void define_styles(const Facet *facet, FILE *script)
{
    char texts[MOST_STYLES][96];
    const char *list[MOST_STYLES];
    const size_t count = count_styles(facet);
    for (size_t style = 0; style < count; style++) {
        size_t used = 0;
        size_t named = 0;
        for (size_t i = 0; i < facet->member_count; i++) {
            if (find_style(&facet->members[i]) != style)
                continue;
            if (named++ == MOST_NAMED_RUNS)
                used += (size_t)snprintf(texts[style] + used, sizeof texts[style] - used, " …");
            if (named <= MOST_NAMED_RUNS)
                used += (size_t)snprintf(texts[style] + used, sizeof texts[style] - used, "%s%zu",
                                         used ? ", " : "run ", facet->members[i].run + 1);
        }
        list[style] = texts[style];
    }
    script_number(script, "style_count", (double)count);
    script_texts(script, "style_label", list, count);
}

// For each panel its first and last block; for each block its level and style.
static void define_blocks(const Facet *facet, FILE *script)
{
    double first[FACET_MOST_PANELS];
    double last[FACET_MOST_PANELS];
    const char *levels[MOST_BLOCKS];
    double styles[MOST_BLOCKS];
    size_t count = 0;
    for (size_t i = 0; i < facet->member_count; i++) {
        const FacetMember *member = &facet->members[i];
        if (!is_shown(facet, member))
            continue;
        const size_t panel = member->panel - facet->first_shown;
        if (member->style == 0)
            first[panel] = (double)count + 1;
        for (size_t j = 0; j < facet->figures[i]->series_count && count < MOST_BLOCKS; j++) {
            levels[count] = facet->figures[i]->series[j].level;
            styles[count++] = (double)find_style(member) + 1;
        }
        last[panel] = (double)count;
    }
    script_numbers(script, "first_block", first, facet->shown_count);
    script_numbers(script, "last_block", last, facet->shown_count);
    script_texts(script, "block_level", levels, count);
    script_numbers(script, "block_style", styles, count);
}

// The last part of a path, cut to what fits.
static void label_category(const Cell *cell, AxisId axis, char *label)
{
    char value[AXIS_TEXT_BYTES + 1];
    cell_format_axis(cell, axis, value, sizeof value);
    const char *slash = strrchr(value, '/');
    const char *text = slash ? slash + 1 : value;
    const bool cut = strlen(text) >= CATEGORY_BYTES;
    (void)snprintf(label, CATEGORY_BYTES, "%.*s%s", CATEGORY_BYTES - (cut ? 4 : 1), text,
                   cut ? "…" : "");
}

static void define_categories(const Facet *facet, FILE *script)
{
    (void)fprintf(script, "array category_label[%zu] = [", facet->category_count);
    for (size_t i = 0; i < facet->category_count; i++) {
        char label[CATEGORY_BYTES];
        label_category(facet->categories[i], facet->figures[0]->kind->x, label);
        (void)fputs(i ? ", " : "", script);
        script_quote(script, label);
    }
    (void)fputs("]\n", script);
}

static const char *describe_bars(const Facet *facet)
{
    size_t ranges = 0;
    size_t points = 0;
    for (size_t i = 0; i < facet->member_count; i++)
        figure_count_bars(facet->figures[i], facet->view->read, &ranges, &points);
    return bars_describe(ranges, points);
}

static void define_caption(const Facet *facet, size_t peak_count, bool any_measured, FILE *script)
{
    char text[640];
    if (facet->view->measured)
        (void)snprintf(text, sizeof text,
                       "Predicted: model, one iteration from cold caches; bars: interval of the "
                       "prediction.\nMeasured: %s",
                       any_measured ? "hardware counters, one iteration, warm (pmu), where there "
                                      "are any."
                                    : "unavailable on each of these machines.");
    else
        (void)snprintf(text, sizeof text, "Median over worker processes; bars: %s. Time: clock.%s",
                       describe_bars(facet),
                       peak_count ? "\nPeak: register-only multiply-adds of one core, measured "
                                    "(clock); no line where that was not done."
                                  : "");
    script_text(script, "caption", text);
}

static void define_y(const Facet *facet, Range range, FILE *script)
{
    const FigureKind *kind = facet->figures[0]->kind;
    const bool counts = facet->view->measured != NULL;
    const ValueAxis axis = figure_choose_axis(range, counts);
    const char *unit = facet->view->unit ? facet->view->unit : metric_find(kind->metric)->unit;
    char label[160];
    (void)snprintf(label, sizeof label, "%s%s%s [%s%s]", facet->view->name,
                   facet->view->name[0] ? " " : "", facet->view->title, axis.prefix, unit);
    script_text(script, "y_label", label);
    script_number(script, "y_base", axis.base);
    script_number(script, "y_scale", axis.scale);
    script_number(script, "y_low", axis.low);
    script_number(script, "y_high", axis.high);
    script_number(script, "counts", counts);
}

void facet_define(const Facet *facet, FILE *script)
{
    const char *levels[METRICS_LEVEL_COUNT];
    const size_t level_count = find_levels(facet, levels);
    Range range = find_measured_range(facet);
    const bool any_measured = !isnan(range.high);
    for (size_t i = 0; i < facet->member_count; i++) {
        const Range own = figure_find_range(facet->figures[i], facet->view->read);
        range_widen(&range, own.low);
        range_widen(&range, own.high);
    }
    define_panels(facet, script);
    define_blocks(facet, script);
    define_styles(facet, script);
    script_number(script, "level_count", (double)level_count);
    script_texts(script, "level_name", levels, level_count);
    script_number(script, "category_count", (double)facet->category_count);
    if (facet->category_count > 0)
        define_categories(facet, script);
    else
        figures_define_x(facet->figures, facet->member_count, script);
    const size_t peak_count = define_peaks(facet, levels, level_count, &range, script);
    define_y(facet, range, script);
    script_number(script, "any_measured", any_measured);
    define_caption(facet, peak_count, any_measured, script);
}

// Of names: their place, and beside it a slot for each level and run.
static double place_point(const Facet *facet, size_t member, const FigureSeries *series,
                          const FigurePoint *point)
{
    if (facet->category_count == 0)
        return point->x;
    const Figure *figure = facet->figures[member];
    const Cell *cell = &figure->run->plan->cells[point->cell];
    size_t place = 0;
    while (place + 1 < facet->category_count &&
           !cells_agree(facet->categories[place], cell, figure->kind->x))
        place++;
    const char *levels[METRICS_LEVEL_COUNT];
    const size_t level_count = find_levels(facet, levels);
    const size_t style_count = count_styles(facet);
    size_t level = 0;
    while (level + 1 < level_count && strcmp(levels[level], series->level) != 0)
        level++;
    const double slots = (double)(level_count * style_count);
    const double slot = (double)(level * style_count + find_style(&facet->members[member]));
    return (double)place + 1 + (slot - (slots - 1) / 2) * 0.7 / slots;
}

static void tabulate_series(const Facet *facet, size_t member, const FigureSeries *series,
                            FILE *data)
{
    for (size_t i = 0; i < series->count; i++) {
        const FigurePoint *point = &series->points[i];
        const Bar bar = facet->view->read(facet->figures[member], point->cell);
        data_column(data, place_point(facet, member, series, point));
        data_column(data, bar.value);
        data_column(data, bar.low);
        data_column(data, bar.high);
        data_column(data, figure_metric(facet->figures[member], point->cell, "samples"));
        (void)fprintf(data, " %d", point->automatic);
        data_column(data, measured_value(facet, member, point->cell));
        (void)fputc('\n', data);
    }
}

void facet_tabulate(const Facet *facet, FILE *data)
{
    const FigureKind *kind = facet->figures[0]->kind;
    (void)fprintf(data, "# columns: %s, %s [%s], low, high, samples, automatic, measured\n",
                  axis_table[kind->x].key, facet->view->title,
                  facet->view->unit ? facet->view->unit : metric_find(kind->metric)->unit);
    size_t count = 0;
    for (size_t i = 0; i < facet->member_count; i++) {
        const FacetMember *member = &facet->members[i];
        for (size_t j = 0; is_shown(facet, member) && j < facet->figures[i]->series_count; j++) {
            const FigureSeries *series = &facet->figures[i]->series[j];
            if (count == MOST_BLOCKS)
                return;
            (void)fprintf(data, "%s# M%zu, run %zu, %s\n", count++ ? "\n\n" : "",
                          member->machine + 1, member->run + 1, series->level);
            tabulate_series(facet, i, series, data);
        }
    }
}

void facet_describe(const Facet *facet, char *text, size_t text_bytes)
{
    figure_describe_fixed(facet->figures[0], text, text_bytes);
    const size_t used = strlen(text);
    (void)snprintf(text + used, text_bytes - used, "%s%zu machine%s, %zu runs", used ? " · " : "",
                   facet->panel_count, facet->panel_count == 1 ? "" : "s", facet->member_count);
    if (facet->panel_count > facet->shown_count) {
        const size_t more = strlen(text);
        (void)snprintf(text + more, text_bytes - more, " · machines %zu to %zu of them",
                       facet->first_shown + 1, facet->first_shown + facet->shown_count);
    }
}
