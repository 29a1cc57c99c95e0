// SPDX-License-Identifier: Apache-2.0
// figure_arena.c - the memory for activations over the steps of a pass: a rectangle a tensor, of
// the first cell of the figure.
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>

typedef struct Place {
    int tensor;
    size_t offset_bytes;
    double size_bytes;
    int first_step, last_step;
} Place;

static bool read_place(const SampleValue *value, Place *place)
{
    *place = (Place){.size_bytes = value->value};
    return sscanf(value->name, "place%d.at%zu.from%d.to%d", &place->tensor, &place->offset_bytes,
                  &place->first_step, &place->last_step) == 4 &&
           !isnan(value->value);
}

bool figure_has_arena(const RunRecord *run, const CellSummary *summary)
{
    Place place;
    (void)run;
    for (size_t i = 0; summary->verified && i < summary->verified->value_count; i++)
        if (read_place(&summary->verified->values[i], &place))
            return true;
    return false;
}

static const Sample *find_sample(const Figure *figure)
{
    return figure->summaries[figure->series[0].points[0].cell].verified;
}

// The end of the highest, in bytes, and of the last, in steps.
static void find_ends(const Sample *sample, double *height_bytes, int *step_count)
{
    Place place;
    *height_bytes = 0;
    *step_count = 0;
    for (size_t i = 0; i < sample->value_count; i++) {
        if (!read_place(&sample->values[i], &place))
            continue;
        *height_bytes = fmax(*height_bytes, (double)place.offset_bytes + place.size_bytes);
        *step_count = place.last_step >= *step_count ? place.last_step + 1 : *step_count;
    }
}

void figure_define_arena(const Figure *figure, FILE *script)
{
    double height_bytes = 0;
    int step_count = 0;
    char text[256];
    find_ends(find_sample(figure), &height_bytes, &step_count);
    const MemoryUnit unit = figure_choose_memory_unit(height_bytes);
    script_text(script, "x_label", "step of the pass");
    (void)snprintf(text, sizeof text, "place in the memory for activations [%s]", unit.name);
    script_text(script, "y_label", text);
    script_number(script, "unit", unit.bytes);
    script_number(script, "x_high", step_count);
    script_number(script, "height", height_bytes / unit.bytes);
    (void)snprintf(text, sizeof text, "%.4g %s", height_bytes / unit.bytes, unit.name);
    script_text(script, "height_text", text);
    script_text(
        script, "caption",
        "A rectangle: a tensor, or the rows that are held of it, from the step that writes it "
        "to the last that reads it (model: the plan in force).\nWhere two share a step and bytes, "
        "one is written "
        "over the other, or is a part of it. Dashed: what the plan takes.");
}

void figure_tabulate_arena(const Figure *figure, FILE *data)
{
    const Sample *sample = find_sample(figure);
    Place place;
    (void)fprintf(data, "# columns: first step, step after the last, offset [B], end [B], tensor "
                        "(model)\n");
    for (size_t i = 0; i < sample->value_count; i++)
        if (read_place(&sample->values[i], &place))
            (void)fprintf(data, " %d %d %zu %.0f %d\n", place.first_step, place.last_step + 1,
                          place.offset_bytes, (double)place.offset_bytes + place.size_bytes,
                          place.tensor);
}

const FigureView figure_no_views[] = {{.name = NULL}};
