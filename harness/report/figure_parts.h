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

double figure_metric(const Figure *figure, size_t cell, const char *name);

// A measured value with its bar: the interval of the median or, with too few samples for one, the
// range of the samples.
typedef struct Bar {
    double value, low, high;
    bool is_range;
} Bar;

typedef Bar (*BarReader)(const Figure *figure, size_t cell);

// What the bars of the figure are, for the caption.
const char *figure_describe_bars(const Figure *figure, BarReader read);

// From the lowest to the highest end of a bar.
Range figure_find_range(const Figure *figure, BarReader read);

// Definitions series_count and series_level.
void figure_define_series(const Figure *figure, FILE *script);

// Label, ticks at the places asked for, limits a little outside of all points, and `automatic`.
void figure_define_x(const Figure *figure, FILE *script);

// A block a series: x, value, low, high, samples, automatic. `value` names the second column.
void figure_tabulate_bars(const Figure *figure, BarReader read, const char *value, FILE *data);

// figure_rate.c
bool figure_has_gflops(const RunRecord *run, const CellSummary *summary);
bool figure_has_gelements(const RunRecord *run, const CellSummary *summary);
Bar figure_read_rate(const Figure *figure, size_t cell); // of the kind's metric
void figure_define_rate(const Figure *figure, FILE *script);
void figure_tabulate_rate(const Figure *figure, FILE *data);

// figure_misses.c
bool figure_has_misses(const RunRecord *run, const CellSummary *summary);
void figure_define_misses(const Figure *figure, FILE *script);
void figure_tabulate_misses(const Figure *figure, FILE *data);

// figure_categories.c
bool figure_has_time(const RunRecord *run, const CellSummary *summary);
void figure_define_categories(const Figure *figure, FILE *script);
void figure_tabulate_categories(const Figure *figure, FILE *data);

#endif
