// SPDX-License-Identifier: Apache-2.0
// figure_parts.h - what the kinds of figures share: bars, axes, series; and the functions of each
// kind that the table in figure_kinds.c lists.
#ifndef HYP_FIGURE_PARTS_H
#define HYP_FIGURE_PARTS_H

#include "report/figures.h"

typedef struct Range {
    double low, high; // NAN, NAN: nothing yet
} Range;

extern const Range range_empty;
void range_widen(Range *range, double value); // a NAN widens nothing

// MiB, or KiB where the largest amount is no more than a few of those.
typedef struct MemoryUnit {
    const char *name;
    double bytes;
} MemoryUnit;
MemoryUnit figure_choose_memory_unit(double most_bytes);

double figure_metric(const Figure *figure, size_t cell, const char *name);

// What the bars of the figure are, for the caption.
const char *figure_describe_bars(const Figure *figure, BarReader read);

// Adds how many points the figure has and how many of their bars are ranges; and what that means.
void figure_count_bars(const Figure *figure, BarReader read, size_t *ranges, size_t *points);
const char *bars_describe(size_t ranges, size_t points);

// From the lowest to the highest value or end of a bar.
Range figure_find_range(const Figure *figure, BarReader read);

// A y axis that shows the range well.
typedef struct ValueAxis {
    double base;        // of a logarithmic axis: 2 or 10; 0 = linear, from 0
    double scale;       // what the values are divided by
    const char *prefix; // of the unit: "10⁶ "
    double low, high;   // limits, scaled, with room above for a note
} ValueAxis;

// Only counts are scaled.
ValueAxis figure_choose_axis(Range range, bool counts);

// Definitions series_count and series_level.
void figure_define_series(const Figure *figure, FILE *script);

// Label, ticks at the places asked for, limits a little outside of all points, and `automatic`.
void figure_define_x(const Figure *figure, FILE *script);
// The same for all of the figures together.
void figures_define_x(const Figure *const *figures, size_t count, FILE *script);

// A block a series: x, value, low, high, samples, automatic. `value` names the second column.
void figure_tabulate_bars(const Figure *figure, BarReader read, const char *value, FILE *data);

// figure_rate.c
bool figure_has_gflops(const RunRecord *run, const CellSummary *summary);
bool figure_has_gelements(const RunRecord *run, const CellSummary *summary);
Bar figure_read_rate(const Figure *figure, size_t cell); // of the kind's metric
void figure_define_rate(const Figure *figure, FILE *script);
void figure_tabulate_rate(const Figure *figure, FILE *data);
extern const FigureView figure_rate_views[];

// figure_misses.c
bool figure_has_misses(const RunRecord *run, const CellSummary *summary);
void figure_define_misses(const Figure *figure, FILE *script);
void figure_tabulate_misses(const Figure *figure, FILE *data);
extern const FigureView figure_miss_views[];

// figure_categories.c
bool figure_has_time(const RunRecord *run, const CellSummary *summary);
void figure_define_categories(const Figure *figure, FILE *script);
void figure_tabulate_categories(const Figure *figure, FILE *data);
size_t figure_count_categories(const Figure *figure);
// A point of that place; NULL where all its cells are left out.
const FigurePoint *figure_find_category(const Figure *figure, double x);
extern const FigureView figure_time_views[];

// figure_front.c
bool figure_has_front(const RunRecord *run, const CellSummary *summary);
void figure_define_front(const Figure *figure, FILE *script);
void figure_tabulate_front(const Figure *figure, FILE *data);

// figure_window.c
bool figure_has_window(const RunRecord *run, const CellSummary *summary);
void figure_define_window(const Figure *figure, FILE *script);
void figure_tabulate_window(const Figure *figure, FILE *data);

// figure_timeline.c
bool figure_has_timeline(const RunRecord *run, const CellSummary *summary);
void figure_define_timeline(const Figure *figure, FILE *script);
void figure_tabulate_timeline(const Figure *figure, FILE *data);

// figure_cap.c
bool figure_has_activation_cap(const RunRecord *run, const CellSummary *summary);
void figure_define_cap(const Figure *figure, FILE *script);
void figure_tabulate_cap(const Figure *figure, FILE *data);

// figure_live.c
bool figure_has_live(const RunRecord *run, const CellSummary *summary);
void figure_define_live(const Figure *figure, FILE *script);
void figure_tabulate_live(const Figure *figure, FILE *data);

// figure_arena.c
bool figure_has_arena(const RunRecord *run, const CellSummary *summary);
void figure_define_arena(const Figure *figure, FILE *script);
void figure_tabulate_arena(const Figure *figure, FILE *data);
extern const FigureView figure_no_views[]; // of a kind that is not drawn for several machines

#endif
