// SPDX-License-Identifier: Apache-2.0
// run_figures.h - figures over all cells of a run, whatever sweep they are of: one table of kinds.
#ifndef HYP_RUN_FIGURES_H
#define HYP_RUN_FIGURES_H

#include "stats/metrics.h"

typedef struct RunFigureKind {
    const char *name;          // of the files
    const char *template_name; // plots/<template_name>.gp
    const char *title;
    // How many cells it shows; 0 = there is no such figure of this run.
    size_t (*count)(const RunRecord *run, const CellSummary *summaries);
    // Definitions for the template, and the blocks of data.
    void (*define)(const RunRecord *run, const CellSummary *summaries, FILE *script);
    void (*tabulate)(const RunRecord *run, const CellSummary *summaries, FILE *data);
} RunFigureKind;

extern const RunFigureKind run_figure_table[]; // ended by a NULL name

// "roofline", "roofline-run2" of the second of several runs.
void run_figure_name(const RunFigureKind *kind, size_t run, char *name, size_t name_bytes);

// figure_roofline.c
size_t roofline_count(const RunRecord *run, const CellSummary *summaries);
void roofline_define(const RunRecord *run, const CellSummary *summaries, FILE *script);
void roofline_tabulate(const RunRecord *run, const CellSummary *summaries, FILE *data);

// figure_cache_errors.c
size_t cache_errors_count(const RunRecord *run, const CellSummary *summaries);
void cache_errors_define(const RunRecord *run, const CellSummary *summaries, FILE *script);
void cache_errors_tabulate(const RunRecord *run, const CellSummary *summaries, FILE *data);

#endif
