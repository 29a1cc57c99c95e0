// SPDX-License-Identifier: Apache-2.0
// metrics_emulated.h - numbers of cells whose samples are taken under callgrind; the functions are
// those of rows of metric_table, NAN = unknown.
#ifndef HYP_METRICS_EMULATED_H
#define HYP_METRICS_EMULATED_H

#include "stats/metrics.h"

// What each sample under callgrind recorded by that name ("instructions", "simulated.L1.misses"),
// in the order taken; samples that know no value are left out. `values` has room for
// summary->emulated_count. Returns how many.
size_t metrics_emulated_values(const CellSummary *summary, const char *name, double *values);

// The first of those with a value, else the first at all; NULL if there is none.
const SampleValue *metrics_emulated_source(const CellSummary *summary, const char *name);

double metrics_instructions(const RunRecord *run, const CellSummary *summary);
double metrics_instructions_range(const RunRecord *run, const CellSummary *summary);
double metrics_simulated_first(const RunRecord *run, const CellSummary *summary);
double metrics_simulated_first_reads(const RunRecord *run, const CellSummary *summary);
double metrics_simulated_first_writes(const RunRecord *run, const CellSummary *summary);
double metrics_simulated_last(const RunRecord *run, const CellSummary *summary);
double metrics_simulated_last_reads(const RunRecord *run, const CellSummary *summary);
double metrics_simulated_last_writes(const RunRecord *run, const CellSummary *summary);

// The prediction for the level that was simulated as the last.
double metrics_predicted_last(const RunRecord *run, const CellSummary *summary);

#endif
