// SPDX-License-Identifier: Apache-2.0
// figure_files.h - figures on disk: <name>.dat, a .gp that stands alone, and what gnuplot makes of
// it.
#ifndef HYP_FIGURE_FILES_H
#define HYP_FIGURE_FILES_H

#include "report/figure_facets.h"
#include "report/run_figures.h"

// Writes <directory>/<name>.dat and .gp; the directory must exist. The script is the definitions of
// this figure followed by the templates common.gp and that of its kind, found beside the program
// (share/hyperion/plots or plots in a folder above it) or in the source tree.
bool figure_write(const Figure *figure, const char *directory, Problem *problem);
bool facet_write(const Facet *facet, const char *directory, Problem *problem); // template machines
bool run_figure_write(const RunFigureKind *kind, const char *name, const RunRecord *run,
                      const CellSummary *summaries, const char *directory, Problem *problem);

// Full path of gnuplot as PATH has it; false: there is none.
bool gnuplot_find(char *path, size_t path_bytes);

// Runs <name>.gp in `directory`, which writes <name>.svg and <name>.png there. What gnuplot says
// goes into the problem on failure.
bool gnuplot_run(const char *gnuplot, const char *directory, const char *name, Problem *problem);

#endif
