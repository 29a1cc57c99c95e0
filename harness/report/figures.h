// SPDX-License-Identifier: Apache-2.0
// figures.h - the figures that a run can show: one table of kinds; each kind gives one figure a
// sweep and combination of the axes that are neither on the x axis nor series (SIMD levels).
#ifndef HYP_FIGURES_H
#define HYP_FIGURES_H

#include "report/sweep_axes.h"
#include "stats/metrics.h"

enum {
    FIGURE_MOST_LEVELS = METRICS_LEVEL_COUNT,
    FIGURE_MOST_SIBLINGS = 16, // of one kind and sweep; nobody looks at more
    FIGURE_NAME_BYTES = 128
};

struct Figure;

// A measured or predicted value with its bar: the interval of the median or, with too few samples
// for one, the range of the samples.
typedef struct Bar {
    double value, low, high;
    bool is_range;
} Bar;

typedef Bar (*BarReader)(const struct Figure *figure, size_t cell);

// One y axis of a kind: where runs of several machines are panels, each view is a figure.
typedef struct FigureView {
    const char *name;  // "L2", part of names and titles; "" of an only view
    const char *title; // on the y axis
    const char *unit;  // NULL: that of the kind's metric
    BarReader read;
    const char *measured; // of a prediction: the metric that is counted beside it; else NULL
} FigureView;

typedef struct FigureKind {
    const char *name;          // "gflops-over-block-size"; begins the name of the files
    const char *template_name; // plots/<template_name>.gp
    AxisId x;
    const char *metric; // on the y axis; NULL where the template shows several
    const char *title;  // after the operation or workload
    // Whether the cell has something to show.
    bool (*shows)(const RunRecord *run, const CellSummary *summary);
    // Definitions for the template, and the blocks of data.
    void (*define)(const struct Figure *figure, FILE *script);
    void (*tabulate)(const struct Figure *figure, FILE *data);
    const FigureView *views; // ended by a NULL name
} FigureKind;

// A point of a series: a cell and where it stands on the x axis.
typedef struct FigurePoint {
    size_t cell;
    double x;
    bool automatic; // the block was chosen from the cache geometry, the window by the loader, or
                    // there is no cap: x is what was chosen, or taken
} FigurePoint;

// Points by SIMD level, by x within a level, the automatic ones last. Levels without points are
// left out.
typedef struct FigureSeries {
    const char *level; // "avx2"
    FigurePoint *points;
    size_t count;
} FigureSeries;

typedef struct Figure {
    const FigureKind *kind;
    const RunRecord *run;
    const CellSummary *summaries;
    const PlanSweep *sweep;
    AxisList facets; // axes that the figure fixes and its siblings vary
    FigureSeries series[FIGURE_MOST_LEVELS];
    size_t series_count;
    bool *takes;                  // of each sweep of the plan: whether its cells are in the figure
    size_t left_out;              // cells that failed or have nothing to show
    char name[FIGURE_NAME_BYTES]; // of its files, without ending
    size_t base_length;           // of the name without what tells the runs apart
    bool shared;                  // with other runs: their common figure is drawn instead
    char title[160];
} Figure;

typedef struct FigureList {
    Figure *items;
    size_t count, capacity;
    size_t omitted; // beyond FIGURE_MOST_SIBLINGS
} FigureList;

extern const FigureKind figure_kind_table[]; // ended by a NULL name

// Every figure of the run, appended; `suffix` ("" or "-run2") ends their names. Run and summaries
// must outlive the list. False: out of memory, and the list is to be cleared.
bool figures_find(const RunRecord *run, const CellSummary *summaries, const char *suffix,
                  FigureList *list);
void figures_clear(FigureList *list);
void figure_clear(Figure *figure);

// Whether cells of the sweep are in the figure: its own sweep, and others whose cells differ from
// those of its own in the SIMD level and a numeric x axis only.
bool figure_takes_sweep(const Figure *figure, const PlanSweep *sweep);

// Whether the axis says that the value of the x axis is chosen: its cells stand at what was chosen.
bool figure_axis_chooses(AxisId axis, AxisId x);

// What the figure fixes: facets and axes that differ from their defaults; and what varies along
// with its x axis: "m = n = 512, k varies along".
void figure_describe_fixed(const Figure *figure, char *text, size_t text_bytes);

#endif
