// SPDX-License-Identifier: Apache-2.0
// run_set.h - the runs that report and plot are about, with their summaries and figures.
#ifndef HYP_RUN_SET_H
#define HYP_RUN_SET_H

#include "report/figures.h"

typedef struct RunSet {
    RunRecord **runs; // [0] takes what is written
    CellSummary **summaries;
    size_t count;
    FigureList figures; // of all runs
} RunSet;

// Reads the run directories `paths` (count > 0). NULL on failure. The caller frees.
RunSet *run_set_load(const char *const *paths, size_t count, Problem *problem);
void run_set_free(RunSet *set); // NULL is allowed

typedef enum PlotOutcome {
    PLOT_FAILED,
    PLOT_DRAWN,
    PLOT_NOT_DRAWN // no gnuplot here: data and scripts only
} PlotOutcome;

// Writes all figures into <first run>/plots and draws them where gnuplot is there.
PlotOutcome run_set_plot(const RunSet *set, Problem *problem);

#endif
