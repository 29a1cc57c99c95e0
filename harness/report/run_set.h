// SPDX-License-Identifier: Apache-2.0
// run_set.h - the runs that report and plot are about, with their summaries and figures.
#ifndef HYP_RUN_SET_H
#define HYP_RUN_SET_H

#include "report/figure_facets.h"

typedef struct RunSet {
    RunRecord **runs; // [0] takes what is written
    CellSummary **summaries;
    size_t count;
    RunMachines machines;
    FigureList figures; // of all runs
    FacetList facets;   // what several of them have in common
} RunSet;

// Reads the run directories `paths` (count > 0). NULL on failure. The caller frees.
RunSet *run_set_load(const char *const *paths, size_t count, Problem *problem);
void run_set_free(RunSet *set); // NULL is allowed

// Finds machines, figures and facets of the runs and summaries of a set; run_set_load does so.
// False: out of memory.
bool run_set_arrange(RunSet *set);

typedef enum PlotOutcome {
    PLOT_FAILED,
    PLOT_DRAWN,
    PLOT_NOT_DRAWN // no gnuplot here: data and scripts only
} PlotOutcome;

// Writes all facets and the figures that are in none into <first run>/plots and draws them where
// gnuplot is there.
PlotOutcome run_set_plot(const RunSet *set, Problem *problem);

#endif
