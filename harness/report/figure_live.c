// SPDX-License-Identifier: Apache-2.0
// figure_live.c - activations that are live after each step of a plan, a line a cap.
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>

enum { MOST_LINES = 8, LABEL_BYTES = AXIS_TEXT_BYTES + 32 };

// "live12.recompute.3": of the step of that number.
static bool read_step(const SampleValue *value, int *step)
{
    int end = 0;
    return sscanf(value->name, "live%d.%*[a-z].%*d%n", step, &end) == 1 && end > 0 &&
           !isnan(value->value);
}

bool figure_has_live(const RunRecord *run, const CellSummary *summary)
{
    int step = 0;
    (void)run;
    for (size_t i = 0; summary->verified && i < summary->verified->value_count; i++)
        if (read_step(&summary->verified->values[i], &step))
            return true;
    return false;
}

// The point of a line: of more caps than lines evenly chosen ones, the first and the last among
// them. Of one SIMD level: plans hardly differ by it.
static const FigurePoint *find_point(const Figure *figure, size_t line, size_t line_count)
{
    const FigureSeries *series = &figure->series[0];
    const size_t last = series->count - 1;
    return &series->points[line_count > 1 ? line * last / (line_count - 1) : 0];
}

static size_t count_lines(const Figure *figure)
{
    const size_t count = figure->series[0].count;
    return count < MOST_LINES ? count : (size_t)MOST_LINES;
}

static const Sample *find_sample(const Figure *figure, const FigurePoint *point)
{
    return figure->summaries[point->cell].verified;
}

static void widen(const Sample *sample, Range *steps, Range *bytes)
{
    int step = 0;
    for (size_t i = 0; i < sample->value_count; i++)
        if (read_step(&sample->values[i], &step)) {
            range_widen(steps, step + 1);
            range_widen(bytes, sample->values[i].value);
        }
}

// "25% (1.5 MiB)", "no cap".
static void label_line(const Figure *figure, const FigurePoint *point, char *label)
{
    char value[AXIS_TEXT_BYTES + 1];
    if (point->automatic) {
        (void)snprintf(label, LABEL_BYTES, "no cap");
        return;
    }
    cell_format_axis(&figure->run->plan->cells[point->cell], figure->kind->x, value, sizeof value);
    const MemoryUnit unit = figure_choose_memory_unit(point->x);
    (void)snprintf(label, LABEL_BYTES, "%s (%.4g %s)", value, point->x / unit.bytes, unit.name);
}

void figure_define_live(const Figure *figure, FILE *script)
{
    const size_t line_count = count_lines(figure);
    Range steps = range_empty;
    Range bytes = range_empty;
    char labels[MOST_LINES][LABEL_BYTES];
    const char *names[MOST_LINES];
    double caps[MOST_LINES];
    char text[64];
    for (size_t i = 0; i < line_count; i++) {
        const FigurePoint *point = find_point(figure, i, line_count);
        widen(find_sample(figure, point), &steps, &bytes);
        label_line(figure, point, labels[i]);
        names[i] = labels[i];
        caps[i] = point->automatic ? -1 : point->x;
    }
    script_text(script, "x_label", "step of the plan");
    const MemoryUnit unit = figure_choose_memory_unit(bytes.high);
    (void)snprintf(text, sizeof text, "live activations [%s]", unit.name);
    script_text(script, "y_label", text);
    script_number(script, "unit", unit.bytes);
    script_number(script, "line_count", (double)line_count);
    script_texts(script, "line_label", names, line_count);
    script_numbers(script, "line_cap", caps, line_count);
    script_number(script, "x_high", steps.high);
    script_number(script, "y_high", bytes.high / unit.bytes * 1.08);
    script_text(script, "caption",
                "Activations with a place in memory after each step of the plan (model): running "
                "a layer, again or for the first time, dropping,\nspilling, reading back, "
                "visiting. Dashed: the caps. Of the plan that was verified.");
}

void figure_tabulate_live(const Figure *figure, FILE *data)
{
    const size_t line_count = count_lines(figure);
    (void)fprintf(data, "# columns: step, live after it [B] (model)\n");
    for (size_t i = 0; i < line_count; i++) {
        const FigurePoint *point = find_point(figure, i, line_count);
        const Sample *sample = find_sample(figure, point);
        char label[LABEL_BYTES];
        int step = 0;
        label_line(figure, point, label);
        (void)fprintf(data, "%s# %s\n", i ? "\n\n" : "", label);
        for (size_t j = 0; j < sample->value_count; j++)
            if (read_step(&sample->values[j], &step))
                (void)fprintf(data, " %d %.10g\n", step + 1, sample->values[j].value);
    }
}
